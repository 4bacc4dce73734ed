//! The traits of `world` on [`super::SqliteStore`], each in a file of its own: they see to the transaction and call the
//! parts of this room that know the tables.

mod journal;
mod leases;
mod outbox;
mod store;
mod triggers;
mod waiting;
