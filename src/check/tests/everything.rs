//! A script with every construct, and the files beside it.

use super::{Memory, checked, findings};

const SCRIPT: &str = include_str!("everything.rpa");

fn files() -> Memory {
    Memory::new()
        .with(
            "prices.rpa",
            "const base = 10 EUR\n\nenum Kind { lamp, desk }\n\n/// The price of a thing.\nfn of(name: text) -> money EUR = if name == \"lamp\" then base else base * 2\n",
        )
        .with("box.txt", "{box.name}: {grade}\n{for note in notes}\n- {note}\n{end}\n{if box.due is some}\ndue {box.due}\n{end}\n")
}

#[test]
fn has_no_findings() {
    assert_eq!(findings(SCRIPT, &files()), "");
}

#[test]
fn becomes_a_program() {
    let program = checked(SCRIPT, &files()).program.expect("a program");
    let own = |source: crate::text::SourceId| program.sources.get(source).is_some_and(|source| !source.is_library);
    assert_eq!(program.flows.iter().filter(|flow| own(flow.span.source)).count(), 2);
    assert_eq!((program.policies.len(), program.triggers.len(), program.reactions.len()), (1, 5, 1));
}
