//! Changes scripts as people do by mistake: another operator, a row less, two names swapped, a guard gone. Every mutation
//! is made of its number alone, so that a failure can be repeated.

/// What a mutation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `<` where `<=` stood, `and` where `or` stood, `+` where `-` stood.
    Operator,
    /// A row of a table or of a list of fields is gone.
    DeletedLine,
    /// A name where another one of the script stood.
    SwappedName,
    /// A name with a letter too few or two letters exchanged.
    MisspeltName,
    /// `if … {` became `if true {`, an `if … { fail … }` is gone.
    RemovedGuard,
    /// A call with an argument less.
    DroppedArgument,
    /// Another number, text or truth value.
    ChangedLiteral,
    /// A modifier of a step is gone: `retry`, `undo`, `on …`.
    RemovedModifier,
}

/// All kinds.
pub const KINDS: [Kind; 8] = [
    Kind::Operator,
    Kind::DeletedLine,
    Kind::SwappedName,
    Kind::MisspeltName,
    Kind::RemovedGuard,
    Kind::DroppedArgument,
    Kind::ChangedLiteral,
    Kind::RemovedModifier,
];

/// A changed script.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// What was done.
    pub kind: Kind,
    /// The line, counted from one.
    pub line: usize,
    /// The line as it was.
    pub before: String,
    /// The whole script after the change.
    pub text: String,
}

/// The mutation of a script with a number; none when the script has nothing that could be changed so.
pub fn mutate(text: &str, kind: Kind, number: u64) -> Option<Mutation> {
    let mut chance = Chance(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ text.len() as u64);
    let edits = places(text, kind, &mut chance);
    let (start, end, replacement) = chance.one_of(&edits)?.clone();
    let changed = format!("{}{replacement}{}", text.get(..start)?, text.get(end..)?);
    let line = text[..start].matches('\n').count() + 1;
    let before = text.lines().nth(line - 1).unwrap_or_default().trim().to_string();
    (changed != text).then_some(Mutation { kind, line, before, text: changed })
}

/// Everything of a kind that could be done: what is replaced, and by what.
fn places(text: &str, kind: Kind, chance: &mut Chance) -> Vec<(usize, usize, String)> {
    let tokens = tokens(text);
    let mut edits = Vec::new();
    match kind {
        Kind::Operator => {
            const PAIRS: &[(&str, &str)] = &[
                ("<", "<="),
                ("<=", "<"),
                (">", ">="),
                (">=", ">"),
                ("==", "!="),
                ("!=", "=="),
                ("+", "-"),
                ("-", "+"),
                ("*", "/"),
                ("/", "*"),
                ("and", "or"),
                ("or", "and"),
                ("some", "none"),
                ("not", ""),
            ];
            for token in &tokens {
                let word = &text[token.start..token.end];
                if let Some((_, other)) = PAIRS.iter().find(|(from, _)| *from == word) {
                    edits.push((token.start, token.end, other.to_string()));
                }
            }
        }
        Kind::DeletedLine => {
            for (start, line) in lines(text) {
                let trimmed = line.trim();
                let is_row = trimmed.starts_with('|') && !trimmed.contains("=>");
                let is_statement =
                    !trimmed.is_empty() && !trimmed.ends_with('{') && !trimmed.starts_with(['}', '/', '|']);
                if is_row || is_statement && line.starts_with("  ") {
                    edits.push((start, start + line.len(), String::new()));
                }
            }
        }
        Kind::SwappedName => {
            let names: Vec<&Token> = tokens.iter().filter(|token| token.is_name).collect();
            for token in &names {
                if let Some(other) = chance.one_of(&names) {
                    edits.push((token.start, token.end, text[other.start..other.end].to_string()));
                }
            }
        }
        Kind::MisspeltName => {
            for token in tokens.iter().filter(|token| token.is_name && token.end - token.start > 3) {
                let mut letters: Vec<char> = text[token.start..token.end].chars().collect();
                if letters.len() > 3 {
                    let at = 1 + chance.below(letters.len() - 2);
                    if chance.below(2) == 0 {
                        letters.swap(at, at + 1);
                    } else {
                        letters.remove(at);
                    }
                    edits.push((token.start, token.end, letters.into_iter().collect()));
                }
            }
        }
        Kind::RemovedGuard => {
            for (start, line) in lines(text) {
                let Some(at) = line.find("if ") else { continue };
                match line.find('{') {
                    Some(open) if line.trim_end().ends_with('}') && line.trim_start().starts_with("if") => {
                        edits.push((start, start + line.len(), String::new()));
                        edits.push((start + at + 3, start + open, "true ".to_string()));
                    }
                    Some(open) if open > at + 3 => edits.push((start + at + 3, start + open, "true ".to_string())),
                    _ => {}
                }
                if let Some(at) = line.find(" when ") {
                    let end = line.find(['{', '\n']).unwrap_or(line.len()).max(at);
                    edits.push((start + at, start + end, " ".to_string()));
                }
            }
        }
        Kind::DroppedArgument => {
            for (index, token) in tokens.iter().enumerate() {
                if &text[token.start..token.end] != "," {
                    continue;
                }
                let end =
                    tokens[index + 1..].iter().find(|token| matches!(&text[token.start..token.end], "," | ")" | "]"));
                if let Some(end) = end {
                    edits.push((token.start, end.start, String::new()));
                }
            }
        }
        Kind::ChangedLiteral => {
            for token in &tokens {
                let word = &text[token.start..token.end];
                let other = match word {
                    "true" => "false".to_string(),
                    "false" => "true".to_string(),
                    _ if word.starts_with('"') => ["\"\"", "\"changed\"", "17"][chance.below(3)].to_string(),
                    _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
                        ["0", "1", "7", "1000000", "99 EUR", "3 days", "\"text\""][chance.below(7)].to_string()
                    }
                    _ => continue,
                };
                edits.push((token.start, token.end, other));
            }
        }
        Kind::RemovedModifier => {
            for (start, line) in lines(text) {
                let trimmed = line.trim_start();
                let is_modifier = ["retry ", "timeout ", "undo ", "on "].iter().any(|word| trimmed.starts_with(word));
                if is_modifier && line.starts_with("  ") && !trimmed.trim_end().ends_with('{') {
                    edits.push((start, start + line.len(), String::new()));
                }
                for option in [" key ", ", at most ", ", parallel ", ", stop at first failure"] {
                    if let Some(at) = line.find(option) {
                        let end = line[at + 1..].find(['{', ',']).map_or(line.trim_end().len(), |end| at + 1 + end);
                        edits.push((start + at, start + end, " ".to_string()));
                    }
                }
            }
        }
    }
    edits
}

fn lines(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            at += line.len();
            (at - line.len(), line)
        })
        .collect()
}

struct Token {
    start: usize,
    end: usize,
    is_name: bool,
}

/// Words, numbers, texts and signs outside of comments.
fn tokens(text: &str) -> Vec<Token> {
    const WORDS: &[&str] = &[
        "use",
        "const",
        "enum",
        "record",
        "entity",
        "error",
        "fn",
        "task",
        "flow",
        "rules",
        "rule",
        "policy",
        "test",
        "let",
        "var",
        "if",
        "else",
        "match",
        "for",
        "in",
        "return",
        "step",
        "give",
        "fail",
        "stop",
        "run",
        "start",
        "expect",
        "and",
        "or",
        "not",
        "is",
        "some",
        "none",
        "true",
        "false",
        "then",
        "key",
        "unique",
        "index",
        "first",
        "any",
        "collect",
        "sum",
        "min",
        "max",
        "on",
        "undo",
        "retry",
        "timeout",
        "times",
        "from",
        "doubling",
        "up",
        "to",
        "go",
        "given",
        "stub",
        "answer",
        "advance",
        "when",
        "otherwise",
        "as",
        "fails",
        "failed",
        "it",
        "transient",
        "parallel",
    ];
    let mut tokens = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if c == '"' {
            at += 1;
            while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at = (at + 1).min(text.len());
            while !text.is_char_boundary(at) {
                at += 1;
            }
        } else if c.is_alphanumeric() || c == '_' {
            at += rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        } else {
            at += ["<=", ">=", "==", "!=", "=>", "??", "?.", ".."]
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map_or(c.len_utf8(), |sign| sign.len());
        }
        if !c.is_whitespace() {
            let word = &text[start..at];
            let is_name = (c.is_alphabetic() || c == '_') && !WORDS.contains(&word);
            tokens.push(Token { start, end: at, is_name });
        }
    }
    tokens
}

/// A generator of chances (splitmix64), the same everywhere.
pub struct Chance(pub u64);

impl Chance {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound; 0 when the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.next().checked_rem(bound as u64).unwrap_or(0) as usize
    }

    /// One of some things.
    pub fn one_of<'t, T>(&mut self, things: &'t [T]) -> Option<&'t T> {
        things.get(self.below(things.len()))
    }
}
