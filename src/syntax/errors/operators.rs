//! Signs of other languages, and signs in the wrong place.

use super::Broken;
use super::tokens::TokenKind;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::Rule;

/// Operators of other languages with what they are here.
const OPERATORS: &[(&str, &str)] = &[
    ("&&", "and"),
    ("&", "and"),
    ("||", "or"),
    ("!", "not "),
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("=<", "<="),
    (":=", "="),
    ("::", "."),
    ("~", "not "),
];

/// A mistake in the choice or the place of a sign.
pub fn mistake(broken: &Broken) -> Option<Finding> {
    assignment(broken)
        .or_else(|| foreign_operator(broken))
        .or_else(|| missing_type(broken))
        .or_else(|| equals(broken))
        .or_else(|| arrow(broken))
        .or_else(|| is_something(broken))
        .or_else(|| not_in(broken))
        .or_else(|| ternary(broken))
        .or_else(|| record_braces(broken))
        .or_else(|| blank_before_parenthesis(broken))
        .or_else(|| colon_at_end(broken))
}

/// `x += 1`, `x.field = 1`.
fn assignment(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0)?;
    let target = broken.line.get(..sign.start)?.trim_end();
    let value = broken.line.get(sign.end()..)?.trim();
    if let ("+=" | "-=" | "*=" | "/=", Some(operator)) = (sign.text, sign.text.get(..1)) {
        let span = broken.span_of(&sign);
        let finding = Finding::new(&codes::OPERATOR, span, format!("there is no operator `{}`", sign.text))
            .at("not an operator here");
        let whole = broken.span(0, broken.line.len());
        return Some(if broken.at == 1 && !value.is_empty() {
            let right = format!("{target} = {target} {operator} {value}");
            finding.help(format!("write `{right}`")).fix(whole, right)
        } else {
            finding.help("write the operation out, as in `x = x + 1`")
        });
    }
    if matches!(sign.text, "++" | "--") && broken.at == 1 {
        let operator = &sign.text[..1];
        let right = format!("{target} = {target} {operator} 1");
        let span = broken.span_of(&sign);
        return Some(
            Finding::new(&codes::OPERATOR, span, format!("there is no operator `{}`", sign.text))
                .at("not an operator here")
                .help(format!("write `{right}`")),
        );
    }
    let is_path = broken
        .tokens
        .iter()
        .take(broken.at)
        .enumerate()
        .all(|(index, token)| if index % 2 == 0 { token.kind == TokenKind::Word } else { token.text == "." });
    if sign.text == "=" && broken.rule == Rule::expression_line && broken.at >= 3 && is_path {
        let (record, field) = target.rsplit_once('.')?;
        return Some(
            Finding::new(&codes::OPERATOR, broken.span_of(&sign), "a field is not set by `=`")
                .at("sets nothing")
                .note("records do not change under the hands of others; changes go through the store")
                .help(format!("write `{record}.update({field}: {value})`")),
        );
    }
    None
}

fn foreign_operator(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0)?;
    if matches!(sign.text, "**" | "^") {
        return Some(
            Finding::new(&codes::OPERATOR, broken.span_of(&sign), format!("there is no operator `{}`", sign.text))
                .at("not an operator here")
                .help("multiply, as in `x * x`"),
        );
    }
    let (_, right) = OPERATORS.iter().find(|(foreign, _)| *foreign == sign.text)?;
    let span = broken.span_of(&sign);
    Some(
        Finding::new(&codes::OPERATOR, span, format!("`{}` is written `{}`", sign.text, right.trim()))
            .at("not an operator here")
            .help(format!("write `{}`", right.trim()))
            .fix(span, *right),
    )
}

/// `let x: = 1`.
fn missing_type(broken: &Broken) -> Option<Finding> {
    let (colon, equals) = (broken.token(-1)?, broken.token(0)?);
    if colon.text != ":" || equals.text != "=" {
        return None;
    }
    let finding = Finding::new(&codes::UNEXPECTED, broken.span_of(&colon), "a type is expected between `:` and `=`")
        .at("no type after this")
        .help("write the type, or take the `:` away: the type is found from the value");
    let may_be_left_out = matches!(broken.rule, Rule::let_line | Rule::step_line | Rule::const_line);
    Some(if may_be_left_out { finding.fix(broken.span_of(&colon), "") } else { finding })
}

/// `=` where `==` or `:` is meant.
fn equals(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0).filter(|token| token.text == "=")?;
    let span = broken.span_of(&sign);
    if broken.rule == Rule::cell_line && broken.at == 0 {
        return Some(
            Finding::new(&codes::OPERATOR, span, "a cell that asks for a value holds the value alone")
                .at("not needed")
                .help("take the `=` away")
                .fix(span, ""),
        );
    }
    let (name, before) = (broken.token(-1)?, broken.word(-2));
    if name.kind == TokenKind::Word && matches!(before, "(" | ",") && in_call(broken) {
        let place = broken.span(name.end(), sign.end());
        return Some(
            Finding::new(&codes::OPERATOR, span, "a named argument is written with `:`")
                .at("`:` is expected")
                .help(format!("write `{}: …`", name.text))
                .fix(place, ":"),
        );
    }
    let compares = matches!(
        broken.rule,
        Rule::if_line
            | Rule::expect_line
            | Rule::expression_line
            | Rule::let_line
            | Rule::return_line
            | Rule::give_line
            | Rule::match_line
            | Rule::reaction_line
            | Rule::on_line
            | Rule::clause_line
            | Rule::given_line
            | Rule::condition_line
            | Rule::cell_line
            | Rule::outcome_line
            | Rule::column_line
            | Rule::template_if
            | Rule::const_line
            | Rule::assign_line
            | Rule::step_line
    );
    let value_before =
        matches!(name.kind, TokenKind::Word | TokenKind::Number | TokenKind::Text) || matches!(name.text, ")" | "]");
    let let_without_value = matches!(broken.rule, Rule::let_line | Rule::step_line | Rule::const_line) && broken.at < 3;
    (compares && value_before && !let_without_value).then(|| {
        Finding::new(&codes::OPERATOR, span, "`=` names a value; two values are compared with `==`")
            .at("`==` is expected")
            .help("write `==`")
            .fix(span, "==")
    })
}

/// Whether the innermost open bracket before the broken token is a parenthesis behind a name.
fn in_call(broken: &Broken) -> bool {
    let mut open = Vec::new();
    for (index, token) in broken.tokens.iter().take(broken.at).enumerate() {
        match token.text {
            "(" => open.push(index > 0 && broken.tokens[index - 1].kind == TokenKind::Word),
            "[" | "{" => open.push(false),
            ")" | "]" | "}" => drop(open.pop()),
            _ => {}
        }
    }
    open.last().copied().unwrap_or(false)
}

/// `=>` for `>=`, `->` for `=>`.
fn arrow(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0)?;
    let span = broken.span_of(&sign);
    let conditions = matches!(broken.rule, Rule::if_line | Rule::expect_line | Rule::cell_line | Rule::condition_line);
    let right = match sign.text {
        "=>" if conditions => ">=",
        "->" if in_call(broken) || broken.rule == Rule::arm_head => "=>",
        "=>" if matches!(broken.rule, Rule::callable_line | Rule::flow_line | Rule::rules_line) => "->",
        _ => return None,
    };
    Some(
        Finding::new(&codes::OPERATOR, span, format!("`{right}` is meant here, and `{}` is written", sign.text))
            .at(format!("`{right}` is expected"))
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// `x is not none`, `x is null`, `x is 3`.
fn is_something(broken: &Broken) -> Option<Finding> {
    let (is, found) = (broken.token(-1)?, broken.token(0)?);
    if is.text != "is" {
        return None;
    }
    let second = broken.token(1);
    let (last, right) = match (found.text, second.map(|token| token.text)) {
        ("not", Some("none" | "null" | "nil")) => (second?, Some("is some")),
        ("not", Some("some")) => (second?, Some("is none")),
        ("null" | "nil" | "undefined" | "empty", _) => (found, Some("is none")),
        ("not", _) => (found, None),
        _ => (found, None),
    };
    let span = broken.span(is.start, last.end());
    let finding = Finding::new(&codes::OPERATOR, span, "`is` asks for `some` or `none`");
    Some(match right {
        Some(right) => finding.at("written another way").help(format!("write `{right}`")).fix(span, right),
        None => finding.at("not followed by either").help("to compare two values write `==` or `!=`"),
    })
}

/// `a not in b`.
fn not_in(broken: &Broken) -> Option<Finding> {
    let (not, within) = (broken.token(0)?, broken.token(1)?);
    (not.text == "not" && within.text == "in").then(|| {
        Finding::new(&codes::OPERATOR, broken.span(not.start, within.end()), "`not` stands before the whole comparison")
            .at("between the two sides")
            .help("write `not (a in b)`")
    })
}

/// `a ? b : c`.
fn ternary(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0).filter(|token| token.text == "?")?;
    let colon = broken.tokens.iter().skip(broken.at).any(|token| token.text == ":");
    colon.then(|| {
        Finding::new(&codes::OPERATOR, broken.span_of(&sign), "a choice between two values is written in words")
            .at("not an operator here")
            .help("write `if condition then a else b`")
    })
}

/// `OrderRow { a: 1 }` within brackets.
fn record_braces(broken: &Broken) -> Option<Finding> {
    let (name, brace) = (broken.token(-1)?, broken.token(0)?);
    if brace.text != "{" || name.kind != TokenKind::Word || !name.text.starts_with(char::is_uppercase) {
        return None;
    }
    Some(
        Finding::new(&codes::BLOCK, broken.span_of(&brace), "a record is built by a call, not in braces")
            .at(format!("`(` is expected after `{}`", name.text))
            .help(format!("write `{}(…)` with the same names and values", name.text)),
    )
}

/// `f (x)`.
fn blank_before_parenthesis(broken: &Broken) -> Option<Finding> {
    let (name, open) = (broken.token(-1)?, broken.token(0)?);
    let apart = name.end() < open.start && matches!(open.text, "(" | "[");
    if !apart || name.kind != TokenKind::Word || broken.at == 1 && broken.rule != Rule::expression_line {
        return None;
    }
    let gap = broken.span(name.end(), open.start);
    Some(
        Finding::new(
            &codes::UNEXPECTED,
            broken.span_of(&open),
            format!("`{}` follows the name without a blank", open.text),
        )
        .at("a blank before this")
        .help(format!("write `{}{}`", name.text, open.text))
        .fix(gap, ""),
    )
}

/// `if x:`.
fn colon_at_end(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0).filter(|token| token.text == ":" && broken.at + 1 == broken.tokens.len())?;
    let first = broken.tokens.first()?;
    let takes_block = matches!(
        first.text,
        "if" | "else"
            | "for"
            | "match"
            | "flow"
            | "task"
            | "fn"
            | "test"
            | "step"
            | "parallel"
            | "on"
            | "every"
            | "rule"
            | "rules"
            | "policy"
            | "record"
            | "entity"
            | "enum"
            | "undo"
    );
    takes_block.then(|| {
        let span = broken.span_of(&sign);
        let finding = Finding::new(&codes::BLOCK, span, "a block stands in braces").at("`{` is expected");
        if broken.opens {
            finding.help("take the `:` away").fix(span, "")
        } else {
            finding.help("open the block with ` {` here and close it with `}` on a line of its own")
        }
    })
}
