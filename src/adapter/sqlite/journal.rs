//! The journal: runs, their entries, and the versions of the scripts they are pinned to.
//!
//! Written for every step, so it is kept short: names of flows and versions are numbers, moments are
//! milliseconds, and the entries that a run has in one commit are one value (`entry`), in the row of the run when
//! it began in that commit; what a row says twice it says once (`squeeze`). Until then they are held in memory (`pending`). The view `rpa_run_list` shows runs to
//! people.

use super::desk::Desk;
use super::entry::{Packed, damaged, is_word, unpack};
use super::failure::{Done, bad_record, internal};
use super::pending::{Begun, Pending};
use super::squeeze::{self, expand};
use crate::value::{EcoString, Instant};
use crate::world::{Begin, Entry, KeptVersion, RunFilter, RunId, RunRecord, RunState};
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
  state INTEGER NOT NULL, worker INTEGER, starter TEXT, started INTEGER NOT NULL, ended INTEGER,
  fingerprint BLOB NOT NULL, arguments BLOB NOT NULL, outcome BLOB NOT NULL, entries BLOB
) STRICT;
CREATE UNIQUE INDEX rpa_runs_key ON rpa_runs (flow, key) WHERE key IS NOT NULL;
CREATE INDEX rpa_runs_parent ON rpa_runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX rpa_runs_not_done ON rpa_runs (state) WHERE state <> 2;
CREATE TABLE rpa_entries (
  run INTEGER NOT NULL, position INTEGER NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_words (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
CREATE VIEW rpa_run_list AS
  SELECT r.id, f.name AS flow, r.key, CASE r.state WHEN 1 THEN 'running' WHEN 2 THEN 'done' WHEN 3 THEN 'failed' WHEN 4 THEN 'waiting'
      ELSE 'cancelled' END AS state,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.started / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.ended / 1000.0, 'unixepoch') AS ended, r.parent
  FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow;
";

/// Numbers by name.
type Numbers = HashMap<EcoString, i64, foldhash::fast::RandomState>;

/// Numbers of flows, versions and words that were looked up in the open transaction or before.
#[derive(Debug, Default)]
pub(super) struct Names {
    flows: Numbers,
    versions: Numbers,
    words: Numbers,
    /// The words by their numbers, as far as they were read.
    spelled: HashMap<i64, EcoString>,
    /// Whether a number was given out in the open transaction.
    is_new: bool,
}

impl Names {
    /// Forgets everything: some of it may have been taken back.
    pub fn clear(&mut self) {
        *self = Names::default();
    }

    /// Forgets what may have been taken back with a part of the transaction.
    pub fn part_taken_back(&mut self) {
        if self.is_new {
            self.clear();
            // What is looked up again may still be taken back with the part around it.
            self.is_new = true;
        }
    }

    /// What was given out is on disk.
    pub fn committed(&mut self) {
        self.is_new = false;
    }

    /// Whether flow and version have their numbers.
    pub fn know_run(&self, run: &RunRecord) -> bool {
        self.flows.contains_key(&run.flow) && self.versions.contains_key(&run.version)
    }

    /// Whether all words of an entry have their numbers.
    pub fn know_words(&self, entry: &Entry) -> bool {
        entry.changes.iter().all(|change| !is_word(change.kind) || self.words.contains_key(&change.what))
    }

    /// Sees to it that they have.
    pub fn learn_words(&mut self, desk: &Desk, entry: &Entry) -> Done<()> {
        for change in entry.changes.iter().filter(|change| is_word(change.kind)) {
            self.is_new |= numbered(desk, &mut self.words, &change.what, "rpa_words (word)")?.1;
        }
        Ok(())
    }

    /// The number of a word.
    pub fn word(&self, word: &EcoString) -> Option<i64> {
        self.words.get(word).copied()
    }

    fn flow(&mut self, desk: &Desk, name: &EcoString) -> Done<i64> {
        let (number, is_new) = numbered(desk, &mut self.flows, name, "rpa_flows (name)")?;
        self.is_new |= is_new;
        Ok(number)
    }

    fn version(&mut self, desk: &Desk, version: &EcoString) -> Done<i64> {
        let (number, is_new) = numbered(desk, &mut self.versions, version, "rpa_versions (version)")?;
        self.is_new |= is_new;
        Ok(number)
    }

    /// All words by their numbers.
    fn spelled(&mut self, connection: &Connection) -> Done<&HashMap<i64, EcoString>> {
        let count: i64 =
            connection.prepare_cached("SELECT count(*) FROM rpa_words")?.query_row((), |row| row.get(0))?;
        if i64::try_from(self.spelled.len()) != Ok(count) {
            let mut statement = connection.prepare_cached("SELECT number, word FROM rpa_words")?;
            let words = statement.query_map((), |row| Ok((row.get(0)?, EcoString::from(row.get::<_, String>(1)?))))?;
            self.spelled = words.collect::<Result<_, _>>()?;
        }
        Ok(&self.spelled)
    }
}

/// The number of a name in a table, which gets it when it is new, and whether it is.
fn numbered(desk: &Desk, known: &mut Numbers, name: &EcoString, place: &str) -> Done<(i64, bool)> {
    if let Some(number) = known.get(name) {
        return Ok((*number, false));
    }
    let column = place.split_once('(').map_or("", |(_, column)| column.trim_end_matches(')'));
    let table = place.split_once(' ').map_or("", |(table, _)| table);
    let found: Option<i64> = desk
        .prepare_cached(&format!("SELECT number FROM {table} WHERE {column} = ?1"))?
        .query_row([name.as_str()], |row| row.get(0))
        .optional()?;
    let number = match found {
        Some(number) => number,
        None => {
            desk.prepare_cached(&format!("INSERT INTO {place} VALUES (?1)"))?.execute([name.as_str()])?;
            desk.last_insert_rowid()
        }
    };
    known.insert(name.clone(), number);
    Ok((number, found.is_none()))
}

/// Begins a run, or finds the one that has its flow and key.
pub(super) fn begin(
    desk: &Desk,
    names: &mut Names,
    pending: &mut Pending,
    worker: Option<i64>,
    run: &RunRecord,
) -> Done<Begin> {
    let flow = names.flow(desk, &run.flow)?;
    let version = names.version(desk, &run.version)?;
    if let Some(key) = &run.key {
        if let Some(known) = pending.with_key(flow, key) {
            return Ok(Begin::Known(known.clone()));
        }
        let connection = if pending.has_key(flow, key) { desk } else { desk.before() };
        let found: Option<i64> = connection
            .prepare_cached("SELECT id FROM rpa_runs WHERE flow = ?1 AND key = ?2")?
            .query_row((flow, key.as_str()), |row| row.get(0))
            .optional()?;
        if let Some(found) = found {
            let known = self::run(desk, pending, RunId(found))?;
            return known.map(Begin::Known).ok_or_else(|| internal("a run was neither new nor known"));
        }
    }
    pending.begin(desk, Begun { record: run.clone(), flow, version, worker }).map(Begin::New)
}

fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Ends a run.
pub(super) fn end(connection: &Connection, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Done<()> {
    let changed = connection
        .prepare_cached("UPDATE rpa_runs SET state = ?2, outcome = ?3, ended = ?4, worker = NULL WHERE id = ?1")?
        .execute((run.0, state as u8, squeeze::alone(outcome), at.milliseconds()))?;
    expect_one(changed, run)
}

/// Begins a failed run again.
pub(super) fn reopen(desk: &Desk, names: &mut Names, worker: Option<i64>, run: RunId, with: &RunRecord) -> Done<()> {
    let version = names.version(desk, &with.version)?;
    let parameters: [&dyn ToSql; 8] = [
        &run.0,
        &with.parent.map(|parent| parent.0),
        &version,
        &squeeze::alone(&with.arguments),
        &with.fingerprint,
        &with.started.milliseconds(),
        &worker,
        &some_text(&with.starter),
    ];
    let changed = desk
        .prepare_cached(
            "UPDATE rpa_runs SET parent = ?2, version = ?3, arguments = ?4, fingerprint = ?5, started = ?6, \
             worker = ?7, starter = ?8, state = 1, outcome = x'', ended = NULL WHERE id = ?1",
        )?
        .execute(parameters.as_slice())?;
    expect_one(changed, run)
}

/// Gives a run another version.
pub(super) fn move_run(desk: &Desk, names: &mut Names, run: RunId, version: &str, arguments: &[u8]) -> Done<()> {
    let version = names.version(desk, &version.into())?;
    let changed = desk.prepare_cached("UPDATE rpa_runs SET version = ?2, arguments = ?3 WHERE id = ?1")?.execute((
        run.0,
        version,
        squeeze::alone(arguments),
    ))?;
    expect_one(changed, run)
}

fn expect_one(changed: usize, run: RunId) -> Done<()> {
    if changed == 1 { Ok(()) } else { Err(internal(format!("there is no run {}", run.0))) }
}

/// The entries of a run, in order.
pub(super) fn entries(connection: &Connection, names: &mut Names, pending: &Pending, run: RunId) -> Done<Vec<Entry>> {
    let words = names.spelled(connection)?;
    let mut entries = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT entries, -1 AS position FROM rpa_runs WHERE id = ?1 AND entries IS NOT NULL \
         UNION ALL SELECT entries, position FROM rpa_entries WHERE run = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([run.0])?;
    while let Some(row) = rows.next()? {
        let bytes = expand(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, &[]);
        entries.extend(bytes.and_then(|bytes| unpack(&bytes, words)).ok_or_else(|| damaged(run))?);
    }
    if let Some(packed) = pending.entries(run).filter(|packed| !packed.is_empty()) {
        entries.extend(unpack(Packed::bytes(packed), words).ok_or_else(|| damaged(run))?);
    }
    Ok(entries)
}

const SELECT: &str = "SELECT r.id, r.parent, f.name, r.key, v.version, r.arguments, r.fingerprint, r.state, r.outcome, \
     r.started, r.ended, r.starter, r.entries FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow \
     JOIN rpa_versions v ON v.number = r.version";

fn read_run(row: &Row<'_>) -> Done<RunRecord> {
    let id = RunId(row.get(0)?);
    let text = |index: usize| -> Done<EcoString> {
        Ok(EcoString::from(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?))
    };
    let blob = |index: usize| -> Done<&[u8]> {
        Ok(row.get_ref(index)?.as_blob_or_null().map_err(rusqlite::Error::from)?.unwrap_or_default())
    };
    let (arguments, outcome) = (blob(5)?, blob(8)?);
    let entries = match squeeze::is_behind_entries(arguments) || squeeze::is_behind_entries(outcome) {
        true => expand(blob(12)?, &[]).ok_or_else(|| damaged(id))?,
        false => Vec::new(),
    };
    let expanded = |value: &[u8]| expand(value, &entries).ok_or_else(|| damaged(id));
    let instant = |milliseconds| Instant::from_milliseconds(milliseconds).map_err(|_| damaged(id));
    Ok(RunRecord {
        id,
        parent: row.get::<_, Option<i64>>(1)?.map(RunId),
        flow: text(2)?,
        starter: row.get::<_, Option<String>>(11)?.map(EcoString::from).unwrap_or_default(),
        key: row.get::<_, Option<String>>(3)?.map(EcoString::from),
        version: text(4)?,
        arguments: expanded(arguments)?,
        fingerprint: row.get(6)?,
        state: RunState::from_number(row.get(7)?).ok_or_else(|| damaged(id))?,
        outcome: expanded(outcome)?,
        started: instant(row.get(9)?)?,
        ended: row.get::<_, Option<i64>>(10)?.map(instant).transpose()?,
    })
}

pub(super) fn read_runs(connection: &Connection, rest: &str, parameters: &[&dyn ToSql]) -> Done<Vec<RunRecord>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} {rest}"))?;
    let mut rows = statement.query(parameters)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(read_run(row)?);
    }
    Ok(runs)
}

/// A run.
pub(super) fn run(connection: &Connection, pending: &Pending, run: RunId) -> Done<Option<RunRecord>> {
    if let Some(record) = pending.run(run) {
        return Ok(Some(record.clone()));
    }
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
    if filter.failed_children {
        text.push_str(" AND EXISTS (SELECT 1 FROM rpa_runs c WHERE c.parent = r.id AND c.state = 3)");
    }
    let since = filter.since.map(Instant::milliseconds);
    if let Some(since) = &since {
        parameters.push(since);
        let _ = write!(text, " AND r.started >= ?{}", parameters.len());
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
pub(super) fn keep_version(desk: &Desk, names: &mut Names, version: &str, kept: &KeptVersion) -> Done<()> {
    let number = names.version(desk, &version.into())?;
    let missing: bool =
        desk.query_row("SELECT sources IS NULL FROM rpa_versions WHERE number = ?1", [number], |row| row.get(0))?;
    if !missing {
        return Ok(());
    }
    let mut sources = Vec::with_capacity(kept.sources.len());
    for (name, text) in &kept.sources {
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(hash, "{byte:02x}");
        }
        desk.prepare_cached("INSERT INTO rpa_texts (hash, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute((&hash, text))?;
        sources.push((name, hash));
    }
    let sources = serde_json::to_string(&sources).map_err(|error| internal(error.to_string()))?;
    desk.execute("UPDATE rpa_versions SET sources = ?2, names = ?3 WHERE number = ?1", (number, sources, &kept.names))?;
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
