//! Trees as short text, made of their `Debug` form: places left out, wrappers that say nothing taken off.

use std::fmt::Debug;

/// The tree without places; equal for equal trees.
pub fn shape(tree: &impl Debug) -> String {
    without_spans(&format!("{tree:?}"))
}

fn without_spans(debug: &str) -> String {
    let mut out = String::new();
    let mut rest = debug;
    while let Some(at) = rest.find("Span { source: SourceId(") {
        out.push_str(&rest[..at]);
        out.push('_');
        rest = &rest[at..];
        rest = &rest[rest.find('}').unwrap() + 1..];
    }
    out.push_str(rest);
    out
}

/// The tree in a form that people can read.
pub fn short(tree: &impl Debug) -> String {
    let mut text = shape(tree);
    for (long, short) in [
        (", span: _", ""),
        (", operator_span: _", ""),
        (", body_span: _", ""),
        (", documentation: \"\"", ""),
        ("documentation: \"\", ", ""),
    ] {
        text = text.replace(long, short);
    }
    // `Name { text: "x" }`, `Expr { kind: X }` and the like say what they hold.
    for wrapper in [
        "Name { text: ",
        "Expr { kind: ",
        "TypeExpr { kind: ",
        "Statement { kind: ",
        "Item { kind: ",
        "Column { kind: ",
        "TableCell { cell: ",
        "Block { statements: ",
        "Characters(",
    ] {
        text = unwrapped(&text, wrapper);
    }
    text
}

fn unwrapped(text: &str, wrapper: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(wrapper) {
        // Longer names end like shorter ones: `TypeExpr {` holds `Expr {`.
        let inside_word = rest[..at].ends_with(|c: char| c.is_alphanumeric());
        out.push_str(&rest[..at]);
        if inside_word {
            out.push_str(wrapper);
            rest = &rest[at + wrapper.len()..];
            continue;
        }
        let body = &rest[at + wrapper.len()..];
        let (end, length) = closing(body);
        out.push_str(&unwrapped(&body[..end], wrapper));
        rest = &body[end + length..];
    }
    out.push_str(rest);
    out
}

/// Where the bracket that is open at the beginning closes, and how long its closing is.
fn closing(body: &str) -> (usize, usize) {
    let (mut open, mut in_text, mut escaped) = (0, false, false);
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '{' | '(' | '[' => open += 1,
            '}' | ')' | ']' if open == 0 => {
                let blank = body[..at].ends_with(' ');
                return (at - usize::from(blank), 1 + usize::from(blank));
            }
            '}' | ')' | ']' => open -= 1,
            _ => {}
        }
    }
    (body.len(), 0)
}
