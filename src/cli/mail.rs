//! `rpa mail`: what waits in the outbox, the dead letters, and what a person decides about them.

use super::Status;
use super::account::{clean, cut};
use super::console::{Console, Format};
use super::runs::{of_path, shorter};
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::{self, cli, mail as codes};
use crate::value::Instant;
use crate::value::display::moment;
use crate::world::{MailDecision, MailFilter, MailRecord, MailState, Outbox, Project, Store, StoreError};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// List mails that have not left, and decide about dead letters
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `show`, `retry`, `drop` or `bounced`; without, the mails that wait and the dead letters are listed
    #[command(subcommand)]
    command: Option<Command>,

    /// Only mails that stand so: `waiting`, `sent`, `dead` or `dropped`; `all` for every mail
    #[arg(long, value_parser = states)]
    state: Option<States>,

    /// Only mails of this run
    #[arg(long, value_name = "NUMBER")]
    run: Option<i64>,

    /// At most so many, the newest first
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    limit: usize,

    /// A script or the folder of the project whose mails are meant
    #[arg(long, global = true, default_value = ".", value_name = "PATH")]
    project: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show a mail with all that is known of it
    Show {
        /// The number of the mail
        mail: i64,
    },
    /// Try mails again, as if for the first time
    Retry {
        /// The numbers of the mails; without, all dead letters
        mails: Vec<i64>,
    },
    /// Decide that mails shall not leave
    Drop {
        /// The numbers of the mails
        #[arg(required = true)]
        mails: Vec<i64>,
    },
    /// Say that a mail that had left came back: it becomes a dead letter
    Bounced {
        /// The number of the mail
        mail: i64,
        /// What the mail that came back says
        reason: String,
    },
}

#[derive(Debug, Clone)]
struct States(Vec<MailState>);

fn states(word: &str) -> Result<States, String> {
    match (word, MailState::from_word(word)) {
        ("all", _) => Ok(States(Vec::new())),
        (_, Some(state)) => Ok(States(vec![state])),
        _ => Err("write `waiting`, `sent`, `dead`, `dropped` or `all`".to_string()),
    }
}

/// Lists mails, or does what a person has decided.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(project) = of_path(&arguments.project, console) else { return Status::Failed };
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let done = match &arguments.command {
        None => list(arguments, &project, &zone, console),
        Some(Command::Show { mail }) => show(*mail, &project, &zone, console),
        Some(Command::Retry { mails }) => decide(mails, &MailDecision::Retry, &project, console),
        Some(Command::Drop { mails }) => decide(mails, &MailDecision::Drop, &project, console),
        Some(Command::Bounced { mail, reason }) => {
            decide(&[*mail], &MailDecision::Bounced(reason.clone()), &project, console)
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
    match error {
        StoreError::Failed { code, message, help } => {
            let finding = Finding::without_place(catalogue::find(code).unwrap_or(&cli::STORE), message);
            Box::new(if help.is_empty() { finding } else { finding.help(help) })
        }
        error => Box::new(Finding::without_place(&cli::STORE, error.to_string())),
    }
}

fn list(
    arguments: &Arguments,
    project: &Project,
    zone: &TimeZone,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let states = match &arguments.state {
        Some(states) => states.0.clone(),
        None => vec![MailState::Waiting, MailState::Dead],
    };
    let filter = MailFilter { states, run: arguments.run, number: None, limit: arguments.limit };
    let mails = match open(project, Access::ReadOnly)? {
        Some(mut store) => store.mails(&filter).map_err(failed)?,
        None => Vec::new(),
    };
    match console.format {
        Format::Json => console.json(&mails.iter().map(data).collect()),
        Format::Text if mails.is_empty() && arguments.state.is_none() => {
            console.line("no mail waits, and there are no dead letters")
        }
        Format::Text if mails.is_empty() => console.line("there are no such mails"),
        Format::Text => {
            let columns = console.columns().clamp(60, 160);
            for mail in &mails {
                console.line(cut(&line(mail, zone), columns));
            }
        }
    }
    Ok(Status::Fine)
}

/// `   3  dead     to ada@example.com, of run 12: 550 no such user`
fn line(mail: &MailRecord, zone: &TimeZone) -> String {
    let MailRecord { entry, state, problem, due, .. } = mail;
    let mut line =
        format!("{:>4}  {:<7}  to {}, of run {}", entry.number, state.word(), clean(&entry.message.to), entry.run);
    if *state == MailState::Waiting && problem.is_some() {
        line.push_str(&format!(", tried again at {}", moment(*due, zone)));
    }
    match problem {
        Some(problem) => line.push_str(&format!(": {}", clean(problem))),
        None => line.push_str(&format!(": {}", clean(&entry.message.subject))),
    }
    line
}

fn show(number: i64, project: &Project, zone: &TimeZone, console: &mut Console) -> Result<Status, Box<Finding>> {
    let filter = MailFilter { number: Some(number), limit: 1, ..MailFilter::default() };
    let found = match open(project, Access::ReadOnly)? {
        Some(mut store) => store.mails(&filter).map_err(failed)?.pop(),
        None => None,
    };
    let Some(mail) = found else { return Err(unknown(number)) };
    if console.format == Format::Json {
        console.json(&data(&mail));
        return Ok(Status::Fine);
    }
    let message = &mail.entry.message;
    let mut say = |what: &str, text: &str| {
        if !text.is_empty() {
            console.line(format!("{what:<11} {}", clean(text)));
        }
    };
    say("mail", &format!("{number}, of run {}", mail.entry.run));
    say("state", mail.state.word());
    say("problem", mail.problem.as_deref().unwrap_or_default());
    say("attempts", &mail.entry.attempts.to_string());
    if mail.state == MailState::Waiting {
        say("due", &moment(mail.due, zone));
    }
    say("settled", &mail.settled.map(|at| moment(at, zone)).unwrap_or_default());
    say("message id", &message.id);
    say("from", &message.from);
    say("to", &message.to);
    say("cc", &message.cc.join(", "));
    say("reply to", message.reply_to.as_deref().unwrap_or_default());
    say("subject", &message.subject);
    let files: Vec<_> = message.attachments.iter().map(|file| file.path.as_str()).collect();
    say("attachments", &files.join(", "));
    console.line("");
    for line in message.body.lines() {
        console.line(clean(line));
    }
    Ok(Status::Fine)
}

fn unknown(number: i64) -> Box<Finding> {
    let finding = Finding::without_place(&codes::UNKNOWN, format!("there is no mail {number}"));
    Box::new(finding.help("`rpa mail --state all` lists the mails of the project"))
}

fn decide(
    numbers: &[i64],
    decision: &MailDecision,
    project: &Project,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let Some(mut store) = open(project, Access::ReadWrite)? else {
        return match numbers.first() {
            Some(number) => Err(unknown(*number)),
            None => {
                console.line("there are no dead letters");
                Ok(Status::Fine)
            }
        };
    };
    let numbers = if numbers.is_empty() {
        let filter = MailFilter { states: vec![MailState::Dead], limit: usize::MAX, ..MailFilter::default() };
        store.mails(&filter).map_err(failed)?.iter().map(|mail| mail.entry.number).collect()
    } else {
        numbers.to_vec()
    };
    let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
    store.begin().map_err(failed)?;
    for number in &numbers {
        if !store.decide_mail(*number, decision, now).map_err(failed)? {
            let filter = MailFilter { number: Some(*number), limit: 1, ..MailFilter::default() };
            let Some(mail) = store.mails(&filter).map_err(failed)?.pop() else { return Err(unknown(*number)) };
            return Err(refused(&mail, decision));
        }
    }
    store.commit().map_err(failed)?;
    let count = numbers.len();
    let mails = if count == 1 { "mail".to_string() } else { "mails".to_string() };
    match console.format {
        Format::Json => console.json(&json!({ "mails": numbers })),
        Format::Text => console.line(match decision {
            MailDecision::Retry if count == 0 => "there are no dead letters".to_string(),
            MailDecision::Retry => format!("{count} {mails} will be tried again by `rpa serve` or the next run"),
            MailDecision::Drop => format!("{count} {mails} will not leave"),
            MailDecision::Bounced(_) => format!("{count} {mails} noted as having come back"),
        }),
    }
    Ok(Status::Fine)
}

fn refused(mail: &MailRecord, decision: &MailDecision) -> Box<Finding> {
    let number = mail.entry.number;
    let (message, help) = match (decision, mail.state) {
        (MailDecision::Bounced(_), _) => {
            (format!("mail {number} has not left, so it can't have come back"), "`rpa mail show` tells how it stands")
        }
        (_, MailState::Sent) => {
            (format!("mail {number} has left already"), "if it came back: `rpa mail bounced`, then `rpa mail retry`")
        }
        (_, MailState::Dropped) => (format!("mail {number} was dropped before"), "`rpa mail retry` sends it after all"),
        _ => (format!("mail {number} is on its way this moment"), "try again in a minute"),
    };
    Box::new(Finding::without_place(&codes::STATE, message).note("nothing was changed").help(help))
}

fn data(mail: &MailRecord) -> Json {
    let MailRecord { entry, state, problem, due, settled } = mail;
    let message = &entry.message;
    json!({
        "mail": entry.number,
        "run": entry.run,
        "state": state.word(),
        "problem": problem.as_deref(),
        "attempts": entry.attempts,
        "due": (*state == MailState::Waiting).then(|| due.timestamp().to_string()),
        "settled": settled.map(|at| at.timestamp().to_string()),
        "id": message.id.as_str(),
        "to": message.to.as_str(),
        "cc": message.cc.iter().map(|each| each.as_str()).collect::<Vec<_>>(),
        "subject": message.subject.as_str(),
    })
}
