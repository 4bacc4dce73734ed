//! What is shown while a run is at work: bars on a terminal, a line now and then elsewhere.

use super::account::{clean, took};
use super::console::{Console, Format};
use crate::compile::code::Code;
use crate::finding::render::number;
use crate::flow::{Names, Observer, RunFailure, RunId};
use crate::value::{Duration, Value, display, to_json};
use crate::vm::Decision;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value as Json, json};

/// Loops with at least so many items are worth lines where there is no terminal.
const WORTH_LINES: usize = 1000;

/// How many decisions are printed as JSON at most.
const MOST_DECISIONS: usize = 10_000;

/// Shows the progress of a run on a console.
pub struct Progress<'c> {
    console: &'c mut Console,
    code: &'c Code,
    names: Names,
    /// The outermost loop.
    bar: Option<ProgressBar>,
    name: String,
    items: usize,
    ended: usize,
    failed: usize,
    /// The decisions, where they are printed as JSON behind the run.
    decisions: Vec<Json>,
}

impl<'c> Progress<'c> {
    /// For a run of this program.
    pub fn new(console: &'c mut Console, code: &'c Code) -> Progress<'c> {
        let names = Names::of(code);
        Progress {
            console,
            code,
            names,
            bar: None,
            name: String::new(),
            items: 0,
            ended: 0,
            failed: 0,
            decisions: Vec::new(),
        }
    }

    /// Takes the bar away; gives the decisions where they are printed as JSON.
    pub fn finish(self) -> Vec<Json> {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.decisions
    }

    fn say(&mut self, text: String) {
        let console = &mut self.console;
        match &self.bar {
            Some(bar) => bar.suspend(|| console.message(text)),
            None => console.message(text),
        }
    }

    fn shown(&self, value: &Value) -> String {
        clean(&display(&self.names.masked(value), &self.names))
    }
}

impl Observer for Progress<'_> {
    fn loop_began(&mut self, name: &str, depth: usize, items: usize) {
        if depth != 1 {
            return;
        }
        (self.name, self.items, self.ended, self.failed) = (clean(name), items, 0, 0);
        if self.console.draws_progress() && items > 1 {
            let bar = ProgressBar::with_draw_target(Some(items as u64), ProgressDrawTarget::stderr());
            let form = "{prefix} {bar:30} {pos} of {len}{msg}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                let unicode = self.console.appearance().unicode;
                bar.set_style(style.progress_chars(if unicode { "━╸ " } else { "=> " }));
            }
            bar.set_prefix(self.name.clone());
            self.bar = Some(bar);
        }
    }

    fn item_ended(&mut self, depth: usize, failed: bool) {
        if depth != 1 {
            return;
        }
        self.ended += 1;
        self.failed += usize::from(failed);
        if let Some(bar) = &self.bar {
            if failed {
                bar.set_message(format!(" ({} failed)", self.failed));
            }
            bar.inc(1);
            return;
        }
        // A line for every tenth of a long loop: enough for a log to show that it goes on.
        let tenth = |ended: usize| ended * 10 / self.items.max(1);
        if self.items >= WORTH_LINES && tenth(self.ended) > tenth(self.ended - 1) && self.ended < self.items {
            let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
            self.say(format!("{}: {} of {}{failed}", self.name, self.ended, number(self.items, "item")));
        }
    }

    fn loop_ended(&mut self, depth: usize) {
        if depth == 1
            && let Some(bar) = self.bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn decided(&mut self, run: RunId, decision: &Decision) {
        if self.console.format == Format::Json {
            if self.decisions.len() < MOST_DECISIONS {
                let json = |value: &Value| to_json(&self.names.masked(value), &self.names);
                let input: serde_json::Map<String, Json> =
                    decision.input.iter().map(|(name, value)| (name.to_string(), json(value))).collect();
                self.decisions.push(json!({
                    "run": run.0,
                    "table": decision.table.as_str(),
                    "rows": decision.rows.iter().map(|row| row.as_str()).collect::<Vec<_>>(),
                    "input": input,
                    "outcome": json(&decision.outcome),
                }));
            }
            return;
        }
        let inputs: Vec<_> =
            decision.input.iter().map(|(name, value)| format!("{name} = {}", self.shown(value))).collect();
        let rows = match decision.rows.as_slice() {
            [] => "no row".to_string(),
            rows => rows.join(", "),
        };
        let outcome = self.shown(&decision.outcome);
        let place = match self.code.sources.get(decision.span.source) {
            Some(source) => {
                let (line, column) = source.position(decision.span.start as usize);
                format!("{}:{line}:{column}", source.name)
            }
            None => String::new(),
        };
        let text =
            format!("run {}: {}({}) = {outcome}, by {rows}, at {place}", run.0, decision.table, inputs.join(", "));
        self.say(clean(&text));
    }

    fn retrying(&mut self, step: &str, failure: &RunFailure, pause: Duration) {
        let text = format!("{} is tried again in {}: {}", clean(step), took(pause), clean(&failure.message));
        self.say(text);
    }
}
