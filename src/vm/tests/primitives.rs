//! Every example of the table of primitives is true.

use super::support::outcome;
use crate::library::PRIMITIVES;

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for primitive in PRIMITIVES.iter().filter(|primitive| !primitive.example.0.is_empty()) {
        // JSON is done by the task executor.
        if primitive.signature.starts_with("json.") {
            continue;
        }
        let (example, expected) = primitive.example;
        // In a list, texts are shown in quotes, as the table writes them.
        let script = format!("fn f() -> text {{\n  let shown = [{example}]\n  return \"{{shown}}\"\n}}\n");
        let shown = outcome(&script);
        if shown != format!("[{expected}]") {
            wrong.push(format!("{example} is {shown}, and not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
