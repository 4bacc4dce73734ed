//! Records, transactions and sequences.

use super::super::desk::Worth;
use super::super::failure::internal;
use super::super::{Opposite, SqliteStore, outbox, query, record, sequence};
use crate::compile::query::{QueryId, QueryPlan};
use crate::value::{RecordId, Value};
use crate::world::{Message, OutboxEntry, RecordHappening, Store, StoreError};
use ecow::EcoString;

impl Store for SqliteStore {
    fn identity(&mut self) -> Result<EcoString, StoreError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let identity = self.guarded(|store| {
            let text: String = store.connection.query_row("SELECT identity FROM rpa_identity", (), |row| row.get(0))?;
            Ok(EcoString::from(text))
        })?;
        self.identity = Some(identity.clone());
        Ok(identity)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::begin_transaction)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::commit_transaction)
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        self.forget();
        Ok(())
    }

    fn hold(&mut self) -> Result<(), StoreError> {
        self.held = true;
        Ok(())
    }

    fn let_go(&mut self, keep: bool) -> Result<(), StoreError> {
        self.held = false;
        if !keep {
            self.forget();
        } else if self.is_open {
            self.guarded(SqliteStore::commit_transaction)?;
        }
        Ok(())
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            if !store.is_open {
                return Err(internal("a savepoint without a transaction"));
            }
            store.lend(Worth::BetweenSteps)?;
            store.parts.begin();
            store.counters.savepoint();
            store.pending.savepoint();
            Ok(())
        })
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::release_part)
    }

    fn rollback_savepoint(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::take_back_part)
    }

    fn get(&mut self, entity: RecordId, key: &Value) -> Result<Option<Value>, StoreError> {
        self.guarded(|store| store.read(entity, key))
    }

    // SQLite is called, not asked over a wire: a statement that is executed for each key costs no more than one that
    // is built for all.
    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Result<Vec<Option<Value>>, StoreError> {
        self.guarded(|store| keys.iter().map(|key| store.read(entity, key)).collect())
    }

    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let (values, key_is_new) =
                record::completed(&store.connection, &store.schema, &mut store.counters, entity, fields)?;
            let waits = store.may_insert_later(entity, &values, key_is_new)?;
            if !waits {
                store.write_before_insert(entity)?;
                record::insert(&store.connection, &store.schema, entity, &values)?;
            }
            let record = Value::record(entity, values);
            let key = store.key_of(entity, &record);
            if waits {
                store.behind.put_new(entity, key.clone(), key_is_new, record.clone());
                if store.behind.is_large() {
                    store.write_behind()?;
                }
            } else {
                store.was_written(entity, &key)?;
            }
            store.note(entity, &key, Some(record.clone()))?;
            store.note_birth(entity, &key)?;
            store.parts.wrote(|| Opposite::Delete(entity, key));
            store.wake_watching(entity, &record)?;
            store.log_change(entity, RecordHappening::Created, &record)?;
            Ok(record)
        })
    }

    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let Some(before) = store.read(entity, key)? else {
                return Err(record::not_found(&store.schema, record::entity(&store.schema, entity)?, key));
            };
            let changed =
                record::changed(&store.connection, &store.schema, &mut store.counters, entity, &before, changes)?;
            let has_changed = !changed.fields.is_empty();
            if has_changed && !store.change_later(entity, key, &changed.record, &changed.fields)? {
                store.write_new()?;
                store.was_written(entity, key)?;
                record::write_changed(&store.connection, &store.schema, &mut store.updates, entity, key, &changed)?;
            }
            let (old, new) = (store.key_of(entity, &before), store.key_of(entity, &changed.record));
            if old != new {
                store.was_written(entity, &new)?;
                store.note(entity, &old, None)?;
                store.behind.forget_births();
            }
            store.note(entity, &new, Some(changed.record.clone()))?;
            if has_changed {
                store.parts.wrote(|| Opposite::Change(entity, new, before, changed.fields));
            }
            store.wake_watching(entity, &changed.record)?;
            if has_changed {
                store.log_change(entity, RecordHappening::Changed, &changed.record)?;
            }
            Ok(changed.record)
        })
    }

    fn delete(&mut self, entity: RecordId, key: &Value) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let Some(before) = store.read(entity, key)? else { return Ok(false) };
            store.write_new()?;
            store.was_written(entity, key)?;
            store.behind.forget_births();
            let was_there = record::delete(&store.connection, &store.schema, entity, key)?;
            store.note(entity, key, None)?;
            if was_there {
                store.forget_behind(entity, key)?;
                store.log_change(entity, RecordHappening::Deleted, &before)?;
                store.parts.wrote(|| Opposite::Insert(entity, before));
            }
            Ok(was_there)
        })
    }

    fn query(&mut self, id: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Result<Value, StoreError> {
        self.guarded(|store| {
            if let Some(key) = query::key_asked_for(&store.schema, plan, parameters) {
                return store.read(plan.entity, key).map(Option::unwrap_or_default);
            }
            if let Some((field, to)) = query::reference_asked_for(&store.schema, plan, parameters)
                && let Some(records) = store.behind.referring(record::entity(&store.schema, plan.entity)?, field, &to)
            {
                return Ok(Value::list(records));
            }
            store.write_behind_of(plan.entity)?;
            for join in &plan.joins {
                store.write_behind_of(join.entity)?;
            }
            store.queries.answer(&store.connection, &store.schema, id, plan, parameters)
        })
    }

    fn next_in_sequence(&mut self, name: &str, from: i64) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let counter = sequence::Counter::Sequence(name.into());
            store.counters.next(&store.connection, &counter, from, || Ok((name.into(), None)))
        })
    }

    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let number = match (store.next_mail, store.behind.last_mail()) {
                (Some(number), _) => number,
                (None, Some(last)) => last + 1,
                (None, None) => outbox::next_number(&store.connection)?,
            };
            let mail = outbox::NewMail::new(number, run, message);
            // What lies in a savepoint of SQLite is taken back by it.
            if store.parts.is_known() {
                outbox::add(&store.connection, &[mail])?;
            } else {
                store.behind.put_mail(mail);
                if store.behind.is_large() {
                    store.write_behind()?;
                }
            }
            store.next_mail = number.checked_add(1);
            store.parts.wrote(|| Opposite::DeleteMail(number));
            Ok(number)
        })
    }

    fn outbox(&mut self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.guarded(|store| {
            store.write_behind()?;
            outbox::waiting(&store.connection, limit)
        })
    }
}
