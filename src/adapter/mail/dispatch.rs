//! The way of mail out of the outbox.
//!
//! A mail is claimed in one transaction, delivered, and settled in another. Several processes may do so at once: what
//! one has claimed the others pass over until it is settled, or until the claim ends because its process died. A mail
//! that was delivered by a process that died before it could settle it is delivered again, under the same Message-ID.

use crate::finding::catalogue::store::FENCED;
use crate::value::{Duration, Instant};
use crate::world::{
    Delivery, DeliveryError, EffectClass, MailClaim, MailOutcome, OutboxEntry, Permission, StoreError, Transport, World,
};
use ecow::{EcoString, eco_format};

/// How many mails are claimed together where a mail delivered twice is there once; elsewhere each alone.
const BATCH: usize = 500;

/// After so many mails in a row that could not be delivered for now, the others wait for the next time.
const PATIENCE: usize = 3;

/// How long a claim holds beyond the longest delivery: what it takes to settle it.
const SETTLING: Duration = Duration::from_milliseconds(Duration::MINUTE);

/// The pause behind the first try of a mail; each is twice the one before …
const FIRST_PAUSE: Duration = Duration::from_milliseconds(Duration::MINUTE);

/// … up to this one.
const LONGEST_PAUSE: Duration = Duration::from_milliseconds(4 * Duration::HOUR);

/// What became of the mails in the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispatchReport {
    /// How many have left.
    pub delivered: u64,
    /// Those that are to be tried again, with the reason.
    pub postponed: Vec<Undelivered>,
    /// Those that will never leave by themselves, with the reason: dead letters.
    pub refused: Vec<Undelivered>,
    /// Whether mails were left untried because the way out is closed for now.
    pub stopped: bool,
    /// How many mails are held because mail is switched off.
    pub held: u64,
    /// Until when the server is not asked, because it has failed often.
    pub open_until: Option<Instant>,
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

/// Delivers what is due in the outbox. To be called when everything is committed, with no transaction open.
///
/// # Errors
/// When the store fails; what was settled before stays so.
pub fn dispatch(world: &mut World, transport: &mut dyn Transport) -> Result<DispatchReport, StoreError> {
    dispatch_until(world, transport, &|| false)
}

/// The same, and stops between two mails when `stop` says so.
///
/// # Errors
/// As [`dispatch`].
pub fn dispatch_until(
    world: &mut World,
    transport: &mut dyn Transport,
    stop: &dyn Fn() -> bool,
) -> Result<DispatchReport, StoreError> {
    let owner = eco_format!("{:016x}{:016x}", world.random.next(), world.random.next());
    let delivery = world.settings.delivery;
    let report = DispatchReport { target: transport.target(), ..DispatchReport::default() };
    let mut dispatcher = Dispatcher { world, transport, owner, delivery, report, in_a_row: 0 };
    let mut outcomes = Vec::new();
    loop {
        // Looking costs no transaction, and most looks find nothing.
        let now = dispatcher.world.clock.now();
        let due = dispatcher.world.store.next_mail(now)?;
        if outcomes.is_empty() && due.is_none_or(|due| due > now) {
            return Ok(dispatcher.report);
        }
        let entries = dispatcher.settle_and_claim(&mut outcomes, stop())?;
        if entries.is_empty() {
            return Ok(dispatcher.report);
        }
        for entry in entries {
            outcomes.push(dispatcher.deliver(entry));
        }
    }
}

/// A mail, and what came of its delivery; none when it was not tried because the way is closed.
type Delivered = (OutboxEntry, Option<Result<(), DeliveryError>>);

struct Dispatcher<'d> {
    world: &'d mut World,
    transport: &'d mut dyn Transport,
    owner: EcoString,
    delivery: Delivery,
    report: DispatchReport,
    in_a_row: usize,
}

impl Dispatcher<'_> {
    fn deliver(&mut self, mut entry: OutboxEntry) -> Delivered {
        if self.report.stopped {
            return (entry, None);
        }
        let outcome = self.attach(&mut entry).and_then(|()| self.transport.deliver_entry(entry.number, &entry.message));
        if outcome == Err(DeliveryError::CalledOff) {
            self.report.stopped = true;
            return (entry, None);
        }
        self.in_a_row = match outcome {
            Err(DeliveryError::Transient(_)) => self.in_a_row + 1,
            _ => 0,
        };
        let is_closed = matches!(outcome, Err(DeliveryError::Unreachable(_) | DeliveryError::Unanswered(_)));
        self.report.stopped = is_closed || self.in_a_row >= PATIENCE;
        (entry, Some(outcome))
    }

    /// Reads the files that go with a mail.
    fn attach(&mut self, entry: &mut OutboxEntry) -> Result<(), DeliveryError> {
        for attachment in &mut entry.message.attachments {
            if attachment.content.is_empty() {
                let content = self.world.files.read(&attachment.path);
                attachment.content =
                    content.map_err(|error| DeliveryError::Permanent(format!("an attachment is missing: {error}")))?;
            }
        }
        Ok(())
    }

    /// Writes down what became of mails and claims the next, in one transaction.
    fn settle_and_claim(&mut self, outcomes: &mut Vec<Delivered>, stop: bool) -> Result<Vec<OutboxEntry>, StoreError> {
        if !outcomes.is_empty()
            && let Err(error) = self.transport.flush()
        {
            self.report.stopped = true;
            for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| *outcome == Some(Ok(()))) {
                *outcome = Some(Err(error.clone()));
            }
        }
        let now = self.world.clock.now();
        if let Err(error) = self.world.store.begin() {
            // A process that was stopped for too long has lost its runs, and has none in hand here. What it has
            // delivered must be noted all the same, or it is delivered again.
            if !matches!(error, StoreError::Failed { code, .. } if code == FENCED.id) || outcomes.is_empty() {
                return Err(error);
            }
            self.world.store.enter_again()?;
            self.world.store.begin()?;
        }
        let done = self.settle(outcomes, now).and_then(|settled| {
            let entries = if stop || self.report.stopped { Vec::new() } else { self.claim(now)? };
            self.world.store.commit()?;
            Ok((settled, entries))
        });
        match done {
            Ok((settled, entries)) => {
                for ((entry, tried), outcome) in outcomes.drain(..).zip(settled) {
                    // What another process has now, it tells of.
                    if let (Some(_), Some(outcome)) = (tried, outcome) {
                        self.tell(entry, outcome);
                    }
                }
                Ok(entries)
            }
            Err(error) => {
                let _ = self.world.store.rollback();
                Err(error)
            }
        }
    }

    fn settle(&mut self, outcomes: &[Delivered], now: Instant) -> Result<Vec<Option<MailOutcome>>, StoreError> {
        let mut settled = Vec::with_capacity(outcomes.len());
        for (entry, outcome) in outcomes {
            let outcome = self.outcome(entry, outcome.as_ref(), now);
            let was_ours = self.world.store.settle_mail(entry.number, &self.owner, &outcome, now)?;
            settled.push(was_ours.then_some(outcome));
        }
        let Some(name) = self.transport.system().filter(|_| !outcomes.is_empty()) else { return Ok(settled) };
        let mut state = self.world.store.system(name)?;
        let before = state.clone();
        for (_, outcome) in outcomes {
            match outcome {
                Some(Ok(()) | Err(DeliveryError::Permanent(_))) => state.succeeded(),
                Some(Err(_)) => {
                    state.failed(now, &self.delivery.breaker);
                }
                None => {}
            }
        }
        if state != before {
            self.world.store.set_system(name, &state)?;
        }
        self.report.open_until = state.open_until;
        Ok(settled)
    }

    /// What is written down of a delivery.
    fn outcome(&self, entry: &OutboxEntry, outcome: Option<&Result<(), DeliveryError>>, now: Instant) -> MailOutcome {
        let Some(outcome) = outcome else {
            let problem = "the mails before it could not be delivered".to_string();
            return MailOutcome::Later { due: now, problem, counted: false };
        };
        match outcome {
            Ok(()) => MailOutcome::Sent,
            Err(DeliveryError::Permanent(problem)) => MailOutcome::Dead { problem: problem.clone() },
            Err(error @ (DeliveryError::Unreachable(_) | DeliveryError::CalledOff)) => {
                let problem = error.to_string();
                // Whether the server is asked again at once is the circuit breaker's to say.
                MailOutcome::Later { due: now, problem, counted: false }
            }
            Err(DeliveryError::Transient(problem) | DeliveryError::Unanswered(problem))
                if entry.attempts + 1 >= self.delivery.attempts =>
            {
                let attempts = self.delivery.attempts;
                MailOutcome::Dead { problem: format!("given up after {attempts} attempts: {problem}") }
            }
            Err(DeliveryError::Transient(problem) | DeliveryError::Unanswered(problem)) => {
                let due = now.plus(pause(entry.attempts)).unwrap_or(now);
                MailOutcome::Later { due, problem: problem.clone(), counted: true }
            }
        }
    }

    /// Claims the next mails, unless mail is switched off or the server is left alone.
    fn claim(&mut self, now: Instant) -> Result<Vec<OutboxEntry>, StoreError> {
        if self.world.settings.switches.is_off(EffectClass::Email) {
            self.report.held = self.world.store.waiting_mails()?;
            return Ok(Vec::new());
        }
        if let Some(name) = self.transport.system() {
            let mut state = self.world.store.system(name)?;
            match state.ask(now, &self.delivery.breaker) {
                Permission::Yes => {}
                Permission::Once => self.world.store.set_system(name, &state)?,
                Permission::NotBefore(until) => {
                    self.report.open_until = Some(until);
                    self.report.stopped = true;
                    return Ok(Vec::new());
                }
            }
        }
        // Where a mail delivered twice is there once, nobody need wait for one who has died with it.
        let (most, until) = match self.transport.is_idempotent() {
            true => (BATCH, now),
            false => (1, now.plus(self.transport.longest()).and_then(|end| end.plus(SETTLING)).unwrap_or(now)),
        };
        let claim = MailClaim { owner: self.owner.clone(), now, until };
        self.world.store.claim_mails(&claim, most)
    }

    fn tell(&mut self, entry: OutboxEntry, outcome: MailOutcome) {
        let undelivered = |reason: String| Undelivered {
            number: entry.number,
            run: entry.run,
            to: entry.message.to.to_string(),
            reason,
        };
        match outcome {
            MailOutcome::Sent => self.report.delivered += 1,
            MailOutcome::Later { problem, .. } => self.report.postponed.push(undelivered(problem)),
            MailOutcome::Dead { problem } => self.report.refused.push(undelivered(problem)),
        }
    }
}

/// The pause behind a try, with so many before it.
fn pause(attempts: u32) -> Duration {
    let doubled = FIRST_PAUSE.milliseconds().saturating_mul(1 << attempts.min(20));
    Duration::from_milliseconds(doubled.min(LONGEST_PAUSE.milliseconds()))
}

#[cfg(test)]
mod tests;
