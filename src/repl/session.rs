//! The conversation: reads entries and commands, shows what came of them.

use super::editor::{LineHelper, Vocabulary};
use super::evaluate::{Evaluated, Evaluator};
use crate::check::program::{Program, Type};
use crate::library::{PRIMITIVES, Shape, Signature};
use crate::syntax;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// The commands, with what they do.
const COMMANDS: &[(&str, &str)] = &[
    (":help", "shows this"),
    (":type EXPRESSION", "says the type of an expression, and what it does to the world"),
    (":names", "lists what this session knows by name"),
    (":quit", "ends the session; so does Ctrl-D"),
];

/// Where the REPL shows things.
pub trait Talk {
    /// Shows an answer.
    fn say(&mut self, text: &str);
    /// Shows findings.
    fn complain(&mut self, evaluated: Evaluated);
}

/// What to do after an entry.
#[derive(Debug, PartialEq, Eq)]
enum After {
    GoOn,
    Quit,
}

/// Talks with a person at a terminal. `history` keeps what was typed, from one session to the next.
///
/// # Errors
/// When the terminal can't be used.
pub fn interactive(
    evaluator: Evaluator<'_>,
    talk: &mut dyn Talk,
    history: Option<&Path>,
    colors: bool,
) -> rustyline::Result<()> {
    let words = Rc::new(RefCell::new(Words { evaluator }));
    let config = Config::builder().auto_add_history(true).max_history_size(1000)?.build();
    let mut editor: Editor<LineHelper<Words>, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(LineHelper::new(Rc::clone(&words), colors)));
    if let Some(history) = history {
        // A history that can't be read is no reason not to talk.
        drop(editor.load_history(history));
    }
    talk.say("rpa: type an expression, a declaration or :help");
    loop {
        match editor.readline("rpa> ") {
            Ok(text) => {
                if handle(&mut words.borrow_mut().evaluator, &text, talk) == After::Quit {
                    break;
                }
            }
            // Ctrl-C gives up the entry that is being typed.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    if let Some(history) = history {
        drop(editor.append_history(history));
    }
    Ok(())
}

/// Works off entries from a text, such as a pipe: no prompt, no editing. Says whether all of them went well.
pub fn piped(evaluator: &mut Evaluator<'_>, text: &str, talk: &mut dyn Talk) -> bool {
    let mut watch = Watch { talk, complaints: 0 };
    let mut entry = String::new();
    for line in text.lines() {
        entry.push_str(line);
        entry.push('\n');
        if line.trim().is_empty() || !syntax::is_incomplete(&entry) {
            let whole = std::mem::take(&mut entry);
            if handle(evaluator, &whole, &mut watch) == After::Quit {
                return watch.complaints == 0;
            }
        }
    }
    handle(evaluator, &entry, &mut watch);
    watch.complaints == 0
}

/// Counts complaints on their way.
struct Watch<'t> {
    talk: &'t mut dyn Talk,
    complaints: usize,
}

impl Talk for Watch<'_> {
    fn say(&mut self, text: &str) {
        self.talk.say(text);
    }

    fn complain(&mut self, evaluated: Evaluated) {
        self.complaints += evaluated.findings.iter().filter(|finding| finding.is_error()).count();
        self.talk.complain(evaluated);
    }
}

fn handle(evaluator: &mut Evaluator<'_>, text: &str, talk: &mut dyn Talk) -> After {
    let text = text.trim();
    if text.is_empty() {
        return After::GoOn;
    }
    let Some(command) = text.strip_prefix(':') else {
        answer(evaluator.evaluate(text), talk);
        return After::GoOn;
    };
    let (command, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match command {
        "quit" | "q" | "exit" => return After::Quit,
        "help" | "h" | "?" => talk.say(&help()),
        "type" | "t" if argument.trim().is_empty() => talk.say("type an expression behind it: `:type 3 * 20 EUR`"),
        "type" | "t" => answer(evaluator.type_of(argument.trim()), talk),
        "names" => talk.say(&in_lines(&known_names(evaluator))),
        other => talk.say(&format!("there is no command `:{other}`; `:help` shows them all")),
    }
    After::GoOn
}

fn answer(mut evaluated: Evaluated, talk: &mut dyn Talk) {
    for output in std::mem::take(&mut evaluated.output) {
        talk.say(&output);
    }
    if !evaluated.findings.is_empty() {
        talk.complain(evaluated);
    }
}

fn help() -> String {
    let mut help = String::from(
        "Type an expression to see its value, `let` to keep one, a declaration to use it below:\n\n  \
         3 * 19.90 EUR\n  use crm\n  let big = Order.where(it.total > 500 EUR)\n  fn double(n: int) -> int = n * 2\n\n\
         An entry goes on over several lines while a bracket or block is open.\n\n",
    );
    for (command, about) in COMMANDS {
        help.push_str(&format!("  {command:<18} {about}\n"));
    }
    help.trim_end().to_string()
}

/// Words with commas between them, in lines that fit a terminal.
fn in_lines(words: &[String]) -> String {
    let mut lines = vec![String::new()];
    for word in words {
        if lines.last().is_some_and(|line| line.chars().count() + word.chars().count() > 76) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { ", " });
            line.push_str(word);
        }
    }
    lines.join(",\n")
}

/// The words that the session knows, for the editor.
struct Words<'w> {
    evaluator: Evaluator<'w>,
}

impl Vocabulary for Words<'_> {
    fn names(&self) -> Vec<String> {
        let mut names = known_names(&self.evaluator);
        names.extend(syntax::KEYWORDS.iter().map(|word| word.to_string()));
        names.extend(COMMANDS.iter().filter_map(|(command, _)| Some(command.split(' ').next()?.to_string())));
        names
    }

    fn members(&mut self, expression: &str) -> Vec<String> {
        members(&self.evaluator, expression)
    }
}

/// What can be named: variables, declarations, modules and functions of the language.
fn known_names(evaluator: &Evaluator<'_>) -> Vec<String> {
    let program = evaluator.session().program();
    let mut names: Vec<String> =
        evaluator.session().variables().iter().map(|variable| variable.name.to_string()).collect();
    let first = |name: &str| name.split('.').next().unwrap_or(name).to_string();
    names.extend(program.callables.iter().map(|each| first(&each.name)).filter(|name| !name.starts_with('<')));
    names.extend(program.tables.iter().map(|each| first(&each.name)));
    names.extend(program.flows.iter().map(|each| first(&each.name)));
    names.extend(program.constants.iter().map(|each| each.name.to_string()));
    names.extend(program.records.iter().map(|each| each.name.to_string()));
    names.extend(program.enums.iter().flat_map(|each| each.members.iter().chain([&each.name])).map(|n| n.to_string()));
    names.extend(
        signatures().filter(|each| each.receiver.is_none()).map(|each| each.module.unwrap_or(each.name).to_string()),
    );
    names.sort();
    names.dedup();
    names
}

/// What can stand behind the dot of an expression: fields and methods of its type, tasks of a module.
fn members(evaluator: &Evaluator<'_>, expression: &str) -> Vec<String> {
    let program = evaluator.session().program();
    let in_module = |name: &str| name.strip_prefix(expression)?.strip_prefix('.').map(str::to_string);
    let mut members: Vec<String> = program.callables.iter().filter_map(|each| in_module(&each.name)).collect();
    members.extend(program.tables.iter().filter_map(|each| in_module(&each.name)));
    members.extend(program.flows.iter().filter_map(|each| in_module(&each.name)));
    members.extend(signatures().filter(|each| each.module == Some(expression)).map(|each| each.name.to_string()));
    if program.records.iter().any(|record| record.is_entity() && record.name == expression) {
        members.extend(["get", "has", "create"].map(str::to_string));
        members.extend(methods(|shape| matches!(shape, Shape::List(_))));
    } else if members.is_empty()
        && let Some(ty) = evaluator.session().typed(expression, evaluator.loader()).ok().map(|(ty, _)| ty)
    {
        members = members_of(program, &ty);
    }
    members
}

fn members_of(program: &Program, ty: &Type) -> Vec<String> {
    let named = |wanted: &'static str| methods(move |shape| *shape == Shape::Named(wanted));
    match ty {
        Type::Text => named("text"),
        Type::Int => named("int"),
        Type::Decimal => named("decimal"),
        Type::Percent => named("percent"),
        Type::Money(_) => named("money"),
        Type::Date => named("date"),
        Type::Time => named("time"),
        Type::Instant => named("instant"),
        Type::Duration => named("duration"),
        Type::List(_) | Type::Query(_) => methods(|shape| matches!(shape, Shape::List(_))),
        Type::Map(..) => methods(|shape| matches!(shape, Shape::Map(..))),
        Type::Optional(inner) => members_of(program, inner),
        Type::Record(id) | Type::Reference(id) => {
            let Some(record) = program.records.get(id.0 as usize) else { return Vec::new() };
            let mut members: Vec<String> = record.fields.iter().map(|field| field.name.to_string()).collect();
            let own: &[&str] = if record.is_entity() { &["update", "delete"] } else { &["with"] };
            members.extend(own.iter().map(|name| name.to_string()));
            members
        }
        _ => Vec::new(),
    }
}

fn methods(of: impl Fn(&Shape) -> bool) -> Vec<String> {
    signatures().filter(|each| each.receiver.as_ref().is_some_and(&of)).map(|each| each.name.to_string()).collect()
}

fn signatures() -> impl Iterator<Item = Signature> {
    PRIMITIVES.iter().filter_map(|primitive| Signature::parse(primitive.signature).ok())
}
