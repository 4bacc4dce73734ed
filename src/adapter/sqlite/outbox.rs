//! The outbox: mails that leave after the commit that put them in.

use super::failure::{Done, bad_record, internal};
use super::journal::limit;
use crate::world::{DeliveryError, Message, MessageAttachment, OutboxEntry};
use ecow::EcoString;
use rusqlite::{Connection, ToSql};

/// The table of the outbox. A mail stays in it after it has left, as what was sent to whom.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_outbox (
  number INTEGER PRIMARY KEY, run INTEGER NOT NULL, state TEXT NOT NULL, id TEXT NOT NULL,
  sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT, reply_to TEXT, subject TEXT NOT NULL, body TEXT NOT NULL,
  attachments TEXT, written INTEGER NOT NULL, attempts INTEGER NOT NULL, problem TEXT
) STRICT;
CREATE INDEX rpa_outbox_waiting ON rpa_outbox (number) WHERE state = 'waiting';
";

/// Puts a mail in; gives its number. Of attachments the path is kept: their content is on disk already.
pub(super) fn add(connection: &Connection, run: i64, message: &Message) -> Done<i64> {
    let paths: Vec<&str> = message.attachments.iter().map(|attachment| attachment.path.as_str()).collect();
    let cc: Vec<&str> = message.cc.iter().map(EcoString::as_str).collect();
    let parameters: [&dyn ToSql; 10] = [
        &run,
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
    connection
        .prepare_cached(
            "INSERT INTO rpa_outbox (run, state, id, sender, recipient, cc, reply_to, subject, body, attachments, \
             written, attempts) VALUES (?1, 'waiting', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
        )?
        .execute(parameters.as_slice())?;
    Ok(connection.last_insert_rowid())
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

/// The mails that have not left, the oldest first.
pub(super) fn waiting(connection: &Connection, most: usize) -> Done<Vec<OutboxEntry>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, run, id, sender, recipient, cc, reply_to, subject, body, attachments, written, attempts \
         FROM rpa_outbox WHERE state = 'waiting' ORDER BY number LIMIT ?1",
    )?;
    let mut rows = statement.query([limit(most)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let text = |index: usize| -> Done<EcoString> {
            Ok(EcoString::from(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?))
        };
        let list = |index: usize| -> Done<Vec<EcoString>> {
            let Some(json) = row.get::<_, Option<String>>(index)? else { return Ok(Vec::new()) };
            serde_json::from_str(&json).map_err(|_| bad_record(format!("mail {number} of the outbox can't be read")))
        };
        let attachment = |path| MessageAttachment { path, content: Vec::new() };
        entries.push(OutboxEntry {
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
        });
    }
    Ok(entries)
}

/// Marks a mail as gone, as to be tried again, or as one that will never leave.
pub(super) fn settle(connection: &Connection, number: i64, outcome: &Result<(), DeliveryError>) -> Done<()> {
    let (state, problem) = match outcome {
        Ok(()) => ("sent", None),
        Err(DeliveryError::Transient(problem)) => ("waiting", Some(problem)),
        Err(DeliveryError::Permanent(problem)) => ("failed", Some(problem)),
    };
    let changed = connection
        .prepare_cached(
            "UPDATE rpa_outbox SET state = ?2, problem = ?3, attempts = attempts + 1 \
             WHERE number = ?1 AND state = 'waiting'",
        )?
        .execute((number, state, problem))?;
    if changed == 1 { Ok(()) } else { Err(internal(format!("no mail {number} waits in the outbox"))) }
}
