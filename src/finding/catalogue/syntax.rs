//! `syntax::…`: what can't be read.

use super::Code;

/// Something else is expected at this place.
pub const UNEXPECTED: Code = Code::error(
    "syntax::unexpected",
    "something else is expected here",
    "The line can be read up to the marked place; what stands there fits none of the forms that may follow.",
    "fn double(x: int) -> int {\n  return x *\n}\n",
    "fn double(x: int) -> int {\n  return x * 2\n}\n",
);

/// A text that is not closed, a `{` in a text, an escape that does not exist.
pub const TEXT: Code = Code::error(
    "syntax::text",
    "a text is not written to its end",
    "A text begins and ends with `\"` on one line, or with `\"\"\"` over several. In a text, `{` begins a value and ends \
     with `}`; `\\` begins one of `\\n \\t \\\" \\\\ \\{ \\}` or `\\u{1F600}`.",
    "const greeting = \"Hello\n\nconst thanks = \"Thank you\"\n",
    "const greeting = \"Hello\"\n\nconst thanks = \"Thank you\"\n",
);

/// Quotes other than `"`.
pub const QUOTES: Code = Code::error(
    "syntax::quotes",
    "a text stands between straight double quotes",
    "Word processors and web pages turn quotes into curly ones; other languages use single ones. Here a text always \
     stands between `\"`, so that one look tells a text from everything else.",
    "const greeting = 'Hello'\n",
    "const greeting = \"Hello\"\n",
);

/// `#` or `/* */`.
pub const COMMENT: Code = Code::error(
    "syntax::comment",
    "a comment begins with `//`",
    "A comment is a whole line or the end of a line and begins with `//`. Documentation begins with `///`.",
    "# the limit for refunds\nconst limit = 500 EUR\n",
    "// the limit for refunds\nconst limit = 500 EUR\n",
);

/// `;`
pub const SEMICOLON: Code = Code::error(
    "syntax::semicolon",
    "statements end with their line",
    "Each statement stands on a line of its own; nothing separates them but the line break.",
    "const limit = 500 EUR;\n",
    "const limit = 500 EUR\n",
);

/// `(`, `[` or `{` within a line that does not pair up.
pub const BRACKETS: Code = Code::error(
    "syntax::brackets",
    "brackets don't pair up",
    "A line goes on until its brackets are closed, so a missing one would swallow the lines below it.",
    "fn total(net: money, tax: money) -> money {\n  return (net + tax\n}\n",
    "fn total(net: money, tax: money) -> money {\n  return (net + tax)\n}\n",
);

/// A block that is not closed, or a `}` too many.
pub const BRACES: Code = Code::error(
    "syntax::braces",
    "the braces of blocks don't pair up",
    "A block begins with `{` at the end of its first line and ends with `}` on a line of its own.",
    "fn larger(a: int, b: int) -> int {\n  if a > b {\n    return a\n  return b\n}\n",
    "fn larger(a: int, b: int) -> int {\n  if a > b {\n    return a\n  }\n  return b\n}\n",
);

/// Brackets, operators or blocks within each other beyond the limit.
pub const TOO_DEEP: Code = Code::error(
    "syntax::too-deep",
    "nested too deeply",
    "Beyond 64 brackets or blocks within each other, or 128 operators in a row, nobody can follow what is meant.",
    "",
    "",
);

/// A line or a text beyond the limit.
pub const TOO_LONG: Code =
    Code::error("syntax::too-long", "too long", "A line of code has at most 256 KiB, a script at most 4 GiB.", "", "");

/// A keyword in the place of a name.
pub const KEYWORD: Code = Code::error(
    "syntax::keyword",
    "a keyword is used as a name",
    "Keywords mean the same everywhere, so they can't name a value, a parameter or a declaration. Fields may be \
     called anything, because they are always written behind a dot.",
    "fn waiting(then: date, until: date) -> bool = then < until\n",
    "fn waiting(since: date, until: date) -> bool = since < until\n",
);

/// An operator of another language.
pub const OPERATOR: Code = Code::error(
    "syntax::operator",
    "an operator is written in words or with another sign",
    "`and`, `or` and `not` are words here; `==` compares, `=` names a value. There is one way to write each, so that \
     a reader need not know other languages.",
    "fn due(paid: bool, days: int) -> bool = !paid && days > 30\n",
    "fn due(paid: bool, days: int) -> bool = not paid and days > 30\n",
);

/// A number, date, amount or duration that is not written as the language writes it.
pub const LITERAL: Code = Code::error(
    "syntax::literal",
    "a number, date or amount is written another way",
    "Numbers have a decimal point, amounts the ISO letters of their currency behind them, dates are `2026-11-22`. One \
     form for everyone: `01/02/2026` and `1.000,50` are read differently in different countries.",
    "const fee = 9,90 EUR\n",
    "const fee = 9.90 EUR\n",
);

/// `a < b < c`.
pub const CHAIN: Code = Code::error(
    "syntax::chain",
    "comparisons don't chain",
    "`a < b < c` would compare the outcome of the first comparison with `c`, which is never what is meant.",
    "fn fits(n: int) -> bool = 1 <= n <= 10\n",
    "fn fits(n: int) -> bool = 1 <= n and n <= 10\n",
);

/// A row whose cells don't match the head of its table, or a table without head.
pub const TABLE: Code = Code::error(
    "syntax::table",
    "a row does not fit its table",
    "Every row has one cell for each column of the head. An empty cell says nothing; `-` stands for anything.",
    "rules fee(total: money) -> percent {\n  | total     | => fee |\n  | < 100 EUR |\n  | otherwise | 0%     |\n}\n",
    "rules fee(total: money) -> percent {\n  | total     | => fee |\n  | < 100 EUR | 5%     |\n  | otherwise | 0%     |\n}\n",
);

/// Comparisons in a cell joined by a comma.
pub const CELL: Code = Code::error(
    "syntax::cell",
    "comparisons in a cell need `and` or `or`",
    "A comma lists values of which one is met. Between comparisons it could mean both at once or either of them; `and` \
     and `or` say which.",
    "rules size(n: int) -> text {\n  | n          | => size |\n  | > 0, < 10  | \"small\" |\n  | otherwise  | \"other\" |\n}\n",
    "rules size(n: int) -> text {\n  | n            | => size |\n  | > 0 and < 10 | \"small\" |\n  | otherwise    | \"other\" |\n}\n",
);

/// A declaration within a block, a statement outside of all, a modifier without a step.
pub const PLACE: Code = Code::error(
    "syntax::place",
    "this stands in the wrong place",
    "Declarations stand at the outermost level, statements within a flow, function, task, rule or test, and modifiers \
     below the step they belong to.",
    "expect 1 + 1 == 2\n",
    "test \"adding\" {\n  expect 1 + 1 == 2\n}\n",
);

/// A block that is missing, or one where none belongs.
pub const BLOCK: Code = Code::error(
    "syntax::block",
    "a block is missing, or stands where none belongs",
    "`if`, `for`, `match` and most declarations are followed by a block in braces; other lines have none. A record is \
     built by a call, `OrderRow(sku: \"A1\")`: braces are for blocks and maps alone.",
    "fn larger(a: int, b: int) -> int {\n  if a > b\n    return a\n  return b\n}\n",
    "fn larger(a: int, b: int) -> int {\n  if a > b {\n    return a\n  }\n  return b\n}\n",
);

/// A first word that begins nothing.
pub const WORD: Code = Code::error(
    "syntax::word",
    "no declaration or statement begins like this",
    "The first word of a line says what the line is. Words of other languages have another name here.",
    "def double(x: int) -> int = x * 2\n",
    "fn double(x: int) -> int = x * 2\n",
);

/// A character that is no part of the language.
pub const CHARACTER: Code = Code::error(
    "syntax::character",
    "a character that means nothing here",
    "Outside of texts and comments the language uses letters, digits and the signs of a plain keyboard. Text copied \
     from web pages or typed with another input method may hold blanks and brackets that only look the same.",
    "const total = max（1, 2）\n",
    "const total = max(1, 2)\n",
);

/// A name, parameter or field written twice, and other things said twice in one line.
pub const TWICE: Code = Code::error(
    "syntax::twice",
    "said twice",
    "An option of a declaration is written once; a second one would silently win or lose.",
    "flow nightly() priority 1, priority 2 {\n  stop\n}\n",
    "flow nightly() priority 2 {\n  stop\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[
    &UNEXPECTED,
    &TEXT,
    &QUOTES,
    &COMMENT,
    &SEMICOLON,
    &BRACKETS,
    &BRACES,
    &TOO_DEEP,
    &TOO_LONG,
    &KEYWORD,
    &OPERATOR,
    &LITERAL,
    &CHAIN,
    &TABLE,
    &CELL,
    &PLACE,
    &BLOCK,
    &WORD,
    &CHARACTER,
    &TWICE,
];
