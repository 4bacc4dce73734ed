//! Mail leaves.

use super::{Event, PAUSE, REST, Shared, Troubles, trouble};
use crate::adapter::mail::{DispatchReport, dispatch_until};
use crate::adapter::sqlite::Stop;
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::mail as codes;
use crate::world::{Listener, masked_address};
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// Delivers what is due until the server ends, or once.
pub(super) fn deliver(shared: &Shared<'_>) {
    let code = Code::default();
    let mut troubles = Troubles::default();
    let mut told = Told::default();
    while !shared.is_ending() {
        let served = shared.served();
        let mut world = match (shared.server.open_for_mail)(&code) {
            Ok(world) => world,
            Err(finding) => {
                troubles.tell(shared, *finding);
                if shared.server.once {
                    return;
                }
                shared.rest(PAUSE);
                continue;
            }
        };
        // As a worker, so that mails which it has in hand are free at once should it die.
        if let Err(error) = world.store.enter(&shared.server.process, shared.server.lease) {
            let Some(finding) = trouble(error) else { return };
            troubles.tell(shared, finding);
            if shared.server.once {
                return;
            }
            shared.rest(PAUSE);
            continue;
        }
        let mut transport = (shared.server.transport)();
        transport.listen(Arc::new(Hears { events: shared.events.clone(), stop: shared.server.stop.clone() }));
        // With other settings the server of mails may be another.
        while !shared.is_ending() && Arc::ptr_eq(&served, &shared.served()) {
            match dispatch_until(&mut world, &mut *transport, &|| shared.is_ending()) {
                Ok(report) => {
                    troubles.over();
                    told.report(shared, &report);
                    if shared.server.once {
                        return;
                    }
                    shared.rest(if report.stopped { PAUSE } else { REST });
                }
                Err(error) => {
                    let Some(finding) = trouble(error) else { return };
                    troubles.tell(shared, finding);
                    if shared.server.once {
                        return;
                    }
                    shared.rest(PAUSE);
                    break;
                }
            }
        }
    }
}

/// Tells what delivery waits for, and calls off what can be when the server is to end.
struct Hears {
    events: Sender<Event>,
    stop: Stop,
}

impl Listener for Hears {
    fn waits(&self, what: &str) {
        let _ = self.events.send(Event::MailWaits { what: what.to_string() });
    }

    fn is_ending(&self) -> bool {
        self.stop.is_set()
    }
}

/// What was told of mail, so that what lasts is told once.
#[derive(Default)]
struct Told {
    held: bool,
    left_alone: bool,
    unreachable: Troubles,
}

impl Told {
    fn report(&mut self, shared: &Shared<'_>, report: &DispatchReport) {
        if report.delivered > 0 {
            shared.tell(Event::Mailed { count: report.delivered, target: report.target.clone() });
            self.unreachable.over();
        }
        for mail in &report.refused {
            shared.tell(Event::MailDead {
                mail: mail.number,
                run: mail.run,
                to: masked_address(&mail.to),
                reason: mail.reason.clone(),
            });
        }
        if report.stopped && report.delivered == 0 {
            if let Some(first) = report.postponed.first() {
                let finding = Finding::without_place(&codes::UNREACHABLE, first.reason.clone());
                self.unreachable.tell(shared, finding.note("the mails wait in the outbox and are tried again"));
            }
        } else {
            for mail in &report.postponed {
                shared.tell(Event::MailPostponed { mail: mail.number, reason: mail.reason.clone() });
            }
        }
        match report.open_until {
            Some(until) if !self.left_alone => {
                self.left_alone = true;
                shared.tell(Event::MailServerLeftAlone { until });
            }
            Some(_) => {}
            None => self.left_alone &= report.delivered == 0,
        }
        if report.held > 0 && !self.held {
            shared.tell(Event::MailHeld { count: report.held });
        }
        // A look that finds nothing due says nothing about the switch.
        self.held = report.held > 0 || (self.held && report.delivered == 0);
    }
}
