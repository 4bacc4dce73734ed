//! Which flows of a script others run, told by their text alone: whether they do it rightly is said where they are checked.

use super::modules::stem;
use crate::syntax::tree::{ItemKind, UseTarget};
use crate::text::SourceId;

/// Whether a text runs or starts the flow of a script outside of its tests, which may do as they like. `is_script` says
/// whether a path in the text is that of the script.
pub fn runs_flow_of(text: &str, script: &str, flow: &str, is_script: &dyn Fn(&str) -> bool) -> bool {
    let name = format!("{}.{flow}", stem(script));
    // Most scripts have nothing to do with it, and need not be read.
    if !text.contains(&name) {
        return false;
    }
    let (tree, _) = crate::syntax::parse(SourceId(0), text);
    let uses = tree.items.iter().any(|item| match &item.kind {
        ItemKind::Use(line) => matches!(&line.target, UseTarget::File { path, .. } if is_script(path)),
        _ => false,
    });
    let mut acting = tree.items.iter().filter(|item| {
        matches!(item.kind, ItemKind::Flow(_) | ItemKind::Trigger(_) | ItemKind::Reaction(_) | ItemKind::Callable(_))
    });
    uses && acting.any(|item| text.get(item.span.range()).is_some_and(|body| has_run_of(body, &name)))
}

/// Whether `run name(` or `start name(` stands in a text, but for lines that are comments.
fn has_run_of(body: &str, name: &str) -> bool {
    body.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (line.get(..at).unwrap_or_default(), line.get(at + name.len()..).unwrap_or_default());
            let word = before.trim_end().rsplit(|c: char| !c.is_alphanumeric() && c != '_').next();
            before.ends_with(' ') && matches!(word, Some("run" | "start")) && after.trim_start().starts_with('(')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_outside_of_tests_counts() {
        let runs = |body: &str| {
            let text = format!("use \"lib/payments.rpa\"\n\n{body}\n");
            runs_flow_of(&text, "lib/payments.rpa", "pay_out", &|path| path == "lib/payments.rpa")
        };
        for body in [
            "flow refund(amount: money EUR) {\n  if amount > 1 EUR {\n    run payments.pay_out(amount)\n  }\n}",
            "flow refund(amount: money EUR) {\n  step paid = run payments.pay_out(amount)\n}",
            "every day at 06:00 in \"UTC\" { start payments.pay_out(1 EUR) }",
        ] {
            assert!(runs(body), "{body}");
        }
        for body in [
            "test \"it pays\" {\n  run payments.pay_out(1 EUR)\n}",
            "flow refund(amount: money EUR) {\n  // run payments.pay_out(amount)\n  run payments.pay_out_later(amount)\n}",
            "flow refund(amount: money EUR) {\n  step paid { payments.pay_out(amount) }\n}",
        ] {
            assert!(!runs(body), "{body}");
        }
        assert!(!super::runs_flow_of("flow f() {\n  run payments.pay_out()\n}\n", "payments.rpa", "pay_out", &|_| {
            true
        }));
    }
}
