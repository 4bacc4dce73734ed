//! The outbox: mails that leave after the commit that put them in, and the systems that take them.

use super::failure::{Done, bad_record, internal};
use super::journal::limit;
use crate::value::{Duration, Instant};
use crate::world::{
    MailClaim, MailDecision, MailFilter, MailOutcome, MailRecord, MailState, Message, MessageAttachment, OutboxEntry,
    SystemState,
};
use ecow::EcoString;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::fmt::Write;

/// The tables of the outbox. A mail stays in it after it has left, as what was sent to whom. `due` is when it may be
/// tried, 0 for at once whatever the clock says; while `owner` has claimed it, when the claim ends.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_outbox (
  number INTEGER PRIMARY KEY, run INTEGER NOT NULL, state TEXT NOT NULL, id TEXT NOT NULL,
  sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT, reply_to TEXT, subject TEXT NOT NULL, body TEXT NOT NULL,
  attachments TEXT, written INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, owner TEXT,
  settled INTEGER, problem TEXT
) STRICT;
CREATE INDEX rpa_outbox_waiting ON rpa_outbox (due, number) WHERE state = 'waiting';
CREATE INDEX rpa_outbox_dead ON rpa_outbox (number) WHERE state = 'dead';
CREATE TABLE rpa_systems (name TEXT PRIMARY KEY, failures TEXT NOT NULL, open_until INTEGER) STRICT, WITHOUT ROWID;
";

/// The number of the next mail: behind those of a store that this one has replaced, for they name what has left.
pub(super) fn next_number(connection: &Connection) -> Done<i64> {
    let text = "SELECT max((SELECT ifnull(max(number), 0) FROM rpa_outbox), ifnull((SELECT value FROM rpa_sequences \
                WHERE kind = 'store' AND name = 'mails'), 0)) + 1";
    Ok(connection.prepare_cached(text)?.query_row((), |row| row.get(0))?)
}

/// A mail that is to be put in.
#[derive(Debug)]
pub(super) struct NewMail {
    pub number: i64,
    run: i64,
    message: Message,
}

impl NewMail {
    /// Under a number. Of attachments the path is kept: their content is on disk already.
    pub fn new(number: i64, run: i64, message: &Message) -> NewMail {
        let attachment =
            |attached: &MessageAttachment| MessageAttachment { path: attached.path.clone(), content: Vec::new() };
        let attachments = message.attachments.iter().map(attachment).collect();
        let message = Message {
            id: message.id.clone(),
            from: message.from.clone(),
            to: message.to.clone(),
            cc: message.cc.clone(),
            reply_to: message.reply_to.clone(),
            subject: message.subject.clone(),
            body: message.body.clone(),
            attachments,
            written: message.written,
        };
        NewMail { number, run, message }
    }
}

/// Puts mails in.
pub(super) fn add(connection: &Connection, mails: &[NewMail]) -> Done<()> {
    if mails.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO rpa_outbox (number, run, state, id, sender, recipient, cc, reply_to, subject, body, attachments, \
         written, attempts, due) VALUES (?1, ?2, 'waiting', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0)",
    )?;
    for NewMail { number, run, message } in mails {
        let paths: Vec<&str> = message.attachments.iter().map(|attachment| attachment.path.as_str()).collect();
        let cc: Vec<&str> = message.cc.iter().map(EcoString::as_str).collect();
        let parameters: [&dyn ToSql; 11] = [
            number,
            run,
            &message.id.as_str(),
            &message.from.as_str(),
            &message.to.as_str(),
            &list(&cc)?,
            &message.reply_to.as_deref(),
            &message.subject.as_str(),
            &message.body.as_str(),
            &list(&paths)?,
            &message.written,
        ];
        statement.execute(parameters.as_slice())?;
    }
    Ok(())
}

/// Takes a mail out whose step is taken back.
pub(super) fn remove(connection: &Connection, number: i64) -> Done<()> {
    connection.prepare_cached("DELETE FROM rpa_outbox WHERE number = ?1")?.execute([number])?;
    Ok(())
}

/// A list as JSON; NULL for an empty one.
fn list(items: &[&str]) -> Done<Option<String>> {
    if items.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(items).map(Some).map_err(|error| internal(error.to_string()))
}

/// What [`entry`] reads.
const COLUMNS: &str = "number, run, id, sender, recipient, cc, reply_to, subject, body, attachments, written, attempts";

fn entry(row: &Row<'_>) -> Done<OutboxEntry> {
    let number: i64 = row.get(0)?;
    let text = |index: usize| -> Done<EcoString> {
        Ok(EcoString::from(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?))
    };
    let list = |index: usize| -> Done<Vec<EcoString>> {
        let Some(json) = row.get::<_, Option<String>>(index)? else { return Ok(Vec::new()) };
        serde_json::from_str(&json).map_err(|_| damaged(number))
    };
    let attachment = |path| MessageAttachment { path, content: Vec::new() };
    Ok(OutboxEntry {
        number,
        run: row.get(1)?,
        message: Message {
            id: text(2)?,
            from: text(3)?,
            to: text(4)?,
            cc: list(5)?,
            reply_to: row.get::<_, Option<String>>(6)?.map(EcoString::from),
            subject: text(7)?,
            body: text(8)?,
            attachments: list(9)?.into_iter().map(attachment).collect(),
            written: row.get(10)?,
        },
        attempts: row.get(11)?,
    })
}

fn damaged(number: i64) -> super::failure::Trouble {
    bad_record(format!("mail {number} of the outbox can't be read"))
}

/// The mails that have not left, the oldest first.
pub(super) fn waiting(connection: &Connection, most: usize) -> Done<Vec<OutboxEntry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rpa_outbox WHERE state = 'waiting' ORDER BY number LIMIT ?1"
    ))?;
    let mut rows = statement.query([limit(most)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// The furthest that a mail is postponed: one that seems due later was postponed before the clock was set back.
const FURTHEST: i64 = Duration::DAY;

/// Claims mails that are due, the longest due first.
pub(super) fn claim(connection: &Connection, claim: &MailClaim, most: usize) -> Done<Vec<OutboxEntry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rpa_outbox WHERE state = 'waiting' AND (due <= ?1 OR (due > ?3 AND \
         (owner IS NULL OR CAST(owner AS INTEGER) NOT IN (SELECT id FROM rpa_workers)))) ORDER BY due, number LIMIT ?2"
    ))?;
    let now = claim.now.milliseconds();
    let mut rows = statement.query((now, limit(most), now.saturating_add(FURTHEST)))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    let mut statement = connection
        .prepare_cached("UPDATE rpa_outbox SET due = ?2, owner = ?3 WHERE number = ?1 AND state = 'waiting'")?;
    for each in &entries {
        statement.execute((each.number, claim.until.milliseconds(), claim.owner.as_str()))?;
    }
    Ok(entries)
}

/// Frees the mails that workers had claimed which are gone.
pub(super) fn release_of_dead(connection: &Connection) -> Done<()> {
    connection.execute(
        "UPDATE rpa_outbox SET due = 0, owner = NULL WHERE state = 'waiting' AND owner IS NOT NULL \
         AND CAST(owner AS INTEGER) > 0 AND CAST(owner AS INTEGER) NOT IN (SELECT id FROM rpa_workers)",
        (),
    )?;
    Ok(())
}

/// Leaves the mails of a worker that lives but is stuck in its hands until their claims end: it may have handed one
/// over, and says so when it goes on.
pub(super) fn keep_claims_of(connection: &Connection, worker: i64) -> Done<()> {
    connection.execute(
        "UPDATE rpa_outbox SET owner = '0:' || substr(owner, instr(owner, ':') + 1) \
         WHERE state = 'waiting' AND owner IS NOT NULL AND CAST(owner AS INTEGER) = ?1",
        [worker],
    )?;
    Ok(())
}

/// Writes down what became of a mail; false when this owner has it no more. An owner is known by its own part: a worker
/// that was fenced has another number now.
pub(super) fn settle(
    connection: &Connection,
    number: i64,
    owner: &str,
    outcome: &MailOutcome,
    at: Instant,
) -> Done<bool> {
    let at = at.milliseconds();
    let changed = match outcome {
        MailOutcome::Sent => connection
            .prepare_cached(
                "UPDATE rpa_outbox SET state = 'sent', problem = NULL, owner = NULL, settled = ?3, \
                 attempts = attempts + 1 WHERE number = ?1 AND substr(owner, instr(owner, ':') + 1) = ?2 AND state = 'waiting'",
            )?
            .execute((number, owner, at))?,
        MailOutcome::Later { due, problem, counted } => connection
            .prepare_cached(
                "UPDATE rpa_outbox SET problem = ?3, owner = NULL, due = ?4, attempts = attempts + ?5 \
                 WHERE number = ?1 AND substr(owner, instr(owner, ':') + 1) = ?2 AND state = 'waiting'",
            )?
            .execute((number, owner, problem, due.milliseconds(), u32::from(*counted)))?,
        MailOutcome::Dead { problem } => connection
            .prepare_cached(
                "UPDATE rpa_outbox SET state = 'dead', problem = ?3, owner = NULL, settled = ?4, \
                 attempts = attempts + 1 WHERE number = ?1 AND substr(owner, instr(owner, ':') + 1) = ?2 AND state = 'waiting'",
            )?
            .execute((number, owner, problem, at))?,
    };
    Ok(changed == 1)
}

/// When the first of the mails that have not left is due.
pub(super) fn next(connection: &Connection, now: Instant) -> Done<Option<Instant>> {
    let first: Option<i64> = connection
        .prepare_cached("SELECT due FROM rpa_outbox WHERE state = 'waiting' ORDER BY due LIMIT 1")?
        .query_row((), |row| row.get(0))
        .optional()?;
    let is_beyond = |due: i64| due > now.milliseconds().saturating_add(FURTHEST);
    Ok(first.and_then(|first| if is_beyond(first) { Some(now) } else { Instant::from_milliseconds(first).ok() }))
}

/// How many mails have not left.
pub(super) fn count(connection: &Connection) -> Done<u64> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM rpa_outbox WHERE state = 'waiting'")?
        .query_row((), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Mails, the newest first.
pub(super) fn mails(connection: &Connection, filter: &MailFilter) -> Done<Vec<MailRecord>> {
    let mut text = format!("SELECT {COLUMNS}, state, problem, due, settled FROM rpa_outbox WHERE 1");
    if !filter.states.is_empty() {
        let states: Vec<_> = filter.states.iter().map(|state| format!("'{}'", state.word())).collect();
        // Writing to a string does not fail.
        let _ = write!(text, " AND state IN ({})", states.join(", "));
    }
    text.push_str(" AND (?1 IS NULL OR number = ?1) AND (?2 IS NULL OR run = ?2) ORDER BY number DESC LIMIT ?3");
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query((filter.number, filter.run, limit(filter.limit)))?;
    let mut mails = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        let number = entry.number;
        let instant = |milliseconds| Instant::from_milliseconds(milliseconds).map_err(|_| damaged(number));
        let state: String = row.get(12)?;
        mails.push(MailRecord {
            entry,
            state: MailState::from_word(&state).ok_or_else(|| damaged(number))?,
            problem: row.get::<_, Option<String>>(13)?.map(EcoString::from),
            due: instant(row.get(14)?)?,
            settled: row.get::<_, Option<i64>>(15)?.map(instant).transpose()?,
        });
    }
    Ok(mails)
}

/// Does what a person has decided. A mail that is on its way this moment is left alone.
pub(super) fn decide(connection: &Connection, number: i64, decision: &MailDecision, at: Instant) -> Done<bool> {
    let at = at.milliseconds();
    let changed = match decision {
        MailDecision::Retry => connection.execute(
            "UPDATE rpa_outbox SET state = 'waiting', due = ?2, attempts = 0, settled = NULL, owner = NULL \
             WHERE number = ?1 AND state IN ('waiting', 'dead', 'dropped') AND (owner IS NULL OR due <= ?2)",
            (number, at),
        )?,
        MailDecision::Drop => connection.execute(
            "UPDATE rpa_outbox SET state = 'dropped', settled = ?2, owner = NULL \
             WHERE number = ?1 AND state IN ('waiting', 'dead') AND (owner IS NULL OR due <= ?2)",
            (number, at),
        )?,
        MailDecision::Bounced(reason) => connection.execute(
            "UPDATE rpa_outbox SET state = 'dead', settled = ?2, problem = ?3 WHERE number = ?1 AND state = 'sent'",
            (number, at, reason),
        )?,
    };
    Ok(changed == 1)
}

/// What is known of an outside system.
pub(super) fn system(connection: &Connection, name: &str) -> Done<SystemState> {
    let found: Option<(String, Option<i64>)> = connection
        .prepare_cached("SELECT failures, open_until FROM rpa_systems WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((failures, open_until)) = found else { return Ok(SystemState::default()) };
    let damaged = || bad_record(format!("what is known of the system `{name}` can't be read"));
    let failures: Vec<i64> = serde_json::from_str(&failures).map_err(|_| damaged())?;
    let instant = |milliseconds| Instant::from_milliseconds(milliseconds).map_err(|_| damaged());
    Ok(SystemState {
        failures: failures.into_iter().map(instant).collect::<Done<_>>()?,
        open_until: open_until.map(instant).transpose()?,
    })
}

/// Keeps what is known of an outside system.
pub(super) fn set_system(connection: &Connection, name: &str, state: &SystemState) -> Done<()> {
    let failures: Vec<i64> = state.failures.iter().map(|at| at.milliseconds()).collect();
    let failures = serde_json::to_string(&failures).map_err(|error| internal(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO rpa_systems (name, failures, open_until) VALUES (?1, ?2, ?3) \
             ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until",
        )?
        .execute((name, failures, state.open_until.map(Instant::milliseconds)))?;
    Ok(())
}
