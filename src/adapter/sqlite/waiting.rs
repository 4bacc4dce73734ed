//! Runs that wait, whose changes wake them, their turns, and the inbox.
//!
//! A waiting run is a row of `rpa_waits` beside its row in `rpa_runs`; it is there exactly while the run waits, so
//! the indexes are as small as the number of runs that wait. What is looked up in groups (priorities, flows,
//! entities that are watched) is stepped through with one seek a group instead of being scanned.

use super::failure::{Done, Trouble, bad_record, internal};
use super::journal::limit;
use super::schema::Schema;
use crate::value::{EcoString, Instant, RecordId, Value};
use crate::world::{Answer, InboxFilter, Question, QuestionState, ReadyRun, RunId, Wait, WaitKind, Watch};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::fmt::Write;

/// The tables of what waits.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_waits (
  run INTEGER PRIMARY KEY, kind INTEGER NOT NULL, flow INTEGER NOT NULL, priority INTEGER NOT NULL, wake INTEGER,
  runs INTEGER NOT NULL, slot TEXT, what TEXT NOT NULL
) STRICT;
CREATE INDEX rpa_waits_wake ON rpa_waits (priority, flow, wake) WHERE wake IS NOT NULL;
CREATE INDEX rpa_waits_slot ON rpa_waits (slot, priority) WHERE slot IS NOT NULL;
CREATE TABLE rpa_watches (
  entity TEXT NOT NULL, field TEXT NOT NULL, value BLOB NOT NULL, run INTEGER NOT NULL,
  PRIMARY KEY (entity, field, value, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX rpa_watches_run ON rpa_watches (run);
CREATE TABLE rpa_joins (run INTEGER NOT NULL, waiter INTEGER NOT NULL, PRIMARY KEY (run, waiter)) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_slots (
  slot TEXT NOT NULL, run INTEGER NOT NULL, places INTEGER NOT NULL, PRIMARY KEY (slot, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX rpa_slots_run ON rpa_slots (run);
CREATE TABLE rpa_inbox (
  number INTEGER PRIMARY KEY, run INTEGER NOT NULL, step TEXT NOT NULL, path TEXT NOT NULL, role TEXT NOT NULL,
  question TEXT NOT NULL, form TEXT NOT NULL, asked INTEGER NOT NULL, until INTEGER, state INTEGER NOT NULL,
  answer BLOB, answered_by TEXT, answered INTEGER
) STRICT;
CREATE INDEX rpa_inbox_open ON rpa_inbox (number) WHERE state = 1;
CREATE INDEX rpa_inbox_run ON rpa_inbox (run);
";

/// The fields by which records are watched, by the name of the entity; an empty field watches all of its records.
pub(super) type Watched = Vec<(EcoString, EcoString)>;

/// Parks a run.
pub(super) fn park(connection: &Connection, schema: &Schema, run: RunId, wait: &Wait) -> Done<()> {
    let changed = connection
        .prepare_cached("UPDATE rpa_runs SET state = 4, worker = NULL WHERE id = ?1 AND state IN (1, 4)")?
        .execute([run.0])?;
    if changed != 1 {
        return Err(internal(format!("run {} can't wait: it has ended", run.0)));
    }
    connection
        .prepare_cached(
            "INSERT INTO rpa_waits (run, kind, flow, priority, wake, runs, slot, what) \
             SELECT ?1, ?2, flow, ?3, ?4, ?5, ?6, ?7 FROM rpa_runs WHERE id = ?1 \
             ON CONFLICT (run) DO UPDATE SET kind = excluded.kind, priority = excluded.priority, wake = excluded.wake, \
             runs = excluded.runs, slot = excluded.slot, what = excluded.what",
        )?
        .execute((
            run.0,
            wait.kind as u8,
            wait.priority,
            wait.wake.map(Instant::milliseconds),
            wait.runs,
            wait.slot.as_deref(),
            wait.what.as_str(),
        ))?;
    // What changes takes the watches of its record away.
    if !watch(connection, schema, run, &wait.watches)? {
        wake(connection, run, Instant::EPOCH)?;
    }
    Ok(())
}

/// Notes what a run watches; whether it had watched all of that before.
pub(super) fn watch(connection: &Connection, schema: &Schema, run: RunId, watches: &[Watch]) -> Done<bool> {
    let mut all = true;
    for watch in watches {
        let (entity, field, value) = watched(schema, watch)?;
        let made = connection
            .prepare_cached(
                "INSERT INTO rpa_watches (entity, field, value, run) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute((entity.as_str(), field.as_str(), value, run.0))?;
        all &= made == 0;
    }
    Ok(all)
}

/// How a watch is kept: entity, field, value; field and value are empty for every record of the entity.
fn watched(schema: &Schema, watch: &Watch) -> Done<(EcoString, EcoString, Vec<u8>)> {
    let entity = schema.entity(watch.entity).ok_or_else(|| internal("what is watched is no entity"))?;
    if let Some((at, value)) = &watch.with
        && let (Some(field), Some(key)) = (entity.fields.get(*at), Watch::key(value))
    {
        return Ok((entity.name.clone(), field.name.clone(), key));
    }
    Ok((entity.name.clone(), EcoString::new(), Vec::new()))
}

fn forget_watches(connection: &Connection, run: RunId) -> Done<()> {
    connection.prepare_cached("DELETE FROM rpa_watches WHERE run = ?1")?.execute([run.0])?;
    Ok(())
}

/// Takes a waiting run up again.
pub(super) fn unpark(connection: &Connection, run: RunId) -> Done<bool> {
    let removed = connection.prepare_cached("DELETE FROM rpa_waits WHERE run = ?1")?.execute([run.0])?;
    if removed == 0 {
        return Ok(false);
    }
    forget_watches(connection, run)?;
    connection.prepare_cached("UPDATE rpa_runs SET state = 1 WHERE id = ?1 AND state = 4")?.execute([run.0])?;
    Ok(true)
}

/// What a run waits for. What it watches is not read back.
pub(super) fn wait_of(connection: &Connection, run: RunId) -> Done<Option<Wait>> {
    let mut statement =
        connection.prepare_cached("SELECT kind, what, wake, priority, runs, slot FROM rpa_waits WHERE run = ?1")?;
    let mut rows = statement.query([run.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Wait {
        kind: WaitKind::from_number(row.get(0)?).ok_or_else(|| damaged(run))?,
        what: text(row, 1)?,
        wake: instant(row, 2)?,
        priority: row.get(3)?,
        runs: row.get(4)?,
        slot: row.get::<_, Option<String>>(5)?.map(EcoString::from),
        watches: Vec::new(),
    }))
}

/// Lets a waiting run go on from `at`.
pub(super) fn wake(connection: &Connection, run: RunId, at: Instant) -> Done<bool> {
    let changed = connection
        .prepare_cached("UPDATE rpa_waits SET wake = min(ifnull(wake, ?2), ?2) WHERE run = ?1")?
        .execute((run.0, at.milliseconds()))?;
    Ok(changed > 0)
}

/// The priorities at which a run has a time to go on, the highest first, and under each the flows.
fn each_group(connection: &Connection, mut visit: impl FnMut(i64, &[i64]) -> Done<bool>) -> Done<()> {
    let mut next_priority = connection.prepare_cached(
        "SELECT priority FROM rpa_waits WHERE wake IS NOT NULL AND priority <= ?1 ORDER BY priority DESC LIMIT 1",
    )?;
    let mut next_flow = connection.prepare_cached(
        "SELECT flow FROM rpa_waits WHERE wake IS NOT NULL AND priority = ?1 AND flow > ?2 ORDER BY flow LIMIT 1",
    )?;
    let mut most = i64::MAX;
    while let Some(priority) = next_priority.query_row([most], |row| row.get::<_, i64>(0)).optional()? {
        let mut flows = Vec::new();
        let mut last = i64::MIN;
        while let Some(flow) = next_flow.query_row([priority, last], |row| row.get(0)).optional()? {
            flows.push(flow);
            last = flow;
        }
        if !visit(priority, &flows)? || priority == i64::MIN {
            return Ok(());
        }
        most = priority - 1;
    }
    Ok(())
}

/// Waiting runs whose time has come.
pub(super) fn ready(connection: &Connection, now: Instant, most: usize) -> Done<Vec<ReadyRun>> {
    let mut due = connection.prepare_cached(
        "SELECT run FROM rpa_waits WHERE wake IS NOT NULL AND priority = ?1 AND flow = ?2 AND wake <= ?3 \
         ORDER BY wake, run LIMIT ?4",
    )?;
    let mut runs: Vec<i64> = Vec::new();
    each_group(connection, |priority, flows| {
        let left = most.saturating_sub(runs.len());
        let mut of_flows = Vec::with_capacity(flows.len());
        for flow in flows {
            let found = due.query_map((priority, flow, now.milliseconds(), limit(left)), |row| row.get(0))?;
            of_flows.push(found.collect::<Result<Vec<i64>, _>>()?.into_iter());
        }
        // From each flow in turn.
        while runs.len() < most {
            let before = runs.len();
            runs.extend(of_flows.iter_mut().filter_map(Iterator::next));
            if runs.len() == before {
                break;
            }
        }
        Ok(runs.len() < most)
    })?;
    runs.truncate(most);
    let mut of_run = connection.prepare_cached(
        "SELECT f.name, v.version FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow \
         JOIN rpa_versions v ON v.number = r.version WHERE r.id = ?1",
    )?;
    let mut ready = Vec::with_capacity(runs.len());
    for run in runs {
        let (flow, version) =
            of_run.query_row([run], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        ready.push(ReadyRun { run: RunId(run), flow: flow.into(), version: version.into() });
    }
    Ok(ready)
}

/// Lets all that wait for a moment look again.
pub(super) fn look_again(connection: &Connection) -> Done<()> {
    connection.execute("UPDATE rpa_waits SET wake = 0 WHERE wake > 0", ())?;
    Ok(())
}

/// When the next waiting run will go on by time.
pub(super) fn next_wake(connection: &Connection) -> Done<Option<Instant>> {
    let mut first = connection.prepare_cached(
        "SELECT wake FROM rpa_waits WHERE wake IS NOT NULL AND priority = ?1 AND flow = ?2 ORDER BY wake LIMIT 1",
    )?;
    let mut next: Option<i64> = None;
    each_group(connection, |priority, flows| {
        for flow in flows {
            let wake: Option<i64> = first.query_row([priority, *flow], |row| row.get(0)).optional()?;
            next = next.into_iter().chain(wake).min();
        }
        Ok(true)
    })?;
    next.map(|wake| Instant::from_milliseconds(wake).map_err(|_| damaged(RunId(0)))).transpose()
}

/// How many runs wait, by kind.
pub(super) fn count(connection: &Connection) -> Done<Vec<(WaitKind, u64)>> {
    let mut statement =
        connection.prepare_cached("SELECT kind, count(*) FROM rpa_waits GROUP BY kind ORDER BY kind")?;
    let mut rows = statement.query(())?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = WaitKind::from_number(row.get(0)?).ok_or_else(|| damaged(RunId(0)))?;
        counts.push((kind, row.get::<_, i64>(1)?.unsigned_abs()));
    }
    Ok(counts)
}

/// What is watched now, in few seeks.
pub(super) fn all_watched(connection: &Connection) -> Done<Watched> {
    let mut next = connection.prepare_cached(
        "SELECT entity, field FROM rpa_watches WHERE (entity, field) > (?1, ?2) ORDER BY entity, field LIMIT 1",
    )?;
    let mut watched: Watched = Vec::new();
    let (mut entity, mut field) = (String::new(), String::new());
    while let Some(found) =
        next.query_row((&entity, &field), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).optional()?
    {
        (entity, field) = found;
        watched.push((entity.as_str().into(), field.as_str().into()));
    }
    Ok(watched)
}

/// Wakes the runs that watch for a record that was made or changed.
pub(super) fn changed(
    connection: &Connection,
    schema: &Schema,
    watched: &Watched,
    entity: RecordId,
    record: &Value,
) -> Done<()> {
    let Some(entity) = schema.entity(entity) else { return Ok(()) };
    for (_, field) in watched.iter().filter(|(name, _)| *name == entity.name) {
        let key = if field.is_empty() {
            Some(Vec::new())
        } else {
            let at = entity.fields.iter().position(|each| each.name == *field);
            at.and_then(|at| record.fields()?.get(at)).and_then(Watch::key)
        };
        let Some(key) = key else { continue };
        let named = (entity.name.as_str(), field.as_str(), &key);
        connection
            .prepare_cached(
                "UPDATE rpa_waits SET wake = min(ifnull(wake, 0), 0) WHERE run IN \
                 (SELECT run FROM rpa_watches WHERE entity = ?1 AND field = ?2 AND value = ?3)",
            )?
            .execute(named)?;
        // They look for themselves, and watch again if that was not it. One that is just about to be parked finds
        // its watch gone.
        connection
            .prepare_cached("DELETE FROM rpa_watches WHERE entity = ?1 AND field = ?2 AND value = ?3")?
            .execute(named)?;
    }
    Ok(())
}

/// `waiter` waits for the end of `run`.
pub(super) fn join(connection: &Connection, run: RunId, waiter: RunId) -> Done<()> {
    connection
        .prepare_cached("INSERT INTO rpa_joins (run, waiter) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((run.0, waiter.0))?;
    Ok(())
}

/// Tells those who wait for a run that it has ended.
pub(super) fn tell_end(connection: &Connection, run: RunId, parent: Option<RunId>, now: Instant) -> Done<Vec<RunId>> {
    let mut waiters: Vec<i64> = connection
        .prepare_cached("DELETE FROM rpa_joins WHERE run = ?1 RETURNING waiter")?
        .query_map([run.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    waiters.extend(parent.map(|parent| parent.0));
    let mut ready = Vec::new();
    for waiter in waiters {
        let left: Option<u32> = connection
            .prepare_cached(
                "UPDATE rpa_waits SET runs = runs - 1, \
                 wake = CASE WHEN runs <= 1 THEN min(ifnull(wake, ?2), ?2) ELSE wake END \
                 WHERE run = ?1 AND runs > 0 RETURNING runs",
            )?
            .query_row((waiter, now.milliseconds()), |row| row.get(0))
            .optional()?;
        if left == Some(0) {
            ready.push(RunId(waiter));
        }
    }
    Ok(ready)
}

/// Takes a place of a slot.
pub(super) fn take_slot(connection: &Connection, slot: &str, run: RunId, places: u64) -> Done<bool> {
    let places = i64::try_from(places).unwrap_or(i64::MAX);
    let made = connection
        .prepare_cached(
            "INSERT INTO rpa_slots (slot, run, places) SELECT ?1, ?2, ?3 \
             WHERE (SELECT count(*) FROM rpa_slots WHERE slot = ?1 AND run <> ?2) < ?3 ON CONFLICT DO NOTHING",
        )?
        .execute((slot, run.0, places))?;
    if made > 0 {
        return Ok(true);
    }
    holds_slot(connection, slot, run)
}

/// Whether a run has a place of a slot.
pub(super) fn holds_slot(connection: &Connection, slot: &str, run: RunId) -> Done<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM rpa_slots WHERE slot = ?1 AND run = ?2")?.exists((slot, run.0))?)
}

/// Gives back the places of a run, each to the run that waits for it first.
pub(super) fn leave_slots(connection: &Connection, run: RunId, now: Instant) -> Done<Vec<RunId>> {
    let left: Vec<(String, i64)> = connection
        .prepare_cached("DELETE FROM rpa_slots WHERE run = ?1 RETURNING slot, places")?
        .query_map([run.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut woken = Vec::new();
    for (slot, places) in left {
        let next: Option<i64> = connection
            .prepare_cached(
                "SELECT run FROM rpa_waits WHERE slot = ?1 AND run NOT IN (SELECT run FROM rpa_slots WHERE slot = ?1) \
                 ORDER BY priority DESC, run LIMIT 1",
            )?
            .query_row([&slot], |row| row.get(0))
            .optional()?;
        if let Some(next) = next
            && take_slot(connection, &slot, RunId(next), places.unsigned_abs())?
        {
            wake(connection, RunId(next), now)?;
            woken.push(RunId(next));
        }
    }
    Ok(woken)
}

/// Puts a question into the inbox.
pub(super) fn ask(connection: &Connection, question: &Question) -> Done<i64> {
    let path = serde_json::to_string(&question.path).map_err(|error| internal(error.to_string()))?;
    let parameters: [&dyn ToSql; 9] = [
        &question.run.0,
        &question.step.as_str(),
        &path,
        &question.role.as_str(),
        &question.question.as_str(),
        &question.form,
        &question.asked.milliseconds(),
        &question.until.map(Instant::milliseconds),
        &(question.state as u8),
    ];
    connection
        .prepare_cached(
            "INSERT INTO rpa_inbox (number, run, step, path, role, question, form, asked, until, state) \
             VALUES (max((SELECT ifnull(max(number), 0) FROM rpa_inbox), ifnull((SELECT value FROM rpa_sequences \
             WHERE kind = 'store' AND name = 'questions'), 0)) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(parameters.as_slice())?;
    Ok(connection.last_insert_rowid())
}

const SELECT: &str = "SELECT i.number, i.run, f.name, i.step, i.path, i.role, i.question, i.form, i.asked, i.until, \
     i.state, i.answer, i.answered_by, i.answered FROM rpa_inbox i JOIN rpa_runs r ON r.id = i.run \
     JOIN rpa_flows f ON f.number = r.flow";

fn read(row: &Row<'_>) -> Done<Question> {
    let run = RunId(row.get(1)?);
    let answer = match (row.get::<_, Option<Vec<u8>>>(11)?, row.get::<_, Option<String>>(12)?, instant(row, 13)?) {
        (Some(value), Some(by), Some(at)) => Some(Answer { value, by: by.into(), at }),
        _ => None,
    };
    Ok(Question {
        number: row.get(0)?,
        run,
        flow: text(row, 2)?,
        step: text(row, 3)?,
        path: serde_json::from_str(&row.get::<_, String>(4)?).map_err(|_| damaged(run))?,
        role: text(row, 5)?,
        question: text(row, 6)?,
        form: row.get(7)?,
        asked: instant(row, 8)?.ok_or_else(|| damaged(run))?,
        until: instant(row, 9)?,
        state: QuestionState::from_number(row.get(10)?).ok_or_else(|| damaged(run))?,
        answer,
    })
}

/// Questions, the oldest first.
pub(super) fn questions(connection: &Connection, filter: &InboxFilter) -> Done<Vec<Question>> {
    let mut statement = format!("{SELECT} WHERE 1");
    let mut parameters: Vec<&dyn ToSql> = Vec::new();
    if let Some(role) = &filter.role {
        parameters.push(role);
        let _ = write!(statement, " AND i.role = ?{}", parameters.len());
    }
    let run = filter.run.map(|run| run.0);
    if run.is_some() {
        parameters.push(&run);
        let _ = write!(statement, " AND i.run = ?{}", parameters.len());
    }
    if let Some(state) = filter.state {
        // The number stands in the text, so that the index of the open ones can be used.
        let _ = write!(statement, " AND i.state = {}", state as u8);
    }
    let most = limit(filter.limit);
    parameters.push(&most);
    let _ = write!(statement, " ORDER BY i.number LIMIT ?{}", parameters.len());
    let mut statement = connection.prepare_cached(&statement)?;
    let mut rows = statement.query(parameters.as_slice())?;
    let mut questions = Vec::new();
    while let Some(row) = rows.next()? {
        questions.push(read(row)?);
    }
    Ok(questions)
}

/// A question.
pub(super) fn question(connection: &Connection, number: i64) -> Done<Option<Question>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE i.number = ?1"))?;
    let mut rows = statement.query([number])?;
    rows.next()?.map(read).transpose()
}

/// Closes a question that is open.
pub(super) fn close(connection: &Connection, number: i64, state: QuestionState, answer: Option<&Answer>) -> Done<bool> {
    let run: Option<i64> = connection
        .prepare_cached(
            "UPDATE rpa_inbox SET state = ?2, answer = ?3, answered_by = ?4, answered = ?5 \
             WHERE number = ?1 AND state = 1 RETURNING run",
        )?
        .query_row(
            (
                number,
                state as u8,
                answer.map(|answer| answer.value.as_slice()),
                answer.map(|answer| answer.by.as_str()),
                answer.map(|answer| answer.at.milliseconds()),
            ),
            |row| row.get(0),
        )
        .optional()?;
    if let (Some(run), Some(answer)) = (run, answer) {
        wake(connection, RunId(run), answer.at)?;
    }
    Ok(run.is_some())
}

fn text(row: &Row<'_>, index: usize) -> Done<EcoString> {
    Ok(EcoString::from(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?))
}

fn instant(row: &Row<'_>, index: usize) -> Done<Option<Instant>> {
    let milliseconds: Option<i64> = row.get(index)?;
    milliseconds.map(|at| Instant::from_milliseconds(at).map_err(|_| damaged(RunId(0)))).transpose()
}

fn damaged(run: RunId) -> Trouble {
    bad_record(match run.0 {
        0 => "what runs wait for can't be read".to_string(),
        run => format!("what run {run} waits for can't be read"),
    })
}
