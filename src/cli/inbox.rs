//! `rpa inbox`: what waits for people, and their answers.

use super::Status;
use super::account::{clean, cut};
use super::console::{Console, Format};
use super::runs::{of_path, shorter};
use super::who;
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::{cli, inbox as codes};
use crate::flow::form::Form;
use crate::flow::inbox::{self, Answered};
use crate::value::display::moment;
use crate::value::{Instant, Value, decode, display};
use crate::world::{InboxFilter, Journal, Project, Question, QuestionState, StoreError, Waiting};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// List what waits for people, and answer it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `show` or `answer`; without, the questions that wait are listed
    #[command(subcommand)]
    command: Option<Command>,

    /// Only questions to this role
    #[arg(long)]
    role: Option<String>,

    /// Only questions of this run
    #[arg(long, value_name = "NUMBER")]
    run: Option<i64>,

    /// Questions that were answered or given up as well
    #[arg(long)]
    all: bool,

    /// At most so many, the oldest first
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: usize,

    /// A script or the folder of the project whose inbox is meant
    #[arg(long, global = true, default_value = ".", value_name = "PATH")]
    project: PathBuf,

    /// The file with records and journal, in place of that of the project
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show a question with all that is known of it
    Show {
        /// The number of the question
        question: i64,
    },
    /// Answer a question
    Answer {
        /// The number of the question
        question: i64,
        /// The answer: `approve`, `refuse`, a value, or `field=value …`; without, it is asked for on a terminal
        answer: Vec<String>,
        /// Who answers, when it is not who is signed in
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
}

/// Lists questions, or answers one.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(mut project) = of_path(&arguments.project, console) else { return Status::Failed };
    if let Some(store) = &arguments.store {
        project.store.clone_from(store);
    }
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let done = match &arguments.command {
        None => list(arguments, &project, &zone, console),
        Some(Command::Show { question }) => show(*question, &project, &zone, console),
        Some(Command::Answer { question, answer: given, by }) => {
            answer(*question, given, by.as_deref(), &project, console)
        }
    };
    match done {
        Ok(status) => status,
        Err(finding) => {
            console.finding(*finding);
            Status::Failed
        }
    }
}

fn open(project: &Project, access: Access) -> Result<Option<SqliteStore>, Box<Finding>> {
    if !project.store.is_file() {
        return Ok(None);
    }
    let options = Options { access, ..Options::default() };
    SqliteStore::open(&shorter(&project.store), &[], &[], &options).map(Some).map_err(Box::new)
}

fn failed(error: StoreError) -> Box<Finding> {
    Box::new(Finding::without_place(&cli::STORE, error.to_string()))
}

fn list(
    arguments: &Arguments,
    project: &Project,
    zone: &TimeZone,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let filter = InboxFilter {
        role: arguments.role.clone(),
        run: arguments.run.map(crate::world::RunId),
        state: (!arguments.all).then_some(QuestionState::Open),
        limit: arguments.limit,
    };
    let questions = match open(project, Access::ReadOnly)? {
        Some(mut store) => store.questions(&filter).map_err(failed)?,
        None => Vec::new(),
    };
    if console.format == Format::Json {
        console.json(&questions.iter().map(data).collect());
        return Ok(Status::Fine);
    }
    if questions.is_empty() {
        console.line("nothing waits for people");
    }
    let columns = console.columns().clamp(60, 160);
    for question in &questions {
        console.line(cut(&line(question, zone), columns));
    }
    Ok(Status::Fine)
}

/// `  12  finance: Refund 900 EUR? (yes or no; until 2026-11-25 09:00:00)`
fn line(question: &Question, zone: &TimeZone) -> String {
    let about = match question.state {
        QuestionState::Open => {
            let until = question.until.map(|until| format!("; until {}", moment(until, zone))).unwrap_or_default();
            format!("{}{until}", Form::from_json(&question.form).words())
        }
        state => match answer_of(question) {
            Some((value, by)) => format!("{}: {value}, by {by}", state.word()),
            None => state.word().to_string(),
        },
    };
    format!("{:>4}  {}: {} ({})", question.number, clean(&question.role), clean(&question.question), clean(&about))
}

/// The answer as people read it, and who gave it.
fn answer_of(question: &Question) -> Option<(String, String)> {
    let answer = question.answer.as_ref()?;
    let value = decode(&answer.value).ok()?;
    Some((shown(&value, &Form::from_json(&question.form)), answer.by.to_string()))
}

/// `yes`, `way: replace; note: broken`
fn shown(value: &Value, form: &Form) -> String {
    match (form, value) {
        (Form::Record { fields, .. }, value) => {
            let values = value.fields().unwrap_or_default();
            let each = fields.iter().zip(values).filter(|(_, value)| !value.is_none());
            let each = each.map(|((name, form), value)| format!("{name}: {}", shown(value, form)));
            each.collect::<Vec<_>>().join("; ")
        }
        (Form::Optional(inner), value) if !value.is_none() => shown(value, inner),
        (Form::YesNo | Form::Seen, Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_string(),
        (_, Value::Text(text)) => text.to_string(),
        (form, value) => display(value, form),
    }
}

fn find(store: Option<SqliteStore>, number: i64) -> Result<(SqliteStore, Question), Box<Finding>> {
    let unknown = || {
        let finding = Finding::without_place(&codes::UNKNOWN, format!("there is no question {number}"));
        Box::new(finding.help("`rpa inbox --all` lists the questions of the project"))
    };
    let mut store = store.ok_or_else(unknown)?;
    let question = store.question(number).map_err(failed)?.ok_or_else(unknown)?;
    Ok((store, question))
}

fn show(number: i64, project: &Project, zone: &TimeZone, console: &mut Console) -> Result<Status, Box<Finding>> {
    let (_, question) = find(open(project, Access::ReadOnly)?, number)?;
    if console.format == Format::Json {
        console.json(&data(&question));
        return Ok(Status::Fine);
    }
    let mut say = |what: &str, text: &str| {
        if !text.is_empty() {
            console.line(format!("{what:<10} {}", clean(text)));
        }
    };
    say("question", &format!("{number}, of run {} ({}, step {})", question.run.0, question.flow, question.step));
    say("for", &question.role);
    say("asks", &question.question);
    say("answer", &Form::from_json(&question.form).words());
    say("asked", &moment(question.asked, zone));
    say("until", &question.until.map(|until| moment(until, zone)).unwrap_or_default());
    say("state", question.state.word());
    if let (Some((value, by)), Some(answer)) = (answer_of(&question), &question.answer) {
        say("answered", &format!("{value}, by {by} at {}", moment(answer.at, zone)));
    }
    Ok(Status::Fine)
}

fn answer(
    number: i64,
    given: &[String],
    by: Option<&str>,
    project: &Project,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let (mut store, question) = find(open(project, Access::ReadWrite)?, number)?;
    let form = Form::from_json(&question.form);
    let text = if given.is_empty() {
        if question.state == QuestionState::Open { asked(&question, &form, console)? } else { String::new() }
    } else {
        written(given, &form)
    };
    let by = by.map_or_else(who::user, str::to_string);
    let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
    match inbox::answer(&mut store, number, &text, &by, now).map_err(failed)? {
        Answered::Kept => {
            let run = question.run.0;
            let state = store.run(question.run).map_err(failed)?.map(|run| run.state);
            let state = state.filter(|state| state.is_over());
            match console.format {
                Format::Json => console.json(&json!({
                    "question": number,
                    "run": run,
                    "by": by,
                    "goes_on": state.is_none(),
                })),
                Format::Text => console.line(match state {
                    None => format!("question {number} is answered; run {run} goes on with `rpa serve` or `rpa runs resume`"),
                    // Somebody has undone a step by hand.
                    Some(state) => format!(
                        "question {number} is answered; run {run} stays {}, and `rpa runs show {run}` tells who has undone the step",
                        state.word()
                    ),
                }),
            }
            Ok(Status::Fine)
        }
        Answered::Unknown => find(None, number).map(|_| Status::Fine),
        Answered::DoesNotFit(reason) => {
            let finding = Finding::without_place(&codes::ANSWER, format!("question {number}: {reason}"));
            Err(Box::new(finding.help(format!("the answer is {}", form.words()))))
        }
        Answered::Closed(state) => {
            let message = match (state, answer_of(&question)) {
                (_, Some((value, by))) => format!("question {number} was answered before: {value}, by {by}"),
                (QuestionState::TimedOut, None) => format!("the time for question {number} is over"),
                (_, None) => format!("nobody waits for an answer to question {number} any more"),
            };
            Err(Box::new(Finding::without_place(&codes::CLOSED, message).note("nothing was changed")))
        }
    }
}

/// The answer as it stands on the command line. `field=value` of a form become JSON, so that a value may hold commas.
fn written(given: &[String], form: &Form) -> String {
    match form {
        Form::Record { .. } if given.iter().all(|part| part.contains('=')) => {
            let fields = given.iter().filter_map(|part| part.split_once('='));
            let fields: serde_json::Map<String, Json> =
                fields.map(|(name, value)| (name.trim().to_string(), Json::from(value.trim()))).collect();
            // One argument that holds several fields is read by the form itself.
            match given {
                [one] => one.clone(),
                _ => Json::Object(fields).to_string(),
            }
        }
        Form::List(_) => given.join(", "),
        _ => agreed(&given.join(" "), form),
    }
}

/// The words by which people agree, as yes and no.
fn agreed(text: &str, form: &Form) -> String {
    match (form, text.trim()) {
        (Form::YesNo | Form::Seen, "approve" | "approved" | "ok" | "done") => "yes".to_string(),
        (Form::YesNo | Form::Seen, "refuse" | "refused" | "reject" | "rejected") => "no".to_string(),
        (_, text) => text.to_string(),
    }
}

/// Asks on the terminal, field by field.
fn asked(question: &Question, form: &Form, console: &mut Console) -> Result<String, Box<Finding>> {
    if !console.is_interactive() {
        let finding = Finding::without_place(&codes::ANSWER, format!("question {} needs an answer", question.number));
        let example = match form {
            Form::Record { fields, .. } => {
                fields.iter().map(|(name, _)| format!("{name}=…")).collect::<Vec<_>>().join(" ")
            }
            Form::YesNo => "approve".to_string(),
            _ => "…".to_string(),
        };
        return Err(Box::new(finding.help(format!("write `rpa inbox answer {} {example}`", question.number))));
    }
    console.line(format!("{}: {}", clean(&question.role), clean(&question.question)));
    match form {
        Form::Record { fields, .. } => {
            let mut answers = serde_json::Map::new();
            for (name, form) in fields {
                let text = asked_for(name, form, console)?;
                let is_missing = text.is_empty() && matches!(form, Form::Optional(_));
                answers.insert(name.to_string(), if is_missing { Json::Null } else { text.into() });
            }
            Ok(Json::Object(answers).to_string())
        }
        form => asked_for("answer", form, console),
    }
}

/// Asks until the answer fits.
fn asked_for(name: &str, form: &Form, console: &mut Console) -> Result<String, Box<Finding>> {
    loop {
        console.print(format!("{} ({}): ", clean(name), form.words()));
        console.flush();
        let line = console.read_line().map_err(|error| {
            Box::new(Finding::without_place(&cli::INPUT, format!("the answer can't be read: {error}")))
        })?;
        let Some(line) = line else {
            return Err(Box::new(Finding::without_place(&codes::ANSWER, "there was no answer")));
        };
        let text = agreed(&line, form);
        match form.read(&text) {
            Ok(_) => return Ok(text),
            Err(reason) => console.line(clean(&reason)),
        }
    }
}

fn data(question: &Question) -> Json {
    let answer = question.answer.as_ref();
    json!({
        "question": question.number,
        "run": question.run.0,
        "flow": question.flow.as_str(),
        "step": question.step.as_str(),
        "role": question.role.as_str(),
        "asks": question.question.as_str(),
        "form": serde_json::from_str::<Json>(&question.form).unwrap_or_default(),
        "asked": question.asked.timestamp().to_string(),
        "until": question.until.map(|until| until.timestamp().to_string()),
        "state": question.state.word(),
        "answer": answer_of(question).map(|(value, _)| value),
        "by": answer.map(|answer| answer.by.to_string()),
        "answered": answer.map(|answer| answer.at.timestamp().to_string()),
    })
}
