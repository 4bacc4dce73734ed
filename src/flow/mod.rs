//! The flow engine: starts flows, does their steps, keeps the journal, undoes, retries, tells the story.

pub use crate::world::{
    Begin, Change, ChangeKind, Entry, EntryKind, Journal, KeptVersion, RunFilter, RunId, RunRecord, RunState,
};
