//! What SQLite says when something goes wrong, in words that help.

use crate::finding::Finding;
use crate::finding::catalogue::{self, Code, store};
use crate::world::StoreError;
use ecow::EcoString;
use rusqlite::ErrorCode;

/// What went wrong inside of the store, before it is known which file it is about.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Something that the trait has words for.
    Store(StoreError),
    /// SQLite itself.
    Sqlite(rusqlite::Error),
}

/// What the work inside of the store gives.
pub(super) type Done<T> = Result<T, Trouble>;

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Sqlite(error)
    }
}

/// A mistake of this program, told instead of a panic.
pub(super) fn internal(message: impl Into<String>) -> Trouble {
    Trouble::Store(StoreError::Failed {
        code: store::INTERNAL.id,
        message: message.into(),
        help: "this is a mistake in rpa; please report it".to_string(),
    })
}

/// A record that does not have the form of its entity.
pub(super) fn bad_record(message: impl Into<String>) -> Trouble {
    Trouble::Store(StoreError::Failed {
        code: store::BAD_RECORD.id,
        message: message.into(),
        help: "correct the value with the tool that wrote it, for example `sqlite3`".to_string(),
    })
}

/// A file that has the form of a store and is not whole.
pub(super) fn damaged(said: impl std::fmt::Display) -> Trouble {
    Trouble::Store(StoreError::Failed {
        code: store::DAMAGED.id,
        message: format!("the store is damaged: {said}"),
        help:
            "go back to a backup with `rpa store restore FILE`, or save what can be read with `sqlite3 STORE .recover`"
                .to_string(),
    })
}

/// How functions registered with SQLite say that they failed: SQLite hands on nothing but a text.
pub(super) mod signal {
    /// Before the two currencies, which a `:` separates.
    pub const CURRENCIES: &str = "rpa:currencies:";
    /// Before the operation whose result is too large.
    pub const OVERFLOW: &str = "rpa:overflow:";
    /// Before a text that should be a number.
    pub const NOT_A_NUMBER: &str = "rpa:not-a-number:";
}

/// The error in the words of the trait; `place` is what people call the store.
pub(super) fn explained(trouble: Trouble, place: &str) -> StoreError {
    match trouble {
        Trouble::Store(error) => error,
        Trouble::Sqlite(error) => from_sqlite(&error, place),
    }
}

/// The error as a finding, for those who open a store.
pub(super) fn finding(trouble: Trouble, place: &str) -> Finding {
    match explained(trouble, place) {
        StoreError::Failed { code, message, help } => {
            Finding::without_place(catalogue::find(code).unwrap_or(&store::INTERNAL), message).help(help)
        }
        other => Finding::without_place(&store::INTERNAL, other.to_string()),
    }
}

fn full(place: &str) -> StoreError {
    told(
        &store::FULL,
        format!("there is no room left for the store `{place}`"),
        "make room on the disk and run again: what was committed stays, and is not done twice",
    )
}

fn from_sqlite(error: &rusqlite::Error, place: &str) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, text) = error else {
        return told(&store::INTERNAL, format!("the store `{place}` was used wrongly: {error}"), "please report it");
    };
    if let Some(text) = text
        && let Some(error) = signalled(text)
    {
        return error;
    }
    // What SQLite has to say beside the code, when it is more than the code's own words.
    let said = text.as_deref().unwrap_or("no more is known");
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => told(
            &store::LOCKED,
            format!("the store `{place}` is in use by another process"),
            "wait until the other run has ended, or close the program that holds the file open, and run again",
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => told(
            &store::READ_ONLY,
            format!("the store `{place}` can't be written to"),
            "give this user the right to write to the file and to its folder, or set another path for `store` in rpa.toml",
        ),
        ErrorCode::DiskFull => full(place),
        // The file beside the store that its processes share can't grow: SQLite calls that an error of the disk.
        ErrorCode::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => full(place),
        ErrorCode::DatabaseCorrupt => told(
            &store::DAMAGED,
            format!("the store `{place}` is damaged: {said}"),
            "go back to a backup with `rpa store restore FILE`, or save what can be read with `sqlite3 STORE .recover`",
        ),
        ErrorCode::NotADatabase => told(
            &store::NOT_A_STORE,
            format!("`{place}` is not a store: it is no SQLite database"),
            "set another path for `store` in rpa.toml; the file was left as it is",
        ),
        ErrorCode::SystemIoFailure => told(
            &store::DISK,
            format!("the disk failed under the store `{place}`: {said}"),
            "look at the system's log for errors of the device, and run again",
        ),
        ErrorCode::CannotOpen => told(
            &store::READ_ONLY,
            format!("the store `{place}` can't be opened or made"),
            "check that the folder exists, that this user may write to it, and that the path is not a folder itself",
        ),
        ErrorCode::TooBig => told(
            &store::BAD_RECORD,
            format!("a value is too large for the store `{place}`: it may have a billion bytes at most"),
            "keep it in a file, and the path of the file in the store",
        ),
        _ => told(&store::INTERNAL, format!("the store `{place}` refused a statement: {said}"), "please report it"),
    }
}

fn told(code: &'static Code, message: String, help: &str) -> StoreError {
    StoreError::Failed { code: code.id, message, help: help.to_string() }
}

fn signalled(text: &str) -> Option<StoreError> {
    if let Some(at) = text.find(signal::CURRENCIES) {
        let rest = text.get(at + signal::CURRENCIES.len()..)?;
        let (left, right) = rest.split_once(':')?;
        return Some(StoreError::CurrencyMismatch(EcoString::from(left), EcoString::from(right)));
    }
    if let Some(at) = text.find(signal::OVERFLOW) {
        return Some(StoreError::Overflow(EcoString::from(text.get(at + signal::OVERFLOW.len()..)?)));
    }
    let at = text.find(signal::NOT_A_NUMBER)?;
    let found = text.get(at + signal::NOT_A_NUMBER.len()..)?;
    Some(told(
        &store::BAD_RECORD,
        format!("the store holds `{found}` where a number should be"),
        "correct the value with the tool that wrote it, for example `sqlite3`",
    ))
}
