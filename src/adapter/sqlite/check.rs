//! Is a store whole: the file, the journal, the records, and what refers to what.
//!
//! All of it is one read transaction, so that others may go on writing meanwhile. Values are not shown: they may be
//! personal, and the store does not know which are.

use super::column::{read_date, read_decimal, read_instant, read_time};
use super::entry::unpack;
use super::failure::{Done, finding};
use super::layout::{FieldLayout, quoted};
use super::squeeze::expand;
use super::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::{Code, store as codes};
use crate::flow::RunFailure;
use crate::text::with_article;
use crate::value::{Currency, EcoString, decode};
use crate::world::RunState;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// So many findings are told; of a store that is wholly broken more would not help.
const MOST: usize = 50;

/// What to do where the file or its journal is not whole.
const GO_BACK: &str =
    "go back to a backup with `rpa store restore FILE`, or save what can be read with `sqlite3 STORE .recover`";

/// What was looked at, and what is wrong.
#[derive(Debug, Default)]
pub struct Inspection {
    /// How many runs there are.
    pub runs: u64,
    /// How many entries the journal has.
    pub entries: u64,
    /// How many records of entities there are.
    pub records: u64,
    /// How many mails the outbox has, those that have left too.
    pub mails: u64,
    /// How many versions of scripts are kept.
    pub versions: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How much more is wrong than is told.
    pub more: u64,
}

impl Inspection {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    fn found(&mut self, finding: Finding) {
        if self.findings.len() < MOST { self.findings.push(finding) } else { self.more += 1 }
    }

    fn say(&mut self, code: &'static Code, message: String, help: &str) {
        self.found(Finding::without_place(code, message).help(help));
    }
}

/// Looks at the store in a file.
///
/// # Errors
/// When it can't be opened as a store at all.
pub fn check(path: &Path) -> Result<Inspection, Finding> {
    let options = Options { access: Access::ReadOnly, ..Options::default() };
    let store = SqliteStore::open(path, &[], &[], &options)?;
    Ok(inspect(&store.connection, &path.display().to_string()))
}

/// Looks at an open store; `place` is what people call it.
pub(super) fn inspect(connection: &Connection, place: &str) -> Inspection {
    let mut inspection = Inspection::default();
    let parts: [fn(&Connection, &mut Inspection) -> Done<()>; 6] = [file, runs, versions, references, records, counts];
    // Reading goes on with what was there when it began.
    let begun = connection.execute_batch("BEGIN").map_err(super::failure::Trouble::from);
    if let Err(trouble) = begun {
        inspection.found(finding(trouble, place));
        return inspection;
    }
    for part in parts {
        if let Err(trouble) = part(connection, &mut inspection) {
            let finding = finding(trouble, place);
            if !inspection.findings.iter().any(|known| known.message == finding.message) {
                inspection.found(finding);
            }
        }
    }
    // Nothing was written: when even this fails, closing the file ends it.
    drop(connection.execute_batch("ROLLBACK"));
    inspection
}

/// SQLite's own look at its pages and indexes, and at what refers to records.
fn file(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            // Several lines about one place are one finding.
            let said = said.trim().replace('\n', "; ");
            inspection.say(&codes::DAMAGED, format!("the file is damaged: {said}"), GO_BACK);
        }
    }
    let mut statement =
        connection.prepare("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (table, parent, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        inspection.say(
            &codes::DANGLING,
            format!("{count} of the table `{table}` refer to rows of `{parent}` that are not there"),
            &format!(
                "`PRAGMA foreign_key_check({table})` in `sqlite3` lists them; put back what is missing, or correct them"
            ),
        );
    }
    Ok(())
}

/// Runs and their entries agree.
fn runs(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let mut statement = connection.prepare("SELECT number, word FROM rpa_words")?;
    let words = statement.query_map((), |row| Ok((row.get(0)?, EcoString::from(row.get::<_, String>(1)?))))?;
    let words: HashMap<i64, EcoString> = words.collect::<Result<_, _>>()?;
    let removed = super::clean::last_removed(connection)?;
    let mut later = connection.prepare("SELECT position, entries FROM rpa_entries WHERE run = ?1 ORDER BY position")?;
    let mut statement = connection.prepare(
        "SELECT r.id, r.state, r.ended, r.outcome, r.arguments, r.entries, r.parent, p.id, f.number, v.number, \
         v.sources IS NULL, w.run FROM rpa_runs r LEFT JOIN rpa_runs p ON p.id = r.parent \
         LEFT JOIN rpa_flows f ON f.number = r.flow LEFT JOIN rpa_versions v ON v.number = r.version \
         LEFT JOIN rpa_waits w ON w.run = r.id ORDER BY r.id",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        inspection.runs += 1;
        let run: i64 = row.get(0)?;
        let mut wrong = |what: &str| inspection.say(&codes::JOURNAL, format!("run {run} {what}"), GO_BACK);
        let state = u8::try_from(row.get::<_, i64>(1)?).ok().and_then(RunState::from_number);
        let column = |index: usize| row.get_ref(index).map(|value| value.as_blob_or_null().ok().flatten());
        let first = column(5)?.map(|bytes| expand(bytes, &[]));
        let behind = first.iter().flatten().next().map_or(&[][..], Vec::as_slice);
        let outcome = expand(column(3)?.unwrap_or_default(), behind);
        let arguments = expand(column(4)?.unwrap_or_default(), behind);
        // One who wants what lies behind the entries is told of the entries alone.
        let can_tell = first.as_ref().is_none_or(Option::is_some);
        let is_read = |value: &Option<Vec<u8>>, read: fn(&[u8]) -> bool| match value {
            Some(bytes) => read(bytes),
            None => !can_tell,
        };
        let has_ended = row.get::<_, Option<i64>>(2)?.is_some();
        match state {
            None => wrong("is in a state that does not exist"),
            Some(state) if state.is_over() && !has_ended => wrong("is over, and it is not kept when it ended"),
            Some(state) if !state.is_over() && has_ended => wrong("has not ended, and has a time when it did"),
            Some(RunState::Done) if !is_read(&outcome, |bytes| decode(bytes).is_ok()) => {
                wrong("is done, and its result can't be read")
            }
            Some(RunState::Failed | RunState::Cancelled)
                if !is_read(&outcome, |bytes| RunFailure::decode(bytes).is_some()) =>
            {
                wrong("has failed or was cancelled, and why can't be read");
            }
            Some(RunState::Waiting) if row.get::<_, Option<i64>>(11)?.is_none() => {
                wrong("waits, and it is not kept for what");
            }
            Some(_) => {}
        }
        if !is_read(&arguments, |bytes| decode(bytes).is_ok()) {
            wrong("has arguments that can't be read");
        }
        if row.get::<_, Option<i64>>(8)?.is_none() {
            wrong("is of a flow whose name is not kept");
        }
        let is_over = state.is_none_or(RunState::is_over);
        match (row.get::<_, Option<i64>>(9)?, row.get::<_, bool>(10)?) {
            (None, _) => wrong("is of a version of its script that is not there"),
            (Some(_), true) if !is_over => wrong("has not ended, and the texts of its version are not kept"),
            _ => {}
        }
        if let (Some(parent), None) = (row.get::<_, Option<i64>>(6)?, row.get::<_, Option<i64>>(7)?)
            && parent > removed
        {
            inspection.say(
                &codes::DANGLING,
                format!("run {run} was begun by run {parent}, which is not there"),
                GO_BACK,
            );
        }
        let mut next = 0_u32;
        let mut count = 0_u64;
        let mut problem = None;
        let mut look = |bytes: Option<Vec<u8>>, position: Option<i64>| {
            let Some(entries) = bytes.and_then(|bytes| unpack(&bytes, &words)) else {
                problem.get_or_insert_with(|| format!("has entries that can't be read, after its first {count}"));
                return;
            };
            count += entries.len() as u64;
            for (at, entry) in entries.iter().enumerate() {
                let is_kept_there = at > 0 || position.is_none_or(|position| position == i64::from(entry.position));
                if problem.is_none() && (entry.position != next || !is_kept_there) {
                    problem =
                        Some(format!("has a gap in its entries: {} comes where {next} should be", entry.position));
                }
                next = entry.position.saturating_add(1);
            }
        };
        if let Some(bytes) = first {
            look(bytes, None);
        }
        let mut blobs = later.query([run])?;
        while let Some(blob) = blobs.next()? {
            look(expand(blob.get_ref(1)?.as_blob().unwrap_or_default(), &[]), Some(blob.get(0)?));
        }
        inspection.entries += count;
        if let Some(problem) = problem {
            inspection.say(&codes::JOURNAL, format!("run {run} {problem}"), GO_BACK);
        }
    }
    Ok(())
}

/// Texts and versions have the hashes that they are named by.
fn versions(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let mut statement = connection.prepare("SELECT hash, text FROM rpa_texts")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let hash: String = row.get(0)?;
        let text = row.get_ref(1)?.as_bytes().unwrap_or_default();
        if hex(&Sha256::digest(text)) != hash {
            inspection.say(
                &codes::VERSION,
                format!("the text of a script that is kept as {} was changed", short(&hash)),
                GO_BACK,
            );
        }
    }
    let mut text = connection.prepare("SELECT text FROM rpa_texts WHERE hash = ?1")?;
    let mut statement = connection.prepare("SELECT version, sources FROM rpa_versions WHERE sources IS NOT NULL")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        inspection.versions += 1;
        let version: String = row.get(0)?;
        let name = short(&version);
        let Ok(sources) = serde_json::from_str::<Vec<(String, String)>>(&row.get::<_, String>(1)?) else {
            inspection.say(
                &codes::VERSION,
                format!("what belongs to the script version {name} can't be read"),
                GO_BACK,
            );
            continue;
        };
        let mut whole = Sha256::new();
        let mut is_there = true;
        for (source, hash) in &sources {
            match text.query_row([hash], |row| row.get::<_, String>(0)).optional()? {
                Some(text) => {
                    whole.update((text.len() as u64).to_le_bytes());
                    whole.update(text.as_bytes());
                }
                None => {
                    is_there = false;
                    let message = format!("of the script version {name} the text of `{source}` is not there");
                    inspection.say(&codes::VERSION, message, GO_BACK);
                }
            }
        }
        let is_hash = version.len() == 64 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_there && is_hash && hex(&whole.finalize()) != version {
            let message = format!("the texts of the script version {name} are not those that it was made of");
            inspection.say(&codes::VERSION, message, GO_BACK);
        }
    }
    Ok(())
}

/// What names a run names one that is there.
fn references(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let all = [
        ("rpa_entries", "run", "entries of the journal", "1"),
        ("rpa_outbox", "run", "mails", "run > 0"),
        ("rpa_inbox", "run", "questions", "1"),
        ("rpa_waits", "run", "waits", "1"),
        ("rpa_watches", "run", "watches for records", "1"),
        ("rpa_joins", "waiter", "waits for the end of another run", "1"),
        ("rpa_joins", "run", "waits for the end of a run", "1"),
        ("rpa_slots", "run", "places of `at most … at once`", "1"),
    ];
    for (table, column, what, which) in all {
        let (count, first): (i64, Option<i64>) = connection.query_row(
            &format!(
                "SELECT count(DISTINCT {column}), min({column}) FROM {table} WHERE {which} \
                 AND {column} NOT IN (SELECT id FROM rpa_runs)"
            ),
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if let (1.., Some(first)) = (count, first) {
            let runs = if count == 1 { format!("run {first}") } else { format!("{count} runs, the first is {first},") };
            inspection.say(&codes::DANGLING, format!("there are {what} of {runs} and no such run"), GO_BACK);
        }
    }
    let text = "SELECT w.run FROM rpa_waits w JOIN rpa_runs r ON r.id = w.run WHERE r.state <> 4 LIMIT 1";
    if let Some(run) = connection.query_row(text, (), |row| row.get::<_, i64>(0)).optional()? {
        inspection.say(&codes::JOURNAL, format!("run {run} does not wait, and it is kept for what it does"), GO_BACK);
    }
    Ok(())
}

/// Records have the form of their fields.
fn records(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let layout = super::open::read_layout(connection)?;
    for (name, entity) in &layout.entities {
        let table = quoted(&entity.table);
        let fields: Vec<&FieldLayout> = entity.fields.iter().filter(|field| !field.aside).collect();
        let columns: Vec<String> =
            fields.iter().flat_map(|field| &field.columns).map(|column| quoted(column)).collect();
        if columns.is_empty() {
            continue;
        }
        let key = entity.fields.iter().find(|field| field.name == entity.key);
        let order = key.and_then(|key| key.columns.first()).map_or("1".to_string(), |column| quoted(column));
        let mut statement =
            connection.prepare(&format!("SELECT {} FROM {table} ORDER BY {order}", columns.join(", ")))?;
        let mut rows = statement.query(())?;
        let mut before = 0_u64;
        while let Some(row) = rows.next()? {
            let mut at = 0;
            for field in &fields {
                let mut values = Vec::with_capacity(2);
                for _ in &field.columns {
                    values.push(row.get_ref(at)?);
                    at += 1;
                }
                if let Some(problem) = problem_of(field, &values) {
                    let message = format!("{} has a wrong `{}`: {problem}", with_article(name), field.name);
                    let help = format!(
                        "`sqlite3 STORE \"SELECT * FROM {table} ORDER BY {order} LIMIT 1 OFFSET {before}\"` shows it; \
                         correct the value with the tool that wrote it"
                    );
                    inspection.say(&codes::BAD_RECORD, message, &help);
                }
            }
            before += 1;
        }
        inspection.records += before;
    }
    Ok(())
}

/// What is wrong with the columns of a field.
fn problem_of(field: &FieldLayout, values: &[ValueRef<'_>]) -> Option<String> {
    if values.contains(&ValueRef::Null) {
        return (!field.optional).then(|| "there is no value".to_string());
    }
    let (kind, members) = match field.kind.as_str() {
        // `Product by sku: text`
        "reference" => (field.detail.rsplit(": ").next().unwrap_or(""), None),
        kind => (kind, (kind == "enum").then_some(field.detail.as_str())),
    };
    let first = *values.first()?;
    let text = first.as_str().ok();
    let is_fine = match (kind, text) {
        ("bool" | "int" | "duration", _) => matches!(first, ValueRef::Integer(_)),
        (_, None) => false,
        ("decimal" | "percent", Some(text)) => read_decimal(text).is_ok(),
        ("money", Some(text)) => {
            let currency = values.get(1).and_then(|value| value.as_str().ok());
            read_decimal(text).is_ok() && currency.is_some_and(|code| Currency::from_code(code).is_some())
        }
        ("date", Some(text)) => read_date(text).is_ok(),
        ("time", Some(text)) => read_time(text).is_ok(),
        ("instant", Some(text)) => read_instant(text).is_ok(),
        ("enum", Some(text)) => members.is_none_or(|members| members.split(", ").any(|member| member == text)),
        ("document", Some(text)) => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
        (_, Some(_)) => true,
    };
    (!is_fine).then(|| format!("it is no {}", if kind == "document" { "JSON document" } else { kind }))
}

fn counts(connection: &Connection, inspection: &mut Inspection) -> Done<()> {
    let mails: i64 = connection.query_row("SELECT count(*) FROM rpa_outbox", (), |row| row.get(0))?;
    inspection.mails = mails.unsigned_abs();
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The beginning of a hash, as people are shown it.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
