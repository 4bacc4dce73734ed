//! What a job leaves: its records, runs, mails and files, without what the clock has written.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// The end of a life.
pub struct State {
    /// The records by their tables, sorted.
    pub records: BTreeMap<String, Vec<String>>,
    /// Files that were written, with their sizes.
    pub files: BTreeMap<String, u64>,
}

impl State {
    /// What is in a folder.
    pub fn of(folder: &Path) -> State {
        let store =
            Connection::open_with_flags(folder.join(".rpa/store.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        store.create_collation("decimal", move |left, right| number(left).cmp(&number(right))).unwrap();
        let damage: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(damage, "ok");
        let mut records = BTreeMap::new();
        let mut tables = store
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'rpa\\_%' ESCAPE '\\'")
            .unwrap();
        let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for name in names {
            records.insert(name.clone(), rows(&store, &format!("SELECT * FROM \"{name}\"")));
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
        State { records, files }
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

    /// The numbers of invoices are counted up without a gap.
    pub fn assert_numbers_without_gaps(&self) {
        let store = &self.records["Invoice"];
        let mut numbers: Vec<&str> = store.iter().map(|row| row.split(" | ").next().unwrap_or_default()).collect();
        numbers.sort_unstable();
        let mut last: Option<(&str, u64)> = None;
        for number in numbers {
            let (series, count) = number.rsplit_once('-').unwrap_or_else(|| panic!("{number} is no number"));
            let count: u64 = count.parse().unwrap();
            let expected = match last {
                Some((same, count)) if same == series => count + 1,
                _ => 1,
            };
            assert_eq!(count, expected, "the number before {number} is missing or doubled");
            last = Some((series, count));
        }
        assert!(last.is_some(), "there are no invoices");
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
