//! `pii` and `secret` at another place than before the type.

use super::Broken;
use super::tokens::{Token, TokenKind};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;

/// A mistake with a label, if it is one: `pii phone: text`, `phone: text pii`.
pub(super) fn mistake(broken: &Broken) -> Option<Finding> {
    let is_label = |token: &Token| matches!(token.text, "pii" | "secret");
    let (before, token) = (broken.token(-1)?, broken.token(0)?);
    let (label, written) = if is_label(&before) && token.kind == TokenKind::Word && broken.word(1) == ":" {
        (before, format!("{}: {} {}", token.text, before.text, broken.word(2)))
    } else if is_label(&token) && before.kind == TokenKind::Word && broken.word(-2) == ":" {
        (token, format!("{}: {} {}", broken.word(-3), token.text, before.text))
    } else {
        return None;
    };
    let message = format!("`{}` stands before the type", label.text);
    Some(
        Finding::new(&codes::UNEXPECTED, broken.span_of(&label), message)
            .at("not here")
            .help(format!("write `{}`", written.trim_end())),
    )
}
