//! Secrets that are written in a script: known by the name of what they are given to, or by their shape.

use crate::check::Checker;
use crate::check::program::{BodyParts, Default, Expr, ExprKind, Program, StatementKind, TextPart};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::Value;

impl Checker<'_> {
    /// Reports passwords, keys and tokens in the texts of a script.
    pub(crate) fn check_literals(&mut self) {
        let mut found: Vec<(Span, Option<String>, &'static str)> = Vec::new();
        let program = &self.program;
        for constant in &program.constants {
            named(&constant.name, &constant.value, &mut found);
        }
        for record in &program.records {
            for field in &record.fields {
                if let Some(Default::Value(value)) = &field.default {
                    named(&field.name, value, &mut found);
                }
            }
        }
        let parameters = program.callables.iter().map(|of| &of.parameters);
        let parameters = parameters.chain(program.tables.iter().map(|of| &of.parameters));
        for parameter in parameters.chain(program.flows.iter().map(|of| &of.parameters)).flatten() {
            if let Some(value) = &parameter.default {
                named(&parameter.name, value, &mut found);
            }
        }
        for body in program.bodies() {
            in_body(program, &body, &mut found);
        }
        for (span, name, what) in found {
            if self.program.sources.get(span.source).is_none_or(|source| source.is_library) {
                continue;
            }
            let message = match &name {
                Some(name) => format!("`{name}` is a secret, and its value stands in the script"),
                None => format!("this looks like {what}, and stands in the script"),
            };
            let finding = Finding::new(&catalogue::secret::LITERAL, span, message)
                .at("everybody who sees the script sees it")
                .note("a secret in a script is in every copy of the repository, for ever, even after it is removed")
                .help(
                    "make it invalid where it was made, keep the new one out of the project, and take it as a parameter or field declared `secret text`",
                );
            self.report(finding);
        }
    }
}

type Found = Vec<(Span, Option<String>, &'static str)>;

fn in_body(program: &Program, body: &BodyParts<'_>, found: &mut Found) {
    body.each_statement(&mut |statement| {
        if let StatementKind::Set { local, value } = &statement.kind
            && let Some(local) = body.locals.get(local.index())
        {
            named(&local.name, value, found);
        }
    });
    body.each_expression(&mut |expr| expr.walk(&mut |inner| in_expression(program, body, inner, found)));
}

fn in_expression(program: &Program, body: &BodyParts<'_>, expr: &Expr, found: &mut Found) {
    match &expr.kind {
        ExprKind::Value(Value::Text(text)) => shaped(text, expr.span, found),
        ExprKind::Text(parts) => {
            for part in parts {
                if let TextPart::Characters(text) = part {
                    shaped(text, expr.span, found);
                }
            }
        }
        ExprKind::Record(id, fields) => {
            let names = program.records.get(id.0 as usize).map(|record| &record.fields);
            for (field, value) in names.into_iter().flatten().zip(fields) {
                named(&field.name, value, found);
            }
        }
        ExprKind::Create(id, fields) => {
            let names = program.records.get(id.0 as usize).map(|record| &record.fields);
            for (field, value) in names.into_iter().flatten().zip(fields) {
                if let Some(value) = value {
                    named(&field.name, value, found);
                }
            }
        }
        ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
            for (index, value) in changes {
                if let Some(name) = field_name(program, target, *index) {
                    named(name, value, found);
                }
            }
        }
        ExprKind::Call(id, arguments) => {
            let parameters = program.callables.get(id.index()).map(|of| &of.parameters);
            for (parameter, value) in parameters.into_iter().flatten().zip(arguments) {
                named(&parameter.name, value, found);
            }
        }
        ExprKind::Run(id, arguments) | ExprKind::Start(id, arguments) => {
            let parameters = program.flows.get(id.index()).map(|of| &of.parameters);
            for (parameter, value) in parameters.into_iter().flatten().zip(arguments) {
                named(&parameter.name, value, found);
            }
        }
        ExprKind::Binary(BinaryOperator::Equal | BinaryOperator::NotEqual, left, right) => {
            for (name, value) in [(left, right), (right, left)] {
                let name = match &name.kind {
                    ExprKind::Local(local) => body.locals.get(local.index()).map(|local| local.name.as_str()),
                    ExprKind::Field(target, index) => field_name(program, target, *index),
                    _ => None,
                };
                if let Some(name) = name {
                    named(name, value, found);
                }
            }
        }
        _ => {}
    }
}

fn field_name<'p>(program: &'p Program, target: &Expr, index: usize) -> Option<&'p str> {
    use crate::check::program::Type;
    let (Type::Record(id) | Type::Reference(id)) = target.ty.present() else { return None };
    program.records.get(id.0 as usize)?.fields.get(index).map(|field| field.name.as_str())
}

/// A text that is given to something whose name says that it is secret.
fn named(name: &str, value: &Expr, found: &mut Found) {
    let ExprKind::Value(Value::Text(text)) = &value.kind else { return };
    let is_secret = match kind_of_name(name) {
        Some(Kind::Password) => !is_placeholder(text, name),
        Some(Kind::Key) => {
            !is_placeholder(text, name) && (text.len() >= 16 || text.bytes().any(|byte| byte.is_ascii_digit()))
        }
        None => false,
    };
    if is_secret {
        found.push((value.span, Some(name.to_string()), ""));
    }
}

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something that people think of: it may be any word.
    Password,
    /// Something that machines make: it has digits or is long.
    Key,
}

fn kind_of_name(name: &str) -> Option<Kind> {
    if ["密码", "口令"].iter().any(|word| name.ends_with(word)) {
        return Some(Kind::Password);
    }
    if ["令牌", "密钥", "私钥"].iter().any(|word| name.ends_with(word)) {
        return Some(Kind::Key);
    }
    let words = words_of(name);
    let last = words.last().map(String::as_str)?;
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map(String::as_str);
    match (before, last) {
        (_, "password" | "passwd" | "pwd" | "passphrase" | "passwort" | "kennwort") => Some(Kind::Password),
        (_, "secret" | "token" | "apikey" | "credential" | "credentials")
        | (Some("api" | "access" | "private" | "secret" | "signing" | "encryption"), "key") => Some(Kind::Key),
        _ => None,
    }
}

/// The words of `api_key`, `apiKey`, `APIKey`, in small letters.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let starts = letter.is_uppercase()
            && (at > 0 && letters.get(at - 1).is_some_and(|before| before.is_lowercase())
                || letters.get(at + 1).is_some_and(|after| after.is_lowercase()));
        if *letter == '_' || starts {
            words.push(String::new());
        }
        if *letter != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a text stands for a secret without being one: empty, a word for it, a sentence, a row of the same letter.
fn is_placeholder(text: &str, name: &str) -> bool {
    let lower = text.to_lowercase();
    let first = text.chars().next();
    text.chars().count() < 4
        || text.contains(char::is_whitespace)
        || text.starts_with(['<', '$', '%'])
        || text.chars().all(|letter| Some(letter) == first)
        || lower.replace(['-', '_'], "") == name.to_lowercase().replace('_', "")
        || matches!(
            lower.as_str(),
            "password"
                | "passwort"
                | "secret"
                | "token"
                | "apikey"
                | "example"
                | "changeme"
                | "none"
                | "null"
                | "todo"
                | "unknown"
        )
}

/// The beginnings by which keys of well-known services are told.
const SHAPES: &[(&str, usize, &str)] = &[
    ("-----BEGIN PRIVATE KEY", 0, "a private key"),
    ("-----BEGIN RSA PRIVATE KEY", 0, "a private key"),
    ("-----BEGIN EC PRIVATE KEY", 0, "a private key"),
    ("-----BEGIN OPENSSH PRIVATE KEY", 0, "a private key"),
    ("AKIA", 20, "an access key of AWS"),
    ("ASIA", 20, "an access key of AWS"),
    ("ghp_", 36, "a token of GitHub"),
    ("gho_", 36, "a token of GitHub"),
    ("ghs_", 36, "a token of GitHub"),
    ("github_pat_", 40, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 20, "a token of Slack"),
    ("xoxp-", 20, "a token of Slack"),
    ("sk_live_", 20, "a key of Stripe"),
    ("rk_live_", 20, "a key of Stripe"),
    ("AIza", 35, "a key of Google"),
    ("SG.", 50, "a key of SendGrid"),
    ("sk-", 40, "a key of an AI service"),
    ("eyJ", 60, "a signed token (JWT)"),
];

/// A text that has the shape of a secret, whatever it is given to.
fn shaped(text: &str, span: Span, found: &mut Found) {
    for word in text.split_whitespace().filter(|word| word.len() >= 20).chain([text]) {
        let known = SHAPES
            .iter()
            .find(|(start, least, _)| word.starts_with(start) && word.len() >= (*least).max(start.len()))
            .map(|(_, _, what)| *what);
        if let Some(what) = known.or_else(|| looks_random(word).then_some("a key or token")) {
            found.push((span, None, what));
            return;
        }
    }
}

/// Whether a text is most likely made by chance: long, of small and capital letters and digits without order.
fn looks_random(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    let has = |test: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| test(byte)).count() >= 4;
    (32..=512).contains(&text.len())
        && text.bytes().all(is_plain)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && entropy(text) >= 4.2
        && changes(text) * 10 >= text.len() * 3
}

/// How often small letters, capital letters, digits and signs follow each other; words written together do so seldom.
fn changes(text: &str) -> usize {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    text.as_bytes().windows(2).filter(|pair| matches!(pair, [a, b] if kind(*a) != kind(*b))).count()
}

/// Shannon's entropy of a text, in bits a byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0usize; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = text.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / length);
    shares.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_secret() {
        for name in [
            "password",
            "smtp_password",
            "dbPassword",
            "api_key",
            "APIKey",
            "shop_token",
            "client_secret",
            "数据库密码",
            "令牌",
        ] {
            assert!(kind_of_name(name).is_some(), "{name}");
        }
        for name in
            ["password_env", "token_count", "key", "sort_key", "order", "secretary", "tokens", "reset_password_url"]
        {
            assert_eq!(kind_of_name(name), None, "{name}");
        }
    }

    #[test]
    fn placeholders_are_no_secrets() {
        for text in ["", "password", "xxxxxxxx", "your password here", "<token>", "api-key", "***"] {
            assert!(is_placeholder(text, "api_key"), "{text}");
        }
        assert!(!is_placeholder("hunter2", "password"));
    }

    #[test]
    fn random_texts_are_told_from_words_and_paths() {
        assert!(looks_random("q7Rz2LmV9xKp4TbN8wYc3HdJ6sFg5AeU"));
        for text in [
            "reports/2026/customers_by_region_and_month.csv",
            "0123456789abcdef0123456789abcdef01234567",
            "OrderConfirmationForReturningCustomers2026",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(!looks_random(text), "{text}");
        }
    }
}
