//! The journal: runs, their entries, and the versions of the scripts they are pinned to.
//!
//! Written for every step, so it is kept short: names of flows and versions are numbers, moments are
//! milliseconds, small lists are bytes. The view `rpa_run_list` shows runs to people.

use super::failure::{Done, bad_record, internal};
use crate::value::{EcoString, Instant};
use crate::world::{Begin, Change, ChangeKind, Entry, EntryKind, KeptVersion, RunFilter, RunId, RunRecord, RunState};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;

/// The tables of the journal.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_flows (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE rpa_texts (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_versions (
  number INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE, sources TEXT, names TEXT
) STRICT;
CREATE TABLE rpa_runs (
  id INTEGER PRIMARY KEY, parent INTEGER, flow INTEGER NOT NULL, key TEXT, version INTEGER NOT NULL,
  state INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER,
  fingerprint BLOB NOT NULL, arguments BLOB NOT NULL, outcome BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX rpa_runs_key ON rpa_runs (flow, key) WHERE key IS NOT NULL;
CREATE INDEX rpa_runs_parent ON rpa_runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX rpa_runs_not_done ON rpa_runs (state) WHERE state <> 2;
CREATE TABLE rpa_entries (
  run INTEGER NOT NULL, position INTEGER NOT NULL, kind INTEGER NOT NULL, step INTEGER, path BLOB,
  at INTEGER NOT NULL, took INTEGER NOT NULL, payload BLOB, changes BLOB,
  PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE VIEW rpa_run_list AS
  SELECT r.id, f.name AS flow, r.key, CASE r.state WHEN 1 THEN 'running' WHEN 2 THEN 'done' ELSE 'failed' END AS state,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.started / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.ended / 1000.0, 'unixepoch') AS ended, r.parent
  FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow;
";

/// Numbers of flows and versions that were looked up in the open transaction or before.
#[derive(Debug, Default)]
pub(super) struct Names {
    flows: HashMap<EcoString, i64>,
    versions: HashMap<EcoString, i64>,
}

impl Names {
    /// Forgets everything: some of it may have been taken back.
    pub fn clear(&mut self) {
        self.flows.clear();
        self.versions.clear();
    }

    fn flow(&mut self, connection: &Connection, name: &EcoString) -> Done<i64> {
        numbered(connection, &mut self.flows, name, "rpa_flows (name)")
    }

    fn version(&mut self, connection: &Connection, version: &EcoString) -> Done<i64> {
        numbered(connection, &mut self.versions, version, "rpa_versions (version)")
    }
}

/// The number of a name in a table, which gets it when it is new.
fn numbered(connection: &Connection, known: &mut HashMap<EcoString, i64>, name: &EcoString, place: &str) -> Done<i64> {
    if let Some(number) = known.get(name) {
        return Ok(*number);
    }
    let column = place.split_once('(').map_or("", |(_, column)| column.trim_end_matches(')'));
    let table = place.split_once(' ').map_or("", |(table, _)| table);
    let found: Option<i64> = connection
        .query_row(&format!("SELECT number FROM {table} WHERE {column} = ?1"), [name.as_str()], |row| row.get(0))
        .optional()?;
    let number = match found {
        Some(number) => number,
        None => {
            connection.execute(&format!("INSERT INTO {place} VALUES (?1)"), [name.as_str()])?;
            connection.last_insert_rowid()
        }
    };
    known.insert(name.clone(), number);
    Ok(number)
}

/// Begins a run, or finds the one that has its flow and key.
pub(super) fn begin(connection: &Connection, names: &mut Names, run: &RunRecord) -> Done<Begin> {
    let flow = names.flow(connection, &run.flow)?;
    let version = names.version(connection, &run.version)?;
    let key = run.key.as_deref();
    let parameters: [&dyn ToSql; 10] = [
        &run.parent.map(|parent| parent.0),
        &flow,
        &key,
        &version,
        &(run.state as u8),
        &run.started.milliseconds(),
        &run.ended.map(Instant::milliseconds),
        &run.fingerprint,
        &run.arguments,
        &run.outcome,
    ];
    let made = connection
        .prepare_cached(
            "INSERT INTO rpa_runs (parent, flow, key, version, state, started, ended, fingerprint, arguments, outcome) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        )?
        .execute(parameters.as_slice())?;
    if made > 0 {
        return Ok(Begin::New(RunId(connection.last_insert_rowid())));
    }
    let text = format!("{SELECT} WHERE r.flow = ?1 AND r.key = ?2");
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query((flow, key))?;
    match rows.next()? {
        Some(row) => Ok(Begin::Known(read_run(row)?)),
        None => Err(internal("a run was neither new nor known")),
    }
}

/// Appends an entry to a run.
pub(super) fn append(connection: &Connection, run: RunId, entry: &Entry) -> Done<()> {
    let mut path = Vec::new();
    entry.path.iter().for_each(|item| unsigned(u64::from(*item), &mut path));
    let mut changes = Vec::new();
    for change in &entry.changes {
        changes.push(change.kind as u8);
        for text in [&change.what, &change.which] {
            unsigned(text.len() as u64, &mut changes);
            changes.extend_from_slice(text.as_bytes());
        }
    }
    let parameters: [&dyn ToSql; 9] = [
        &run.0,
        &entry.position,
        &(entry.kind as u8),
        &(entry.step != u32::MAX).then_some(entry.step),
        &some(&path),
        &entry.at.milliseconds(),
        &entry.took,
        &some(&entry.payload),
        &some(&changes),
    ];
    connection
        .prepare_cached(
            "INSERT INTO rpa_entries (run, position, kind, step, path, at, took, payload, changes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(parameters.as_slice())?;
    Ok(())
}

fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

/// Ends a run.
pub(super) fn end(connection: &Connection, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Done<()> {
    let changed = connection
        .prepare_cached("UPDATE rpa_runs SET state = ?2, outcome = ?3, ended = ?4 WHERE id = ?1")?
        .execute((run.0, state as u8, outcome, at.milliseconds()))?;
    expect_one(changed, run)
}

/// Begins a failed run again.
pub(super) fn reopen(connection: &Connection, names: &mut Names, run: RunId, with: &RunRecord) -> Done<()> {
    let version = names.version(connection, &with.version)?;
    let parameters: [&dyn ToSql; 6] = [
        &run.0,
        &with.parent.map(|parent| parent.0),
        &version,
        &with.arguments,
        &with.fingerprint,
        &with.started.milliseconds(),
    ];
    let changed = connection
        .prepare_cached(
            "UPDATE rpa_runs SET parent = ?2, version = ?3, arguments = ?4, fingerprint = ?5, started = ?6, \
             state = 1, outcome = x'', ended = NULL WHERE id = ?1",
        )?
        .execute(parameters.as_slice())?;
    expect_one(changed, run)
}

fn expect_one(changed: usize, run: RunId) -> Done<()> {
    if changed == 1 { Ok(()) } else { Err(internal(format!("there is no run {}", run.0))) }
}

/// The entries of a run, in order.
pub(super) fn entries(connection: &Connection, run: RunId) -> Done<Vec<Entry>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, kind, step, path, at, took, payload, changes FROM rpa_entries WHERE run = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([run.0])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = EntryKind::from_number(row.get(1)?);
        entries.push(Entry {
            position: row.get(0)?,
            kind: kind.ok_or_else(|| damaged(run))?,
            step: row.get::<_, Option<u32>>(2)?.unwrap_or(u32::MAX),
            path: path(row.get_ref(3)?.as_blob_or_null().map_err(rusqlite::Error::from)?)
                .ok_or_else(|| damaged(run))?,
            at: Instant::from_milliseconds(row.get(4)?).map_err(|_| damaged(run))?,
            took: row.get(5)?,
            payload: row.get::<_, Option<Vec<u8>>>(6)?.unwrap_or_default(),
            changes: changes(row.get_ref(7)?.as_blob_or_null().map_err(rusqlite::Error::from)?)
                .ok_or_else(|| damaged(run))?,
        });
    }
    Ok(entries)
}

fn damaged(run: RunId) -> super::failure::Trouble {
    bad_record(format!("the journal of run {} can't be read", run.0))
}

fn path(bytes: Option<&[u8]>) -> Option<Vec<u32>> {
    let mut reader = Reader { rest: bytes.unwrap_or_default() };
    let mut path = Vec::new();
    while !reader.rest.is_empty() {
        path.push(u32::try_from(reader.unsigned()?).ok()?);
    }
    Some(path)
}

fn changes(bytes: Option<&[u8]>) -> Option<Vec<Change>> {
    let mut reader = Reader { rest: bytes.unwrap_or_default() };
    let mut changes = Vec::new();
    while let Some((kind, rest)) = reader.rest.split_first() {
        reader.rest = rest;
        changes.push(Change { kind: ChangeKind::from_number(*kind)?, what: reader.text()?, which: reader.text()? });
    }
    Some(changes)
}

/// Seven bits a byte, the lowest first; the top bit says that another byte follows (LEB128).
fn unsigned(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..=56).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<EcoString> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok().map(EcoString::from)
    }
}

const SELECT: &str = "SELECT r.id, r.parent, f.name, r.key, v.version, r.arguments, r.fingerprint, r.state, r.outcome, \
     r.started, r.ended FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow \
     JOIN rpa_versions v ON v.number = r.version";

fn read_run(row: &Row<'_>) -> Done<RunRecord> {
    let id = RunId(row.get(0)?);
    let text = |index: usize| -> Done<EcoString> {
        Ok(EcoString::from(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?))
    };
    let instant = |milliseconds| Instant::from_milliseconds(milliseconds).map_err(|_| damaged(id));
    Ok(RunRecord {
        id,
        parent: row.get::<_, Option<i64>>(1)?.map(RunId),
        flow: text(2)?,
        key: row.get::<_, Option<String>>(3)?.map(EcoString::from),
        version: text(4)?,
        arguments: row.get(5)?,
        fingerprint: row.get(6)?,
        state: RunState::from_number(row.get(7)?).ok_or_else(|| damaged(id))?,
        outcome: row.get(8)?,
        started: instant(row.get(9)?)?,
        ended: row.get::<_, Option<i64>>(10)?.map(instant).transpose()?,
    })
}

fn read_runs(connection: &Connection, rest: &str, parameters: &[&dyn ToSql]) -> Done<Vec<RunRecord>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} {rest}"))?;
    let mut rows = statement.query(parameters)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(read_run(row)?);
    }
    Ok(runs)
}

/// A run.
pub(super) fn run(connection: &Connection, run: RunId) -> Done<Option<RunRecord>> {
    Ok(read_runs(connection, "WHERE r.id = ?1", &[&run.0])?.pop())
}

/// Runs, the newest first, at most as many as the filter's limit says (a limit of 0 gives none).
pub(super) fn runs(connection: &Connection, filter: &RunFilter) -> Done<Vec<RunRecord>> {
    let mut text = String::from("WHERE 1");
    let mut parameters: Vec<&dyn ToSql> = Vec::new();
    if let Some(flow) = &filter.flow {
        parameters.push(flow);
        let _ = write!(text, " AND r.flow = (SELECT number FROM rpa_flows WHERE name = ?{})", parameters.len());
    }
    if let Some(key) = &filter.key {
        parameters.push(key);
        let _ = write!(text, " AND r.key = ?{}", parameters.len());
    }
    if let Some(state) = filter.state {
        // The numbers stand in the text, so that the index of those that are not done can be used.
        let _ = write!(text, " AND r.state = {}", state as u8);
        if state != RunState::Done {
            text.push_str(" AND r.state <> 2");
        }
    }
    if filter.top_level {
        text.push_str(" AND r.parent IS NULL");
    }
    let limit = limit(filter.limit);
    parameters.push(&limit);
    let _ = write!(text, " ORDER BY r.id DESC LIMIT ?{}", parameters.len());
    read_runs(connection, &text, &parameters)
}

/// The runs that have this one as their parent, the oldest first.
pub(super) fn children(connection: &Connection, run: RunId, most: usize) -> Done<Vec<RunRecord>> {
    read_runs(connection, "WHERE r.parent = ?1 ORDER BY r.id LIMIT ?2", &[&run.0, &limit(most)])
}

/// A number of rows in SQL.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// How many runs have this one as their parent, by flow and state.
pub(super) fn count_children(connection: &Connection, run: RunId) -> Done<Vec<(EcoString, RunState, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT f.name, c.state, c.n FROM (SELECT flow, state, count(*) AS n FROM rpa_runs WHERE parent = ?1 \
         GROUP BY flow, state) c JOIN rpa_flows f ON f.number = c.flow ORDER BY f.name, c.state",
    )?;
    let mut rows = statement.query([run.0])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let flow: String = row.get(0)?;
        let state = RunState::from_number(row.get(1)?).ok_or_else(|| damaged(run))?;
        let count: i64 = row.get(2)?;
        counts.push((flow.into(), state, count.unsigned_abs()));
    }
    Ok(counts)
}

/// Keeps a version of a script; texts that other versions have too are kept once.
pub(super) fn keep_version(connection: &Connection, names: &mut Names, version: &str, kept: &KeptVersion) -> Done<()> {
    let number = names.version(connection, &version.into())?;
    let missing: bool =
        connection
            .query_row("SELECT sources IS NULL FROM rpa_versions WHERE number = ?1", [number], |row| row.get(0))?;
    if !missing {
        return Ok(());
    }
    let mut sources = Vec::with_capacity(kept.sources.len());
    for (name, text) in &kept.sources {
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(hash, "{byte:02x}");
        }
        connection
            .prepare_cached("INSERT INTO rpa_texts (hash, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute((&hash, text))?;
        sources.push((name, hash));
    }
    let sources = serde_json::to_string(&sources).map_err(|error| internal(error.to_string()))?;
    connection.execute(
        "UPDATE rpa_versions SET sources = ?2, names = ?3 WHERE number = ?1",
        (number, sources, &kept.names),
    )?;
    Ok(())
}

/// A version that was kept.
pub(super) fn version(connection: &Connection, version: &str) -> Done<Option<KeptVersion>> {
    let found: Option<(String, String)> = connection
        .query_row(
            "SELECT sources, names FROM rpa_versions WHERE version = ?1 AND sources IS NOT NULL",
            [version],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((sources, names)) = found else { return Ok(None) };
    let wrong = || bad_record(format!("the script version {version} can't be read"));
    let hashes: Vec<(String, String)> = serde_json::from_str(&sources).map_err(|_| wrong())?;
    let mut statement = connection.prepare_cached("SELECT text FROM rpa_texts WHERE hash = ?1")?;
    let mut sources = Vec::with_capacity(hashes.len());
    for (name, hash) in hashes {
        let text: Option<String> = statement.query_row([hash], |row| row.get(0)).optional()?;
        sources.push((name, text.ok_or_else(wrong)?));
    }
    Ok(Some(KeptVersion { sources, names }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(read) = path(Some(&bytes)) {
                prop_assert!(read.len() <= bytes.len());
            }
            if let Some(read) = changes(Some(&bytes)) {
                prop_assert!(read.len() <= bytes.len());
            }
        }
    }
}
