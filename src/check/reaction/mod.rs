//! Reactive rules: what makes them fire, what they do, and what can be proved of a set of them: that they come to an
//! [end](ending), that their [order](order) does not matter, that each can fire and does what it may.

mod ending;
mod graph;
mod guard;
mod hold;
mod order;
mod site;
#[cfg(test)]
mod tests;
mod watch;

pub use watch::watched;

use super::program::Program;
use crate::finding::Finding;
use graph::Graph;

/// What is wrong with the rules of a program that has no errors.
pub fn check(program: &Program) -> Vec<Finding> {
    if program.reactions.is_empty() {
        return Vec::new();
    }
    let mut findings = hold::findings(program);
    if findings.iter().any(Finding::is_error) {
        return findings;
    }
    let graph = Graph::of(program);
    findings.extend(hold::doubtful(&graph));
    if findings.iter().any(Finding::is_error) {
        // What would be said of the others together may only follow from that.
        return findings;
    }
    findings.extend(ending::findings(&graph));
    findings.extend(order::findings(&graph));
    findings
}
