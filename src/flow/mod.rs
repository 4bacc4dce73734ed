//! The flow engine: starts flows, does their steps, keeps the journal, undoes, retries, tells the story.

pub mod journal;
