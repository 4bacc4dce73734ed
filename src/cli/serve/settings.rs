//! The settings that a server goes by, and what a changed `rpa.toml` makes of them.
//!
//! Whatever begins after a change goes by the new settings; what is at work ends by the old ones. Where the store is, how
//! long its lease is and in which zone days are counted was settled when the server began.

use crate::value::EcoString;
use crate::world::{CallSettings, Project};
use std::sync::{Arc, Mutex, PoisonError};

/// The settings in force; threads ask for them when they begin something.
pub(super) struct InForce(Mutex<Arc<Project>>);

impl InForce {
    pub fn new(project: Project) -> InForce {
        InForce(Mutex::new(Arc::new(project)))
    }

    pub fn now(&self) -> Arc<Project> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, project: Project) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(project);
    }
}

/// What a changed file says.
pub(super) struct Change {
    /// The settings from now on.
    pub project: Project,
    /// Which of them are others than before.
    pub taken: Vec<&'static str>,
    /// Which are others than when the server began, and were not at the last look: they wait for the next start.
    pub for_restart: Vec<&'static str>,
}

/// What a file says now (`written`), what it said at the last look and when the server began.
pub(super) fn change(in_force: &Project, began: &Project, last: &Project, written: &Project) -> Change {
    let project = Project {
        folder: in_force.folder.clone(),
        store: in_force.store.clone(),
        lease: in_force.lease,
        zone: in_force.zone.clone(),
        ..written.clone()
    };
    let is_new = |same_as: &dyn Fn(&Project) -> bool| !same_as(began) && !same_as(last);
    let for_restart = [
        (is_new(&|other| other.store == written.store), "`path` in `[store]`"),
        (is_new(&|other| other.lease == written.lease), "`lease` in `[store]`"),
        (is_new(&|other| other.zone == written.zone), "`zone`"),
    ];
    let named = |settings: &[(bool, &'static str)]| -> Vec<&'static str> {
        settings.iter().filter(|(is_other, _)| *is_other).map(|(_, name)| *name).collect()
    };
    let taken = named(&differences(in_force, &project));
    Change { project, taken, for_restart: named(&for_restart) }
}

/// Which settings are others; that each is looked at is seen to by the patterns.
fn differences(old: &Project, new: &Project) -> Vec<(bool, &'static str)> {
    let Project {
        folder: _,
        store: _,
        lease: _,
        zone: _,
        written: _,
        name,
        currency,
        keep,
        mail,
        reach,
        authorities,
        calls: CallSettings { hosts, systems, answer, time },
        secrets,
        privacy,
        limits,
        pdf,
        seller,
        levels,
        effects_off,
        holidays,
    } = old;
    vec![
        (*name != new.name, "`name`"),
        (*currency != new.currency, "`currency`"),
        (*keep != new.keep, "`keep` in `[store]`"),
        (*mail != new.mail, "`[mail]`"),
        (*reach != new.reach || *hosts != new.calls.hosts, "`[reach]`"),
        (*authorities != new.authorities, "`[tls]`"),
        (*systems != new.calls.systems, "`[systems]`"),
        (*secrets != new.secrets, "`[secrets]`"),
        (*privacy != new.privacy, "`[privacy]`"),
        (*limits != new.limits || *answer != new.calls.answer || *time != new.calls.time, "`[limits]`"),
        (*pdf != new.pdf, "`[pdf]`"),
        (*seller != new.seller, "`[seller]`"),
        (*levels != new.levels, "`[check]`"),
        (*effects_off != new.effects_off, "`[effects]`"),
        (*holidays != new.holidays, "`[calendar]`"),
    ]
}

/// `[mail]`, `[reach]` and `zone`, in words.
pub(super) fn listed(settings: &[&'static str]) -> EcoString {
    match settings {
        [] => EcoString::new(),
        [one] => (*one).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Duration;
    use std::path::Path;

    #[test]
    fn what_the_store_is_built_on_waits_for_a_restart_and_is_told_once() {
        let began = Project::of_folder(Path::new("/shop"));
        // Another store was named on the command line.
        let in_force = Project { store: "/else/store.db".into(), ..began.clone() };
        let mut written = began.clone();
        written.keep = Some(Duration::from_milliseconds(Duration::DAY));
        written.zone = "Europe/Berlin".into();
        written.store = "/shop/other.db".into();
        let first = change(&in_force, &began, &began, &written);
        assert_eq!(first.taken, ["`keep` in `[store]`"]);
        assert_eq!(first.for_restart, ["`path` in `[store]`", "`zone`"]);
        assert_eq!((first.project.store.to_str(), first.project.zone.as_str()), (Some("/else/store.db"), "UTC"));
        let second = change(&first.project, &began, &written, &written);
        assert!(second.taken.is_empty() && second.for_restart.is_empty());
        // Nothing waits for a restart when it is as it was again.
        let back = change(&first.project, &began, &written, &began);
        assert_eq!((back.taken.len(), back.for_restart.len()), (1, 0));
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
