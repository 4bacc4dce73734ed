//! Every example of the table of primitives is true.

use super::support::outcome;
use crate::library::PRIMITIVES;

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for primitive in PRIMITIVES.iter().filter(|primitive| !primitive.example.0.is_empty()) {
        // JSON is done by the task executor.
        // And a duration of several units has no literal.
        if primitive.signature.starts_with("json.") || primitive.example.1.contains("hour ") {
            continue;
        }
        let (example, expected) = primitive.example;
        let outcome = outcome(&format!("fn f() -> bool = {example} == {expected}\n"));
        if outcome != "true" {
            wrong.push(format!("{example} == {expected} is {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
