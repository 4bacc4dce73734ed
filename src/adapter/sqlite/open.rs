//! Opening a store: is it one, may it be used, do its tables fit the program.

use super::failure::{Done, Trouble, finding, internal};
use super::layout::Layout;
use super::migration;
use super::schema::Schema;
use super::types::Types;
use super::{Access, Options, SqliteStore, function};
use crate::check::program::{EnumType, RecordType};
use crate::finding::Finding;
use crate::finding::catalogue::store as code;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};

/// Says in the file's header that it is a store: `rpa` and a zero.
const APPLICATION: i64 = 0x7270_6100;

/// The version of the tables whose names begin with `rpa_`.
const VERSION: i64 = 3;

/// The tables that every store has, whatever the program.
const TABLES: &str = "
CREATE TABLE rpa_layout (id INTEGER PRIMARY KEY CHECK (id = 1), layout TEXT NOT NULL) STRICT;
CREATE TABLE rpa_identity (id INTEGER PRIMARY KEY CHECK (id = 1), identity TEXT NOT NULL) STRICT;
CREATE TABLE rpa_schema (number INTEGER PRIMARY KEY, at TEXT NOT NULL, change TEXT NOT NULL) STRICT;
CREATE TABLE rpa_sequences (
  kind TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
";

/// Where a store is kept.
pub(super) enum Place<'p> {
    File(&'p Path),
    Memory,
}

pub(super) fn open(
    place: Place<'_>,
    records: &[RecordType],
    enums: &[EnumType],
    options: &Options,
) -> Result<SqliteStore, Finding> {
    let name = match place {
        Place::File(path) => path.display().to_string(),
        Place::Memory => "memory".to_string(),
    };
    let file = match place {
        Place::File(path) if options.access == Access::ReadWrite => Some(path.to_path_buf()),
        _ => None,
    };
    let connection = match place {
        Place::File(path) => connect(path, &name, options)?,
        Place::Memory => Connection::open_in_memory().map_err(|error| finding(error.into(), &name))?,
    };
    let types = Types::new(records, enums);
    let store = prepare(&connection, &name, options).and_then(|layout| {
        let layout = match layout.fits(&types) {
            true => layout,
            false if options.access == Access::ReadOnly => return Err(Failure::Finding(unfit(&name))),
            false => migration::migrate(&connection, &types, &name)?,
        };
        let schema = Schema::new(types, &layout).ok_or_else(|| internal("the migration has left out a field"))?;
        Ok(schema)
    });
    match store {
        Ok(schema) => {
            let is_read_beside = file.is_some() && is_written_ahead(&connection);
            Ok(SqliteStore::new(connection, name, file, is_read_beside, schema))
        }
        Err(Failure::Finding(finding)) => Err(finding),
        Err(Failure::Trouble(trouble)) => Err(finding(trouble, &name)),
    }
}

/// Why a store is not opened: something that SQLite says, or something that was found out here.
pub(super) enum Failure {
    Trouble(Trouble),
    Finding(Finding),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Failure::Trouble(trouble)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Trouble(error.into())
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Failure::Finding(finding)
    }
}

fn connect(path: &Path, name: &str, options: &Options) -> Result<Connection, Finding> {
    if path.is_dir() {
        return Err(Finding::without_place(&code::NOT_A_STORE, format!("`{name}` is a folder and not a store"))
            .help("name a file in it, such as `rpa.store`, for `store` in rpa.toml"));
    }
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match options.access {
        Access::ReadOnly => flags |= OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::ReadWrite => {
            flags |= OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|error| {
                    Finding::without_place(
                        &code::READ_ONLY,
                        format!("the folder of the store `{name}` can't be made: {error}"),
                    )
                    .help("give this user the right to make it, or set another path for `store` in rpa.toml")
                })?;
            }
        }
    }
    // SQLite takes `file:` for an address; a path never is one.
    let path: PathBuf = if path.is_absolute() { path.to_path_buf() } else { Path::new(".").join(path) };
    let connection = Connection::open_with_flags(path, flags).map_err(|error| finding(error.into(), name))?;
    match options.access {
        Access::ReadWrite if connection.is_readonly("main").unwrap_or(false) => {
            Err(Finding::without_place(&code::READ_ONLY, format!("the store `{name}` can't be written to"))
                .help("give this user the right to write to the file and to its folder, or set another path for `store` in rpa.toml"))
        }
        _ => Ok(connection),
    }
}

/// Sets the connection up, makes sure that the file is a store, and reads its layout.
fn prepare(connection: &Connection, name: &str, options: &Options) -> Result<Layout, Failure> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(512);
    function::register(connection)?;
    // The plan of a statement does not depend on what is bound to it: otherwise statements that are compared with
    // parameters are planned anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let synchronous = if options.durable { "FULL" } else { "OFF" };
    // The cache is large because commits are grouped; pages are given back to it only by a commit.
    // Savepoints keep their old pages in memory, not in a file. Commits carry the log over at 64 MB; before that,
    // `checkpoint` does.
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; \
         PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 16000;"
    ))?;
    if let Some(pages) = options.most_pages {
        connection.execute_batch(&format!("PRAGMA max_page_count = {pages};"))?;
    }
    let (application, version, is_empty) = identity(connection)?;
    match (application, version) {
        (APPLICATION, VERSION) => {}
        (APPLICATION, newer) if newer > VERSION => {
            return Err(Finding::without_place(&code::NEWER, format!("the store `{name}` was written by a newer rpa"))
                .note(format!("it has version {newer}; this program knows version {VERSION}"))
                .help("update rpa, or use another store")
                .into());
        }
        (APPLICATION, older) => {
            return Err(Finding::without_place(
                &code::OLDER,
                format!("the store `{name}` was written by an older rpa"),
            )
            .note(format!("it has version {older}; this program knows version {VERSION}"))
            .help("use the rpa that has written it, or another store; the file was left as it is")
            .into());
        }
        (0, 0) if is_empty => {
            if options.access == Access::ReadOnly {
                return Err(Finding::without_place(&code::NOT_A_STORE, format!("`{name}` is empty"))
                    .help("run a flow first: that makes the store")
                    .into());
            }
            create(connection)?;
        }
        _ => {
            return Err(Finding::without_place(
                &code::NOT_A_STORE,
                format!("`{name}` is the SQLite database of another program"),
            )
            .help("set another path for `store` in rpa.toml; the file was left as it is")
            .into());
        }
    }
    if options.access == Access::ReadWrite {
        write_ahead(connection)?;
    }
    Ok(read_layout(connection)?)
}

/// Whose file it is, its version, and whether nothing is in it; as it was at one moment, for others may be about to make it.
fn identity(connection: &Connection) -> rusqlite::Result<(i64, i64, bool)> {
    let moment = connection.unchecked_transaction()?;
    let identity = (pragma(&moment, "application_id")?, pragma(&moment, "user_version")?, is_empty(&moment)?);
    moment.finish()?;
    Ok(identity)
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let first = connection.query_row("SELECT 1 FROM sqlite_schema", (), |_| Ok(())).optional()?;
    Ok(first.is_none())
}

/// Makes the tables that every store has; another process may be at it too.
fn create(connection: &Connection) -> Done<()> {
    write_ahead(connection)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let made = || -> Done<()> {
        if is_empty(connection)? {
            connection.execute_batch(TABLES)?;
            connection.execute_batch(super::journal::TABLES)?;
            connection.execute_batch(super::outbox::TABLES)?;
            connection.execute_batch(super::trigger::TABLES)?;
            connection.execute_batch(super::waiting::TABLES)?;
            connection.execute_batch(super::lease::TABLES)?;
            connection.execute_batch("INSERT INTO rpa_layout VALUES (1, '{\"entities\":{}}');")?;
            connection.execute_batch("INSERT INTO rpa_identity VALUES (1, lower(hex(randomblob(8))));")?;
            connection.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
        } else {
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }();
    if made.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    made
}

/// How long a process tries to have the file written ahead while others make it; SQLite itself waits for nobody there.
const LONGEST_TRY: std::time::Duration = std::time::Duration::from_secs(5);

/// Readers and one writer at once, and a commit costs one flush. The file remembers it.
fn write_ahead(connection: &Connection) -> Done<()> {
    let began = std::time::Instant::now();
    loop {
        match try_write_ahead(connection) {
            Err(Trouble::Sqlite(rusqlite::Error::SqliteFailure(failure, _)))
                if failure.code == ErrorCode::DatabaseBusy && began.elapsed() < LONGEST_TRY =>
            {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            done => return done,
        }
    }
}

fn is_written_ahead(connection: &Connection) -> bool {
    connection.query_row("PRAGMA journal_mode", (), |row| row.get::<_, String>(0)).is_ok_and(|mode| mode == "wal")
}

fn try_write_ahead(connection: &Connection) -> Done<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0))?;
    if mode == "wal" || mode == "memory" {
        return Ok(());
    }
    // Some file systems can't share memory between processes; then the rollback journal serves as well.
    match connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0)) {
        Ok(_) => Ok(()),
        Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::CannotOpen => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What the store remembers of its entities.
pub(super) fn read_layout(connection: &Connection) -> Done<Layout> {
    let text: String = connection.query_row("SELECT layout FROM rpa_layout WHERE id = 1", (), |row| row.get(0))?;
    serde_json::from_str(&text)
        .map_err(|error| super::failure::bad_record(format!("the description of the tables can't be read: {error}")))
}

fn unfit(name: &str) -> Finding {
    Finding::without_place(
        &code::SCHEMA_CHANGE,
        format!("the entities of the script are not those of the store `{name}`"),
    )
    .note("the store was opened for reading alone, so they can't be brought together")
    .help("run a flow of the script, or `rpa check` it against the store, first")
}
