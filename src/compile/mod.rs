//! From program to code: registers instead of names, jumps instead of blocks, indexes instead of rows,
//! query plans instead of method chains. Spans are kept beside the instructions.

pub mod arithmetic;
mod body;
pub mod code;
mod expression;
pub mod flow;
mod flow_lowering;
pub mod instruction;
mod list;
mod mentions;
pub mod names;
mod prefetch;
pub mod query;
mod query_lowering;
pub mod reaction;
mod statement;
pub mod table;
mod table_lowering;
mod template;
pub mod trigger;

use crate::check::program::{Callable, Constant, Program};
use crate::text::Sources;
use body::{Body, Compiler};
use code::Code;
use names::Names;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Makes the code of a program.
///
/// Never fails: what is beyond a limit of the machine fails when it is executed. The tests of the program have no
/// code yet.
pub fn compile(program: &Program) -> Code {
    let mut compiler = Compiler::new(program);
    compiler.code = Code {
        sources: program.sources.clone(),
        enums: program.enums.clone(),
        records: program.records.clone(),
        errors: program.errors.clone(),
        kept_by_callers: program.kept_by_callers.iter().map(|(flow, policy)| (flow.index(), policy.clone())).collect(),
        names: Names::new(&program.enums, &program.records, &program.errors),
        private_subjects: program.private.clone(),
        version: version(&program.sources).into(),
        ..Code::default()
    };
    // Whatever can be called gets its place first, so that the order of declarations does not matter.
    for _ in &program.callables {
        let chunk = compiler.reserve();
        compiler.code.callables.push(chunk);
    }
    for _ in &program.templates {
        let chunk = compiler.reserve();
        compiler.templates.push(chunk);
    }
    for table in &program.tables {
        compiler.declare_table(table);
    }
    for constant in &program.constants {
        compiler.declare_constant(constant);
    }
    for (index, callable) in program.callables.iter().enumerate() {
        compiler.callable(index, callable);
    }
    for (index, template) in program.templates.iter().enumerate() {
        compiler.template(index, template);
    }
    for (index, table) in program.tables.iter().enumerate() {
        compiler.table(index, table);
    }
    for flow in &program.flows {
        let flow = compiler.flow(flow);
        compiler.code.flows.push(flow);
    }
    compiler.reactions();
    for trigger in &program.triggers {
        let trigger = compiler.trigger(trigger);
        compiler.code.triggers.push(trigger);
    }
    compiler.code
}

impl Compiler<'_> {
    /// Folds a constant, or makes a chunk that computes it when it is wanted first.
    fn declare_constant(&mut self, constant: &Constant) {
        let mut body = Body::new(self, format_name("const", &constant.name), 0, 0, constant.span);
        let value = body.operand(&constant.value);
        if let Some(value) = body.known(value).cloned() {
            self.constants.push(Some(value));
            self.code.globals.push(None);
            return;
        }
        let value = body.operand(&constant.value);
        body.emit(instruction::Instruction::Return { value });
        let chunk = body.add();
        self.constants.push(None);
        self.code.globals.push(Some(chunk));
    }

    fn callable(&mut self, index: usize, callable: &Callable) {
        let Some(place) = self.code.callables.get(index).copied() else { return };
        let word = if callable.is_task { "task" } else { "fn" };
        let name = format_name(word, &callable.name);
        let mut body = Body::new(self, name, callable.parameters.len(), callable.locals.len(), callable.span);
        body.block(&callable.body);
        body.emit(instruction::Instruction::ReturnNothing);
        body.add_at(place);
    }
}

fn format_name(word: &str, name: &str) -> String {
    format!("{word} {name}")
}

/// SHA-256 over the texts of all sources in their order, in hexadecimal.
fn version(sources: &Sources) -> String {
    let mut hash = Sha256::new();
    for (_, source) in sources.iter() {
        hash.update((source.text.len() as u64).to_le_bytes());
        hash.update(source.text.as_bytes());
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
