//! Words of other languages, words that are nearly right, words in the wrong place.

use super::Broken;
use super::tokens::{TokenKind, tokens};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::Rule;
use crate::syntax::lines::first_word;
use crate::text::{SourceId, Span};
use std::ops::Range;

/// First words of other languages: what is meant, and whether the word alone can be replaced.
const FOREIGN: &[(&str, &str, bool)] = &[
    ("def", "fn", true),
    ("function", "fn", true),
    ("func", "fn", true),
    ("fun", "fn", true),
    ("proc", "task", true),
    ("procedure", "task", true),
    ("sub", "task", true),
    ("struct", "record", true),
    ("class", "record", true),
    ("type", "record", true),
    ("table", "entity", true),
    ("import", "use", true),
    ("include", "use", true),
    ("require", "use", true),
    ("using", "use", true),
    ("workflow", "flow", true),
    ("process", "flow", true),
    ("elif", "else if", true),
    ("elsif", "else if", true),
    ("elseif", "else if", true),
    ("switch", "match", true),
    ("case", "match", true),
    ("foreach", "for", true),
    ("assert", "expect", true),
    ("throw", "fail", true),
    ("raise", "fail", true),
    ("mut", "var", true),
    ("val", "let", true),
    ("goto", "go to", true),
    ("dim", "let", true),
    ("yield", "give", true),
];

/// First words of other languages for which there is something else here.
const EXPLAINED: &[(&str, &str)] = &[
    ("while", "there is no `while`; write `for x in list { … }`, or `go to` a step that stands before"),
    ("loop", "there is no `loop`; write `for x in list { … }`, or `go to` a step that stands before"),
    ("repeat", "write `for i in 1..10 { … }`, or `retry 3 times` below a step"),
    ("try", "a failure is handled below its step: `on out_of_stock go to back_order`"),
    ("catch", "a failure is handled below its step: `on out_of_stock as e { … }`"),
    ("except", "a failure is handled below its step: `on out_of_stock as e { … }`"),
    ("unless", "write `if not condition { … }`"),
    ("print", "write `log.info(\"…\")`"),
    ("echo", "write `log.info(\"…\")`"),
    ("await", "take it away: a flow waits by itself"),
    ("async", "take it away: a flow waits by itself"),
    ("export", "take it away: every declaration can be used from elsewhere"),
    ("public", "take it away: every declaration can be used from elsewhere"),
    ("private", "take it away: every declaration can be used from elsewhere"),
    ("break", "there is no `break`; take the part of the list that counts, as in `list.take(5)` or `list.filter(…)`"),
    ("continue", "there is no `continue`; put the rest into an `if`"),
];

const DECLARATIONS: &[&str] = &[
    "const",
    "entity",
    "enum",
    "error",
    "every",
    "flow",
    "fn",
    "on",
    "policy",
    "record",
    "rule",
    "rules",
    "task",
    "test",
    "transient",
    "use",
];
const STATEMENTS: &[&str] = &[
    "advance", "answer", "else", "expect", "fail", "for", "give", "given", "go", "if", "let", "match", "on",
    "parallel", "retry", "return", "step", "stop", "stub", "timeout", "undo", "var",
];

/// Longer words are not shown, and are like no keyword.
const LONGEST_WORD: usize = 60;

/// A word of another language or in the wrong place.
pub fn mistake(broken: &Broken) -> Option<Finding> {
    fail_text(broken)
        .or_else(|| then_before_block(broken))
        .or_else(|| for_elsewhere(broken))
        .or_else(|| goto(broken))
        .or_else(|| list_type(broken))
        .or_else(|| parameter_without_type(broken))
        .or_else(|| first_word_of_statement(broken))
        .or_else(|| keyword_as_name(broken))
        .or_else(|| named_sign(broken))
}

/// The word of the language that a first word stands for, if it is foreign or misspelt.
pub fn meant_by(word: &str) -> Option<&'static str> {
    let foreign = FOREIGN.iter().find(|(foreign, ..)| *foreign == word).map(|(_, right, _)| *right);
    foreign.or_else(|| nearest(word, DECLARATIONS))
}

/// The finding for a block behind a word of another language, as in `try { … }`.
pub fn foreign_block(line: &str, span: Span) -> Option<Finding> {
    let word = first_word(line);
    if word == line { foreign_word(word, span) } else { None }
}

/// The finding for a line outside of all blocks that begins no declaration.
pub fn unknown_declaration(source: SourceId, text: &str, range: Range<usize>, opens: bool) -> Finding {
    if text.get(range.clone()).is_some_and(|line| line.starts_with("--")) {
        let dashes = Span::new(source, range.start, range.start + 2);
        return Finding::new(&codes::COMMENT, dashes, "a comment begins with `//`")
            .at("not understood")
            .help("write `//` in place of `--`")
            .fix(dashes, "//");
    }
    let line = text.get(range.clone()).unwrap_or("");
    let word = first_word(line);
    let span = |start: usize, end: usize| Span::new(source, range.start + start, range.start + end);
    if word.len() > LONGEST_WORD {
        return Finding::new(&codes::WORD, span(0, word.len()), "no declaration begins with this long word")
            .at("unknown word");
    }
    if let Some(finding) = foreign_word(word, span(0, word.len())) {
        return finding;
    }
    let statement = STATEMENTS.contains(&word) || !opens && is_statement(line);
    if !statement && !word.is_empty() {
        let finding = Finding::new(&codes::WORD, span(0, word.len()), format!("no declaration begins with `{word}`"));
        return match nearest(word, DECLARATIONS) {
            Some(near) => finding.at("unknown word").help(format!("did you mean `{near}`?")).fix(span(0, word.len()), near),
            None => finding
                .at("unknown word")
                .help("a script consists of `use`, `const`, `enum`, `record`, `entity`, `error`, `fn`, `task`, `rules`, `rule`, `flow`, `policy`, `on`, `every` and `test`"),
        };
    }
    let first = tokens(line).first().map_or(line.len(), |token| token.end());
    let what = if statement { "a statement stands" } else { "this stands" };
    Finding::new(&codes::PLACE, span(0, first), format!("{what} outside of all blocks"))
        .at("begins no declaration")
        .help("put it into a `flow`, `task` or `test`; a value for the whole script is a `const`")
}

/// The finding for a word of a modifier or an `else` where it can't stand.
pub fn unknown_modifier_place(word: &str, span: Span) -> Finding {
    if word == "else" {
        Finding::new(&codes::PLACE, span, "no `if` stands before this `else`")
            .at("belongs to nothing")
            .help("write it behind the `}` of its `if`: `} else {`")
    } else {
        Finding::new(&codes::PLACE, span, format!("`{word}` says how a step is done, and no step stands before it"))
            .at("belongs to no step")
            .help("write it on the line below a `step`")
    }
}

fn is_statement(line: &str) -> bool {
    let tokens = tokens(line);
    let second = tokens.get(1).map_or("", |token| token.text);
    tokens.first().is_some_and(|token| token.kind == TokenKind::Word) && matches!(second, "(" | "." | "=")
}

fn foreign_word(word: &str, span: Span) -> Option<Finding> {
    if let Some((_, right, replaceable)) = FOREIGN.iter().find(|(foreign, ..)| *foreign == word) {
        let finding = Finding::new(&codes::WORD, span, format!("`{word}` is called `{right}` here"))
            .at("unknown word")
            .help(format!("write `{right}`"));
        return Some(if *replaceable { finding.fix(span, *right) } else { finding });
    }
    let (_, help) = EXPLAINED.iter().find(|(foreign, _)| *foreign == word)?;
    Some(Finding::new(&codes::WORD, span, format!("there is no `{word}` here")).at("unknown word").help(*help))
}

/// The known word that is most like `word`, when it is like it at all.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= candidate.len().max(lower.len()) / 3 + usize::from(candidate.len() <= 3)
        })
        .filter(|(distance, candidate)| *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `fail "out of stock"`.
fn fail_text(broken: &Broken) -> Option<Finding> {
    let token = broken.token(0)?;
    (broken.rule == Rule::fail_line && broken.at == 1 && token.kind == TokenKind::Text).then(|| {
        Finding::new(&codes::UNEXPECTED, broken.span_of(&token), "`fail` names a declared error, not a text")
            .at("the name of an error is expected")
            .help("declare `error problem(reason: text)` and write `fail problem(\"…\")`; to end a run as done, `stop \"…\"`")
    })
}

/// `if x then {`, `for x in list do {`.
fn then_before_block(broken: &Broken) -> Option<Finding> {
    let token = broken.token(0).filter(|token| matches!(token.text, "then" | "do"))?;
    let last = broken.at + 1 == broken.tokens.len();
    if !matches!(broken.rule, Rule::if_line | Rule::for_line | Rule::expression_line) || !last && broken.opens {
        return None;
    }
    let span = broken.span_of(&token);
    let finding = Finding::new(&codes::BLOCK, span, format!("no `{}` stands before a block", token.text));
    Some(if broken.opens {
        let from = broken.token(-1).map_or(token.start, |before| before.end());
        finding.at("not needed").help("take it away").fix(broken.span(from, token.end()), "")
    } else {
        finding.at("`{` is expected").help("open the block with `{` and close it with `}` on a line of its own")
    })
}

/// `for (x in list)`, `for x of list`.
fn for_elsewhere(broken: &Broken) -> Option<Finding> {
    if !matches!(broken.rule, Rule::for_line | Rule::template_for) {
        return None;
    }
    let token = broken.token(0)?;
    let last = broken.at + 1 == broken.tokens.len();
    let is_wrong =
        token.text == "(" && broken.at == 1 || matches!(token.text, "of" | "from" | "=") || token.text == ":" && !last;
    is_wrong.then(|| {
        Finding::new(&codes::UNEXPECTED, broken.span_of(&token), "a loop is written `for x in list { … }`")
            .at("not expected here")
            .help("for numbers write `for i in 1..10 { … }`, for a map `for key, value in map { … }`")
    })
}

/// `on error goto step`.
fn goto(broken: &Broken) -> Option<Finding> {
    let token = broken.token(0).filter(|token| token.text == "goto")?;
    let span = broken.span_of(&token);
    Some(
        Finding::new(&codes::WORD, span, "`goto` is written `go to`")
            .at("two words")
            .help("write `go to`")
            .fix(span, "go to"),
    )
}

/// `text[]`, `List<text>`.
fn list_type(broken: &Broken) -> Option<Finding> {
    let (name, token) = (broken.token(-1)?, broken.token(0)?);
    let after_type = matches!(broken.word(-2), ":" | "->") && name.kind == TokenKind::Word;
    let is_list = token.text == "[" && broken.word(1) == "]";
    let is_generic = token.text == "<" || token.text == "<>";
    if !after_type || !is_list && !is_generic {
        return None;
    }
    let finding = Finding::new(
        &codes::UNEXPECTED,
        broken.span_of(&token),
        "a list type is written `[text]`, a map type `{text: int}`",
    )
    .at("not expected here");
    Some(if is_list {
        let span = broken.span(name.start, token.end() + 1);
        finding.help(format!("write `[{}]`", name.text)).fix(span, format!("[{}]", name.text))
    } else {
        finding.help("write the element in brackets, as in `[text]`")
    })
}

/// `fn f(x)`.
fn parameter_without_type(broken: &Broken) -> Option<Finding> {
    let (name, token) = (broken.token(-1)?, broken.token(0)?);
    let declares = matches!(broken.rule, Rule::callable_line | Rule::flow_line | Rule::rules_line | Rule::error_line);
    let is_parameter = name.kind == TokenKind::Word && matches!(broken.word(-2), "(" | ",");
    (declares && is_parameter && matches!(token.text, ")" | "," | "=")).then(|| {
        Finding::new(&codes::UNEXPECTED, broken.span_of(&name), format!("`{}` has no type", name.text))
            .at("`:` and a type are expected after this")
            .help(format!("write for example `{}: text`; what a declaration takes is always written out", name.text))
    })
}

/// A statement whose first word is of another language or misspelt.
fn first_word_of_statement(broken: &Broken) -> Option<Finding> {
    let first = broken.tokens.first().filter(|token| token.kind == TokenKind::Word)?;
    if broken.rule != Rule::expression_line && broken.rule != Rule::assign_line {
        return None;
    }
    let second = broken.tokens.get(1);
    let apart = second.is_none_or(|second| second.start > first.end() || second.text == ":");
    if !apart || broken.at > 1 && FOREIGN.iter().all(|(foreign, ..)| *foreign != first.text) {
        return None;
    }
    let span = broken.span_of(first);
    if let Some(finding) = foreign_word(first.text, span) {
        return Some(finding);
    }
    let follows =
        second.is_some_and(|second| matches!(second.kind, TokenKind::Word | TokenKind::Number | TokenKind::Text));
    if broken.at != 1 || !follows || first.text.len() > LONGEST_WORD || STATEMENTS.contains(&first.text) {
        return None;
    }
    let finding =
        Finding::new(&codes::WORD, span, format!("no statement begins with `{}`", first.text)).at("unknown word");
    Some(match nearest(first.text, STATEMENTS) {
        Some(near) => finding.help(format!("did you mean `{near}`?")).fix(span, near),
        None => finding.help("a call has its arguments in parentheses: `f(x)`"),
    })
}

/// `a + then`: a keyword that was read as a name.
fn keyword_as_name(broken: &Broken) -> Option<Finding> {
    let before =
        broken.token(-1).filter(|token| matches!(token.text, "let" | "var" | "step" | "in" | "return" | "then"))?;
    let token = broken.token(-1)?;
    let introduced = matches!(broken.word(-2), "let" | "var" | "step" | "fn" | "flow" | "task" | "for");
    introduced.then(|| {
        Finding::new(
            &codes::KEYWORD,
            broken.span_of(&token),
            format!("`{}` is a keyword and can't be a name", before.text),
        )
        .at("a name is expected here")
        .help("choose another name")
    })
}

/// `$name`, `@name`.
fn named_sign(broken: &Broken) -> Option<Finding> {
    let (sign, name) = (broken.token(0)?, broken.token(1)?);
    let joined = matches!(sign.text, "$" | "@") && name.kind == TokenKind::Word && sign.end() == name.start;
    joined.then(|| {
        let span = broken.span_of(&sign);
        Finding::new(&codes::CHARACTER, span, format!("names are written without `{}`", sign.text))
            .at("not needed")
            .help(format!("write `{}`", name.text))
            .fix(span, "")
    })
}
