//! The one-page script of the language's description.

use super::{Memory, checked, findings};

const SCRIPT: &str = include_str!("one_page.rpa");

fn files() -> Memory {
    Memory::new().with("confirmation.txt", "Order {order.order_id}, invoice {invoice.number}\n")
}

#[test]
fn has_no_findings() {
    assert_eq!(findings(SCRIPT, &files()), "");
}

#[test]
fn becomes_a_program() {
    let program = checked(SCRIPT, &files()).program.expect("a program");
    assert!(program.flows.iter().any(|flow| flow.name == "process_order"));
}
