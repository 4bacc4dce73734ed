//! Starts of runs that somebody else will walk: a trigger puts the run into the store, in the transaction in which
//! it remembers that it has, and whoever works on the store takes it from there.

use super::fingerprint::fingerprint;
use super::names::Names;
use crate::compile::code::Code;
use crate::value::{EcoString, Instant, Value, encode};
use crate::world::{Begin, KeptVersion, RunId, RunRecord, RunState, Store, StoreError};

/// Begins a run of a flow without a key, inside the open transaction. It is running and nobody's, until a worker
/// claims it. None when the code has no such flow, or an argument can't be kept because it is nested too deep.
///
/// # Errors
/// When the store fails.
pub fn start(
    store: &mut dyn Store,
    code: &Code,
    flow: usize,
    arguments: Vec<Value>,
    starter: &str,
    now: Instant,
) -> Result<Option<RunId>, StoreError> {
    let Some(name) = code.flows.get(flow).map(|flow| flow.name.clone()) else { return Ok(None) };
    let names = Names::of(code);
    let fingerprint = fingerprint(&arguments, &names);
    let mut bytes = Vec::new();
    if encode(&Value::list(arguments), &mut bytes).is_err() {
        return Ok(None);
    }
    let kept = KeptVersion {
        sources: code.sources.iter().map(|(_, each)| (each.name.clone(), each.text.to_string())).collect(),
        names: names.to_json(),
    };
    store.keep_version(&code.version, &kept)?;
    let run = RunRecord {
        id: RunId(0),
        parent: None,
        starter: EcoString::from(starter),
        flow: name,
        key: None,
        version: code.version.clone(),
        arguments: bytes,
        fingerprint,
        state: RunState::Running,
        outcome: Vec::new(),
        started: now,
        ended: None,
    };
    match store.begin_run(&run)? {
        Begin::New(id) => Ok(Some(id)),
        // Without a key there is no other.
        Begin::Known(_) => Ok(None),
    }
}
