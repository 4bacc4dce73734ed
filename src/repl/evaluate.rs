//! What an entry of the REPL does: checked against everything typed before, compiled, executed.

use super::table::show;
use crate::check::program::{CallableId, ExprKind, FlowId, Program, StatementKind, Type};
use crate::check::{EntryPart, Loader, Session};
use crate::compile::code::Code;
use crate::compile::compile;
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::flow::{Engine, MachineWorker, Names, Options, RunFailure, Silent, Summary};
use crate::task::{Executor, FlowStart};
use crate::text::Sources;
use crate::value::Value;
use crate::vm::Machine;
use crate::world::{Limits, RunId, StoreError, World};
use ecow::EcoString;
use std::collections::HashMap;

/// Makes the world for a program: its store knows the program's entities.
pub type Worlds<'w> = Box<dyn FnMut(&Code) -> Result<World, Box<Finding>> + 'w>;

/// A session with the values of its variables.
pub struct Evaluator<'w> {
    session: Session,
    values: HashMap<EcoString, Value>,
    loader: &'w dyn Loader,
    worlds: Worlds<'w>,
    limits: Limits,
    width: u16,
}

/// What came of an entry.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// What is shown, in order.
    pub output: Vec<String>,
    /// What is wrong with the entry, or how it failed.
    pub findings: Vec<Finding>,
    /// The texts that the findings point into.
    pub sources: Sources,
}

impl<'w> Evaluator<'w> {
    /// A session that has typed nothing. Tables are as wide as `width` columns at most.
    pub fn new(loader: &'w dyn Loader, worlds: Worlds<'w>, limits: Limits, width: u16) -> Evaluator<'w> {
        Evaluator { session: Session::new(loader), values: HashMap::new(), loader, worlds, limits, width }
    }

    /// The session, for completion.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Reads what entries name: used scripts, templates.
    pub fn loader(&self) -> &dyn Loader {
        self.loader
    }

    /// Makes the declarations of a script known.
    pub fn load(&mut self, source: crate::text::Source) -> Evaluated {
        let entry = self.session.load(source, self.loader);
        Evaluated { output: Vec::new(), findings: entry.findings, sources: entry.sources }
    }

    /// The type and effect of an expression, in words.
    pub fn type_of(&self, expression: &str) -> Evaluated {
        match self.session.type_of(expression, self.loader) {
            Ok((ty, effect)) => {
                let effect = match effect {
                    crate::check::program::Effect::Pure => String::new(),
                    effect => format!("  ({})", effect.word()),
                };
                Evaluated { output: vec![format!("{ty}{effect}")], ..Evaluated::default() }
            }
            Err(entry) => Evaluated { output: Vec::new(), findings: entry.findings, sources: entry.sources },
        }
    }

    /// Does what was typed.
    pub fn evaluate(&mut self, text: &str) -> Evaluated {
        let entry = self.session.check_entry(text, self.loader);
        let mut evaluated = Evaluated { output: Vec::new(), findings: entry.findings, sources: entry.sources };
        for part in &entry.parts {
            match self.part(part) {
                Ok(output) => evaluated.output.extend(output),
                Err(finding) => {
                    evaluated.findings.push(*finding);
                    break;
                }
            }
        }
        evaluated
    }

    fn part(&mut self, part: &EntryPart) -> Result<Option<String>, Box<Finding>> {
        let mut program = self.session.program().clone();
        let run = started_flow(&mut program, part.callable);
        let code = compile(&program);
        let mut world = (self.worlds)(&code)?;
        let (value, starts) = self.call(&code, part.callable, &mut world)?;
        let names = Names::of(&code);
        // What the checker can't see through, such as a map, hides no secret that was asked for either.
        let holds_secret = world.secrets.are_in(&crate::value::display(&value, &names));
        if let Some(flow) = run {
            let arguments = value.as_list().map(<[Value]>::to_vec).unwrap_or_default();
            let summary = self.run(&code, world, flow, arguments)?;
            if let Some(failure) = &summary.failure {
                return Err(Box::new(failure.finding(&code.sources)));
            }
            let account = told(&summary);
            let result = (!summary.result.is_none()).then(|| show(&names.masked(&summary.result), &names, self.width));
            self.keep(part, summary.result);
            return Ok(Some(result.map_or(account.clone(), |result| format!("{result}\n{account}"))));
        }
        // Personal and secret fields of records are hidden; a personal value that is asked for by its name is shown.
        let shown =
            (part.variable.is_none() && part.ty != Type::Nothing).then(|| match part.is_secret || holds_secret {
                true => show(&Value::text("•••"), &names, self.width),
                false => show(&names.masked(&value), &names, self.width),
            });
        self.keep(part, value);
        if starts.is_empty() {
            return Ok(shown);
        }
        let mut told_all: Vec<String> = shown.into_iter().collect();
        for summary in self.run_started(&code, world, starts)? {
            told_all.push(told(&summary));
        }
        Ok(Some(told_all.join("\n")))
    }

    fn keep(&mut self, part: &EntryPart, value: Value) {
        if let Some(name) = &part.variable {
            self.values.insert(name.clone(), value);
        }
    }

    /// Calls the task of an entry, in a transaction of its own. Gives its value and the flows that rules start.
    fn call(
        &self,
        code: &Code,
        callable: CallableId,
        world: &mut World,
    ) -> Result<(Value, Vec<FlowStart>), Box<Finding>> {
        let chunk = code.callables.get(callable.index()).copied();
        let Some(chunk) = chunk else { return Ok((Value::None, Vec::new())) };
        let parameters = code.chunks.get(chunk.0 as usize).map_or(0, |chunk| usize::from(chunk.parameters));
        let variables = self.session.variables().iter().take(parameters);
        let arguments: Vec<Value> =
            variables.map(|variable| self.values.get(&variable.name).cloned().unwrap_or_default()).collect();
        world.store.begin().map_err(broken)?;
        world.store.savepoint().map_err(broken)?;
        let mut rules = Machine::new(code, self.limits);
        // Each entry is another one to whoever is written to or called.
        let step = format!("repl {}", world.clock.now());
        let mut executor = Executor::new(world, code, RunId(0), &step).reacting(Some(&mut rules));
        let outcome = Machine::new(code, self.limits).call(chunk, &arguments, &mut executor);
        let report = executor.into_report();
        if let Some(error) = report.fatal {
            return Err(broken(error));
        }
        match outcome {
            Ok(value) => {
                world
                    .files
                    .flush()
                    .map_err(|error| Box::new(Finding::without_place(&codes::FAILED, error.to_string())))?;
                world.store.release().map_err(broken)?;
                world.store.commit().map_err(broken)?;
                Ok((value, report.starts))
            }
            Err(failure) => {
                world.store.rollback().map_err(broken)?;
                Err(Box::new(RunFailure::new(failure, code, &Names::of(code)).finding(&code.sources)))
            }
        }
    }

    /// Runs what the rules have started.
    fn run_started(&self, code: &Code, world: World, starts: Vec<FlowStart>) -> Result<Vec<Summary>, Box<Finding>> {
        let mut worker = MachineWorker::new(code, self.limits, world, false);
        let mut summaries = Vec::with_capacity(starts.len());
        for start in starts {
            let mut observer = Silent;
            let mut engine = Engine::new(code, &mut worker, &mut observer, Options::default());
            let summary = engine.run(start.flow as usize, start.arguments);
            summaries.push(summary.map_err(|broken| Box::new(broken.finding()))?);
        }
        Ok(summaries)
    }

    fn run(&self, code: &Code, world: World, flow: FlowId, arguments: Vec<Value>) -> Result<Summary, Box<Finding>> {
        let mut worker = MachineWorker::new(code, self.limits, world, false);
        let mut observer = Silent;
        let mut engine = Engine::new(code, &mut worker, &mut observer, Options::default());
        engine.run(flow.index(), arguments).map_err(|broken| Box::new(broken.finding()))
    }
}

/// When an entry is `run flow(…)`, the task is changed to give the arguments, for the flow engine to start.
fn started_flow(program: &mut Program, callable: CallableId) -> Option<FlowId> {
    let task = program.callables.get_mut(callable.index())?;
    let [statement] = task.body.as_mut_slice() else { return None };
    let (StatementKind::Return(Some(value)) | StatementKind::Expression(value)) = &mut statement.kind else {
        return None;
    };
    let ExprKind::Run(flow, arguments) = &mut value.kind else { return None };
    let flow = *flow;
    let arguments = std::mem::take(arguments);
    let mut list = value.clone();
    list.kind = ExprKind::List(arguments);
    statement.kind = StatementKind::Return(Some(list));
    Some(flow)
}

/// What a run came to, in one line.
fn told(summary: &Summary) -> String {
    if summary.already_over {
        return format!("run {} has done this before", summary.run.0);
    }
    let changes: Vec<String> =
        summary.changes.iter().map(|(kind, what, count)| format!("{what} {} {}", count.count, kind.word())).collect();
    let changes = if changes.is_empty() { "nothing changed".to_string() } else { changes.join(", ") };
    format!("run {} of {}: {changes}", summary.run.0, summary.flow)
}

/// The store itself failed.
fn broken(error: StoreError) -> Box<Finding> {
    Box::new(crate::flow::Broken::from(error).finding())
}
