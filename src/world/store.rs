//! The store: records, sequences, the outbox, and the journal, which commits with them.

use crate::compile::query::{QueryId, QueryPlan};
use crate::text::with_article;
use crate::value::{RecordId, Value};
use ecow::EcoString;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A record with this key or unique value is there already.
    #[error("there is {} with {field} {value} already", with_article(.entity))]
    AlreadyExists {
        /// The entity.
        entity: EcoString,
        /// The field.
        field: EcoString,
        /// The value, as a script would write it.
        value: EcoString,
    },
    /// The record is not there.
    #[error("there is no {entity} {key}")]
    NotFound {
        /// The entity.
        entity: EcoString,
        /// The key, as people read it.
        key: EcoString,
    },
    /// Others refer to the record.
    #[error("{entity} {key} can't be deleted: records of {by} refer to it")]
    StillReferred {
        /// The entity.
        entity: EcoString,
        /// The key, as people read it.
        key: EcoString,
        /// The entity that refers.
        by: EcoString,
    },
    /// Amounts of different currencies were added up or compared.
    #[error("amounts in {0} and {1} can't be put together")]
    CurrencyMismatch(EcoString, EcoString),
    /// A number grew beyond its bounds.
    #[error("the result of `{0}` is too large")]
    Overflow(EcoString),
    /// The store itself failed; nothing of the open transaction stays.
    #[error("{message}")]
    Failed {
        /// The code of the finding that is reported: `store::locked`, `store::full`, `store::read-only`, `store::damaged`.
        code: &'static str,
        /// What happened.
        message: String,
        /// What to do.
        help: String,
    },
}

/// Keeps records. All writes happen inside a transaction, and in it inside a savepoint, so that a step that
/// fails takes back its own writes and nothing else. Journal and records share the transactions.
pub trait Store: super::Journal + super::Waiting + super::Leases + super::Outbox + super::Triggers + Send {
    /// Names this store among all others: letters and digits, made by chance when the store was made. It is in
    /// the Message-ID of every mail, so that no two stores ever send mails of the same name.
    fn identity(&mut self) -> Result<EcoString, StoreError> {
        Ok(EcoString::inline("local"))
    }

    /// Begins a transaction. Fails with `store::locked` when another process writes for too long.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Puts everything since `begin` on disk.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Takes back everything since `begin`.
    fn rollback(&mut self) -> Result<(), StoreError>;
    /// From here on nothing is put on disk: commits keep what they hold in one transaction until [`Store::let_go`].
    ///
    /// # Errors
    /// When this store can't.
    fn hold(&mut self) -> Result<(), StoreError> {
        Err(StoreError::Failed {
            code: "store::internal",
            message: "this store can't hold back what is written to it".to_string(),
            help: "plans are made with a store in a file".to_string(),
        })
    }
    /// Puts everything since [`Store::hold`] on disk, or takes all of it back.
    fn let_go(&mut self, _keep: bool) -> Result<(), StoreError> {
        Ok(())
    }
    /// Begins a part that can be taken back alone; savepoints nest.
    fn savepoint(&mut self) -> Result<(), StoreError>;
    /// Keeps the innermost part.
    fn release(&mut self) -> Result<(), StoreError>;
    /// Takes back the innermost part.
    fn rollback_savepoint(&mut self) -> Result<(), StoreError>;

    /// The record with this key.
    fn get(&mut self, entity: RecordId, key: &Value) -> Result<Option<Value>, StoreError>;
    /// The records with these keys, in their order.
    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Result<Vec<Option<Value>>, StoreError>;
    /// Puts a record in; `None` for a key that is counted up. Gives the record.
    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Result<Value, StoreError>;
    /// Changes fields of a record. Gives the record as it is then.
    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Result<Value, StoreError>;
    /// Takes a record away; whether it was there.
    fn delete(&mut self, entity: RecordId, key: &Value) -> Result<bool, StoreError>;
    /// Answers a question. The id names the plan among those of the program, to keep its statement.
    fn query(&mut self, id: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Result<Value, StoreError>;
    /// The next number of a sequence; `from` when it is new.
    fn next_in_sequence(&mut self, name: &str, from: i64) -> Result<i64, StoreError>;

    /// Puts a mail into the outbox; gives its number.
    fn add_to_outbox(&mut self, run: i64, message: &super::Message) -> Result<i64, StoreError>;
    /// The mails that have not left, the oldest first, at most so many.
    fn outbox(&mut self, limit: usize) -> Result<Vec<super::OutboxEntry>, StoreError>;
}
