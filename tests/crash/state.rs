//! What a job leaves: its records, runs, mails and files, without what the clock has written.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// The end of a life.
pub struct State {
    /// The records by their tables, sorted.
    pub records: BTreeMap<String, Vec<String>>,
    /// The first columns of the tables, sorted.
    keys: BTreeMap<String, Vec<String>>,
    /// Files that were written, with their sizes.
    pub files: BTreeMap<String, u64>,
}

impl State {
    /// What is in a folder, without some columns.
    pub fn of(folder: &Path, but: &[(&str, &str)]) -> State {
        let store =
            Connection::open_with_flags(folder.join(".rpa/store.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        store.create_collation("decimal", move |left, right| number(left).cmp(&number(right))).unwrap();
        let damage: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(damage, "ok");
        let (mut records, mut keys) = (BTreeMap::new(), BTreeMap::new());
        let mut tables = store
            .prepare(
                "SELECT name FROM sqlite_master WHERE type = 'table' \
                 AND name NOT LIKE 'rpa\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            )
            .unwrap();
        let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for name in names {
            let without = |column: &String| !but.iter().any(|(table, other)| *table == name && other == column);
            let statement = store.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
            let all: Vec<String> = statement.column_names().map(|column| format!("\"{column}\"")).collect();
            keys.insert(name.clone(), rows(&store, &format!("SELECT {} FROM \"{name}\"", all[0])));
            let kept: Vec<String> =
                all.into_iter().filter(|column| without(&column.trim_matches('"').into())).collect();
            records.insert(name.clone(), rows(&store, &format!("SELECT {} FROM \"{name}\"", kept.join(", "))));
        }
        // Those who read the files again have runs of their own; what matters are the runs for something.
        let runs = "SELECT f.name, r.key, r.state FROM rpa_runs r JOIN rpa_flows f ON f.number = r.flow WHERE r.key IS NOT NULL";
        records.insert("runs".into(), rows(&store, runs));
        records.insert("outbox".into(), rows(&store, "SELECT recipient, subject, body, state FROM rpa_outbox"));
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder.join("invoices")).into_iter().flatten() {
            let entry = entry.unwrap();
            files.insert(entry.file_name().to_string_lossy().into_owned(), entry.metadata().unwrap().len());
        }
        State { records, keys, files }
    }

    /// The same as in another life.
    pub fn assert_same(&self, expected: &State, told: &str) {
        let names = |state: &State| state.records.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(expected), "{told}: other tables");
        for (table, rows) in &self.records {
            let others = &expected.records[table];
            if rows != others {
                let missing: Vec<_> = others.iter().filter(|row| !rows.contains(row)).take(5).collect();
                let surplus: Vec<_> = rows.iter().filter(|row| !others.contains(row)).take(5).collect();
                panic!(
                    "{told}: {table} has {} rows for {}; missing {missing:#?}, surplus {surplus:#?}",
                    rows.len(),
                    others.len()
                );
            }
        }
        assert_eq!(self.files, expected.files, "{told}: other files");
    }

    /// The numbers of records are counted up without a gap, each series (`INV-2026-`) from 1.
    pub fn assert_numbers_without_gaps(&self, table: &str) {
        let mut numbers: Vec<(&str, u64)> = Vec::new();
        for key in &self.keys[table] {
            let (series, count) = key.rsplit_once('-').unwrap_or(("", key));
            numbers.push((series, count.parse().unwrap()));
        }
        numbers.sort_unstable();
        let mut last: Option<(&str, u64)> = None;
        for (series, count) in numbers {
            let expected = match last {
                Some((same, count)) if same == series => count + 1,
                _ => 1,
            };
            assert_eq!(count, expected, "{table}: a number of {series} is missing or doubled");
            last = Some((series, count));
        }
        assert!(last.is_some(), "there is no {table}");
    }
}

/// The rows of a question as text, sorted; moments are written `#`.
fn rows(store: &Connection, question: &str) -> Vec<String> {
    let mut statement = store.prepare(question).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut texts = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cells: Vec<String> = (0..columns)
            .map(|column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "none".into(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) if is_moment(text) => "#".into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => format!("{bytes:?}"),
            })
            .collect();
        texts.push(cells.join(" | "));
    }
    texts.sort_unstable();
    texts
}

/// `2026-11-22T06:00…`
fn is_moment(text: &[u8]) -> bool {
    text.len() > 16 && text[4] == b'-' && text[7] == b'-' && text[10] == b'T' && text[13] == b':'
}
