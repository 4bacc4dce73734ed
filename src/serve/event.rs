//! What a server tells of its work.

use crate::adapter::sqlite::Cleaned;
use crate::finding::Finding;
use crate::flow::RunFailure;
use crate::text::Sources;
use crate::value::{EcoString, Instant};
use crate::world::{GoneWorker, RunId, WaitKind};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// What ended long ago was removed from the store.
    Cleaned(Cleaned),
    /// A trigger is watched for, and when it comes next where that is known.
    Watching {
        /// What people call it.
        trigger: EcoString,
        /// The script that has it.
        script: EcoString,
        /// When its time comes.
        next: Option<Instant>,
    },
    /// A script is served as it is now: it has changed, or it is new.
    Renewed {
        /// The script.
        script: EcoString,
        /// Whether it was not served before.
        is_new: bool,
    },
    /// A script has changed and can't be served so.
    NotRenewed {
        /// The script.
        script: EcoString,
        /// Whether it is served as it was.
        is_served: bool,
        /// What is wrong with it.
        findings: Vec<Finding>,
        /// The texts that the findings point into.
        sources: Box<Sources>,
    },
    /// A script is gone, or has nothing to serve any more.
    Withdrawn {
        /// The script.
        script: EcoString,
    },
    /// The days on which nobody works are others.
    CalendarChanged,
    /// `rpa.toml` has changed.
    SettingsChanged {
        /// The settings that hold from now on.
        taken: Vec<&'static str>,
        /// Those that hold from the next start on.
        for_restart: Vec<&'static str>,
    },
    /// `rpa.toml` has changed and can't be gone by.
    SettingsKept {
        /// The script that could not be served under it; none when the file itself is wrong.
        script: Option<EcoString>,
        /// What is wrong.
        findings: Vec<Finding>,
        /// The texts that the findings point into.
        sources: Box<Sources>,
    },
    /// A trigger has started a run.
    Started {
        /// The trigger.
        trigger: EcoString,
        /// The run.
        run: RunId,
        /// The file, the record, or the time.
        what: String,
        /// How many times before this one passed while nobody watched, and are done by this run.
        caught_up: usize,
    },
    /// Times of a schedule passed while nobody watched, and are left out.
    Missed {
        /// The trigger.
        trigger: EcoString,
        /// How many.
        count: usize,
        /// The last of them.
        last: Instant,
    },
    /// A run has ended as it should.
    Done {
        /// The run.
        run: RunId,
        /// Its flow.
        flow: EcoString,
        /// The runs that came of it: by flow, how many ended well and how many failed.
        others: Vec<(EcoString, u64, u64)>,
    },
    /// A run has failed.
    Failed {
        /// The run.
        run: RunId,
        /// Its flow.
        flow: EcoString,
        /// How.
        failure: Box<RunFailure>,
        /// The runs that came of it: by flow, how many ended well and how many failed.
        others: Vec<(EcoString, u64, u64)>,
    },
    /// A run waits.
    Waits {
        /// The run.
        run: RunId,
        /// Its flow.
        flow: EcoString,
        /// For what kind of thing.
        kind: WaitKind,
        /// For what.
        what: EcoString,
        /// Until when at the latest.
        until: Option<Instant>,
    },
    /// Another process has left its runs.
    TookOver(GoneWorker),
    /// Mails have left.
    Mailed {
        /// How many.
        count: u64,
        /// To where.
        target: String,
    },
    /// Delivery waits for the mail server, and has done so for a while.
    MailWaits {
        /// For what, and how long at most.
        what: String,
    },
    /// A mail could not be delivered for now.
    MailPostponed {
        /// Its number.
        mail: i64,
        /// Why.
        reason: String,
    },
    /// A mail is a dead letter now.
    MailDead {
        /// Its number.
        mail: i64,
        /// The run that wrote it.
        run: i64,
        /// To whom; the domain alone.
        to: EcoString,
        /// Why.
        reason: String,
    },
    /// Mail is held because it is switched off.
    MailHeld {
        /// How many mails.
        count: u64,
    },
    /// The mail server is left alone.
    MailServerLeftAlone {
        /// Until when.
        until: Instant,
    },
    /// Something is wrong; the work goes on all the same.
    Problem(Box<Finding>),
}
