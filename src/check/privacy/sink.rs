//! The places where data leaves a script, and what may leave there.

use super::taint::{Origin, WayId};
use crate::check::boundaries::{Allowance, Boundaries, is_of_domain, lies_in};
use crate::check::host::{Address, HostRule};
use crate::text::Span;
use ecow::EcoString;

/// A kind of place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sink {
    /// `log.info`, `log.warn`, `stop`: the story of a run.
    Log,
    /// A file, with its path as far as it is known.
    File(EcoString),
    /// Where a mail goes, as far as it is known; empty when it is not.
    Mail(EcoString),
    /// Headers and body of a call, and the system that is called, as far as it is known.
    Call(Option<Address>),
    /// The address of a call, with all that stands in it.
    Url(Option<Address>),
    /// A field of a failure.
    Failure(EcoString),
    /// A question to a role, as far as it is known.
    Question(EcoString),
    /// The subject of a mail: it may leave with the mail, and is told in the story of the run unless it is personal.
    Subject,
    /// The key of a run.
    Key,
    /// The journal: values of steps, arguments of runs. Personal data may be in it.
    Journal,
    /// A field of a stored record that is not declared `secret`.
    Store(EcoString),
}

impl Sink {
    /// What happens there, for the label at the place.
    pub fn words(&self) -> String {
        match self {
            Sink::Log => "the story of the run shows it".into(),
            Sink::File(path) if path.is_empty() => "written to a file".into(),
            Sink::File(path) => format!("written to `{path}`"),
            Sink::Mail(to) if to.is_empty() => "leaves in a mail".into(),
            Sink::Mail(to) => format!("leaves in a mail to {to}"),
            Sink::Call(None) => "another system gets it".into(),
            Sink::Call(Some(system)) => format!("{system} gets it"),
            Sink::Url(_) => "stands in the address of a call, which is written down on the way".into(),
            Sink::Failure(error) => format!("`{error}` carries it into stories and logs"),
            Sink::Question(role) if role.is_empty() => "whoever is asked reads it".into(),
            Sink::Question(role) => format!("everybody in `{role}` reads it"),
            Sink::Subject => "the subject of a mail".into(),
            Sink::Key => "lists of runs show their keys".into(),
            Sink::Journal => "the journal keeps it".into(),
            Sink::Store(field) => format!("`{field}` keeps it in the store"),
        }
    }

    /// The same as the end of a sentence.
    pub fn end_of_sentence(&self) -> String {
        match self {
            Sink::Log => "the story of the run".into(),
            Sink::File(path) if path.is_empty() => "a file".into(),
            Sink::File(path) => format!("the file `{path}`"),
            Sink::Mail(to) if to.is_empty() => "a mail to somebody else".into(),
            Sink::Mail(to) => format!("a mail to {to}"),
            Sink::Call(None) => "another system".into(),
            Sink::Call(Some(system)) => format!("{system}"),
            Sink::Url(None) => "the address of a call".into(),
            Sink::Url(Some(system)) => format!("the address of a call of {system}"),
            Sink::Failure(error) => format!("the failure `{error}`"),
            Sink::Question(_) => "a question".into(),
            Sink::Subject => "the subject of a mail".into(),
            Sink::Key => "the key of a run".into(),
            Sink::Journal => "the journal".into(),
            Sink::Store(field) => format!("`{field}` in the store"),
        }
    }

    /// The entry of `[privacy]` that would allow it.
    pub fn allowance(&self) -> Option<Allowance> {
        Some(match self {
            Sink::Log => Allowance::Log,
            Sink::File(path) => match path.rsplit_once('/') {
                Some((folder, _)) if !folder.contains('{') => Allowance::Write(folder.into()),
                _ => Allowance::Write(".".into()),
            },
            Sink::Mail(to) => match to.rsplit_once('@') {
                Some((_, domain)) => Allowance::Mail(domain.to_lowercase().into()),
                None => return None,
            },
            Sink::Call(system) | Sink::Url(system) => Allowance::Call(HostRule::of(system.as_ref()?)),
            Sink::Failure(_) => Allowance::Fail,
            Sink::Question(role) if role.is_empty() => return None,
            Sink::Question(role) => Allowance::Ask(role.clone()),
            Sink::Key => Allowance::Key,
            Sink::Subject | Sink::Journal | Sink::Store(_) => return None,
        })
    }

    /// Whether something of this origin may leave here; with the entry that allows it, if one does.
    pub fn lets_pass(&self, origin: Origin, boundaries: &Boundaries) -> Pass {
        match (origin, self) {
            // That is what secrets are for; whom a project lets be called is held by itself.
            (Origin::Secret, Sink::Call(_)) => Pass::Free,
            (Origin::Secret, _) => Pass::No,
            // Personal data in the store and the journal is what they are for.
            (_, Sink::Journal | Sink::Store(_)) => Pass::Free,
            // Where the mail goes is asked for beside this.
            (_, Sink::Subject) => Pass::Free,
            // What a table decided is less than the data itself: only what leaves the house counts.
            (Origin::Implied, Sink::Failure(_) | Sink::Question(_) | Sink::Key) => Pass::Free,
            (_, Sink::Mail(to)) if boundaries.own_domain.as_ref().is_some_and(|domain| is_of_domain(to, domain)) => {
                Pass::Free
            }
            _ => match boundaries.personal.iter().find(|allowance| self.is_allowed_by(allowance)) {
                Some(allowance) => Pass::Allowed(allowance.clone()),
                None => Pass::No,
            },
        }
    }

    fn is_allowed_by(&self, allowance: &Allowance) -> bool {
        match (self, allowance) {
            (Sink::Log, Allowance::Log) | (Sink::Key, Allowance::Key) | (Sink::Failure(_), Allowance::Fail) => true,
            (Sink::File(path), Allowance::Write(folder)) => !path.is_empty() && lies_in(path, folder),
            (Sink::Mail(to), Allowance::Mail(domain)) => is_of_domain(to, domain),
            (Sink::Call(Some(system)) | Sink::Url(Some(system)), Allowance::Call(host)) => host.allows(system),
            (Sink::Question(role), Allowance::Ask(allowed)) => role == allowed,
            _ => false,
        }
    }
}

/// Whether something may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nobody needs to allow it.
    Free,
    /// The project allows it.
    Allowed(Allowance),
    /// It may not.
    No,
}

/// What a body does with something that its caller brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leak {
    /// What leaves.
    pub origin: Origin,
    /// Where.
    pub sink: Sink,
    /// The place.
    pub span: Span,
    /// The way inside the body.
    pub way: WayId,
    /// Parameters that bring the recipient's address: when one of them is personal, the mail goes to the person.
    pub unless: Vec<u32>,
}
