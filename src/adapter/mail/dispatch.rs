//! The way of mail out of the outbox.

use crate::world::{DeliveryError, OutboxEntry, StoreError, Transport, World};
use std::collections::HashSet;

/// How many mails are looked at together.
const BATCH: usize = 500;

/// How often a mail is tried before it is given up.
const MOST_ATTEMPTS: u32 = 12;

/// After so many mails in a row that could not be delivered for now, the others wait for the next time.
const PATIENCE: usize = 3;

/// What became of the mails in the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispatchReport {
    /// How many have left.
    pub delivered: u64,
    /// Those that are to be tried again, with the reason.
    pub postponed: Vec<Undelivered>,
    /// Those that will never leave, with the reason.
    pub refused: Vec<Undelivered>,
    /// Whether mails were left untried because the way out is closed for now.
    pub stopped: bool,
    /// Where mail goes.
    pub target: String,
}

/// A mail that has not left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Its number in the outbox.
    pub number: i64,
    /// The run that wrote it.
    pub run: i64,
    /// To whom.
    pub to: String,
    /// Why not.
    pub reason: String,
}

/// Delivers what is in the outbox. To be called when everything is committed, with no transaction open.
///
/// A mail is settled after it was delivered: should the machine stop between the two, it is delivered again under the
/// same Message-ID. For a transport that can be repeated many mails are settled in one transaction, for others each in
/// its own.
///
/// # Errors
/// When the store fails; what was settled before stays so.
pub fn dispatch(world: &mut World, transport: &mut dyn Transport) -> Result<DispatchReport, StoreError> {
    let mut report = DispatchReport { target: transport.target(), ..DispatchReport::default() };
    let mut tried: HashSet<i64> = HashSet::new();
    let mut in_a_row = 0;
    loop {
        let waiting = world.store.outbox(BATCH + tried.len())?;
        let waiting: Vec<OutboxEntry> = waiting.into_iter().filter(|entry| !tried.contains(&entry.number)).collect();
        if waiting.is_empty() {
            return Ok(report);
        }
        let mut outcomes = Vec::new();
        for mut entry in waiting {
            let outcome =
                attach(world, &mut entry).and_then(|()| transport.deliver_entry(entry.number, &entry.message));
            in_a_row = if matches!(outcome, Err(DeliveryError::Transient(_))) { in_a_row + 1 } else { 0 };
            outcomes.push((entry, outcome));
            if !transport.is_idempotent() {
                settle(world, transport, &mut outcomes, &mut tried, &mut report)?;
            }
            if in_a_row >= PATIENCE {
                break;
            }
        }
        settle(world, transport, &mut outcomes, &mut tried, &mut report)?;
        if in_a_row >= PATIENCE || report.stopped {
            report.stopped = true;
            return Ok(report);
        }
    }
}

/// Reads the files that go with a mail.
fn attach(world: &mut World, entry: &mut OutboxEntry) -> Result<(), DeliveryError> {
    for attachment in &mut entry.message.attachments {
        if attachment.content.is_empty() {
            let content = world.files.read(&attachment.path);
            attachment.content =
                content.map_err(|error| DeliveryError::Permanent(format!("an attachment is missing: {error}")))?;
        }
    }
    Ok(())
}

/// Writes down what became of some mails, in one transaction.
fn settle(
    world: &mut World,
    transport: &mut dyn Transport,
    outcomes: &mut Vec<(OutboxEntry, Result<(), DeliveryError>)>,
    tried: &mut HashSet<i64>,
    report: &mut DispatchReport,
) -> Result<(), StoreError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    if let Err(error) = transport.flush() {
        report.stopped = true;
        for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| outcome.is_ok()) {
            *outcome = Err(error.clone());
        }
    }
    for (entry, outcome) in outcomes.iter_mut() {
        if let Err(DeliveryError::Transient(reason)) = outcome
            && entry.attempts + 1 >= MOST_ATTEMPTS
        {
            *outcome = Err(DeliveryError::Permanent(format!("given up after {MOST_ATTEMPTS} attempts: {reason}")));
        }
    }
    world.store.begin()?;
    for (entry, outcome) in outcomes.iter() {
        if let Err(error) = world.store.settle_outbox(entry.number, outcome.clone()) {
            let _ = world.store.rollback();
            return Err(error);
        }
    }
    world.store.commit()?;
    for (entry, outcome) in outcomes.drain(..) {
        let undelivered = |reason: String| Undelivered {
            number: entry.number,
            run: entry.run,
            to: entry.message.to.to_string(),
            reason,
        };
        if outcome.is_err() {
            tried.insert(entry.number);
        }
        match outcome {
            Ok(()) => report.delivered += 1,
            Err(DeliveryError::Transient(reason)) => report.postponed.push(undelivered(reason)),
            Err(DeliveryError::Permanent(reason)) => report.refused.push(undelivered(reason)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
