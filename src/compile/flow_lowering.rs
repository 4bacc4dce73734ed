//! Flows to the list of instructions that the flow engine does.

use super::body::Compiler;
use super::flow::FlowCode;
use crate::check::program::Flow;

impl Compiler<'_> {
    /// Makes the code of a flow.
    pub fn flow(&mut self, flow: &Flow) -> FlowCode {
        FlowCode {
            name: flow.name.clone(),
            parameters: Vec::new(),
            parameter_types: Vec::new(),
            parameter_defaults: Vec::new(),
            result: flow.result.clone(),
            frame: 0,
            key: None,
            at_most: None,
            priority: None,
            deadline: None,
            instructions: Vec::new(),
            spans: Vec::new(),
            steps: Vec::new(),
            effect: flow.effect,
            span: flow.span,
        }
    }
}
