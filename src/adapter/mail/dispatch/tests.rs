use super::*;
use crate::adapter::mail::EmlFolder;
use crate::world::{
    EffectsOff, FixedClock, MailFilter, MailState, MemoryFiles, MemoryStore, Message, MessageAttachment, NoDocuments,
    SeededRandom, Settings, Store, SwitchReader, Switches,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const HOUR: Duration = Duration::from_milliseconds(Duration::HOUR);

fn message(to: &str) -> Message {
    Message {
        id: format!("1.{to}").replace('@', ".").into(),
        from: "".into(),
        to: to.into(),
        cc: Vec::new(),
        reply_to: None,
        subject: "Hello".into(),
        body: "Text".into(),
        attachments: Vec::new(),
        written: 0,
    }
}

/// A world with these mails in its outbox.
fn world(mails: &[Message]) -> World {
    let mut store = MemoryStore::new(Vec::new());
    store.begin().unwrap();
    for mail in mails {
        store.add_to_outbox(7, mail).unwrap();
    }
    store.commit().unwrap();
    World {
        store: Box::new(store),
        clock: Box::new(FixedClock { now: Instant::EPOCH, zone: jiff::tz::TimeZone::UTC }),
        random: Box::new(SeededRandom(1)),
        files: Box::new(MemoryFiles::default().with("a.pdf", b"pdf".to_vec())),
        documents: Box::new(NoDocuments),
        web: Box::new(crate::world::NoWeb),
        secrets: crate::world::Secrets::default(),
        settings: Settings::default(),
    }
}

/// Takes what it is told to take, and remembers what came.
#[derive(Default)]
struct Scripted {
    came: Vec<(i64, Vec<u8>)>,
    flush_fails: bool,
    /// The name of the system, and whether it is down.
    system: Option<&'static str>,
    is_down: bool,
}

impl Transport for Scripted {
    fn deliver(&mut self, _: &Message) -> Result<(), DeliveryError> {
        unreachable!("mails of the outbox have numbers")
    }
    fn deliver_entry(&mut self, number: i64, message: &Message) -> Result<(), DeliveryError> {
        if self.is_down {
            return Err(DeliveryError::Unreachable("no answer".into()));
        }
        self.came.push((number, message.attachments.first().map(|file| file.content.clone()).unwrap_or_default()));
        match message.to.split('@').next() {
            Some("later") => Err(DeliveryError::Transient("450 mailbox busy".into())),
            Some("never") => Err(DeliveryError::Permanent("550 no such user".into())),
            _ => Ok(()),
        }
    }
    fn flush(&mut self) -> Result<(), DeliveryError> {
        if self.flush_fails { Err(DeliveryError::Transient("the disk is full".into())) } else { Ok(()) }
    }
    fn is_idempotent(&self) -> bool {
        self.flush_fails
    }
    fn system(&self) -> Option<&'static str> {
        self.system
    }
    fn target(&self) -> String {
        "nowhere".into()
    }
}

#[test]
fn every_mail_is_tried_once_and_settled() {
    let mut mail = message("ok@a.example");
    mail.attachments = vec![MessageAttachment { path: "a.pdf".into(), content: Vec::new() }];
    let mut lost = message("ok@b.example");
    lost.attachments = vec![MessageAttachment { path: "gone.pdf".into(), content: Vec::new() }];
    let mails = [mail, message("later@a.example"), message("never@a.example"), lost, message("ok@c.example")];
    let mut world = world(&mails);
    let mut transport = Scripted::default();
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!(transport.came, [(1, b"pdf".to_vec()), (2, vec![]), (3, vec![]), (5, vec![])]);
    insta::assert_debug_snapshot!(report, @r#"
    DispatchReport {
        delivered: 2,
        postponed: [
            Undelivered {
                number: 2,
                run: 7,
                to: "later@a.example",
                reason: "450 mailbox busy",
            },
        ],
        refused: [
            Undelivered {
                number: 3,
                run: 7,
                to: "never@a.example",
                reason: "550 no such user",
            },
            Undelivered {
                number: 4,
                run: 7,
                to: "ok@b.example",
                reason: "an attachment is missing: there is no file `gone.pdf`",
            },
        ],
        stopped: false,
        held: 0,
        open_until: None,
        target: "nowhere",
    }
    "#);
    // The second time there is the postponed one alone, when its pause is over, until it is given up.
    let nothing = DispatchReport { target: "nowhere".into(), ..Default::default() };
    assert_eq!(dispatch(&mut world, &mut transport).unwrap(), nothing);
    let mut pauses = Vec::new();
    let mut last = nothing.clone();
    while last.refused.is_empty() {
        let due = world.store.next_mail(world.clock.now()).unwrap().unwrap();
        let pause = due.since(world.clock.now());
        pauses.push(pause.milliseconds() / Duration::MINUTE);
        world.clock.sleep(pause);
        last = dispatch(&mut world, &mut transport).unwrap();
    }
    assert_eq!(pauses, [&[1, 2, 4, 8, 16, 32, 64, 128][..], &[240; 11]].concat());
    insta::assert_snapshot!(last.refused[0].reason, @"given up after 20 attempts: 450 mailbox busy");
    assert_eq!(dispatch(&mut world, &mut transport).unwrap(), nothing);
}

#[test]
fn a_way_that_is_closed_is_not_tried_for_every_mail() {
    let mails: Vec<Message> = (0..50).map(|_| message("later@a.example")).collect();
    let mut transport = Scripted::default();
    let report = dispatch(&mut world(&mails), &mut transport).unwrap();
    assert_eq!((report.stopped, transport.came.len(), report.postponed.len()), (true, PATIENCE, PATIENCE));
}

#[test]
fn what_may_be_lost_has_not_left() {
    let mut world = world(&[message("ok@a.example"), message("never@a.example")]);
    let mut transport = Scripted { flush_fails: true, ..Default::default() };
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.delivered, report.postponed.len(), report.refused.len()), (0, 1, 1));
}

#[test]
fn a_folder_takes_each_mail_once_in_the_order_of_their_numbers() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("outbox");
    let mails: Vec<Message> = (0..1200).map(|number| message(&format!("user{number}@a.example"))).collect();
    let mut world = world(&mails);
    let mut transport = EmlFolder::new(&folder, "Shop <orders@shop.example>".into());
    // Delivered, but not settled: as if the machine had stopped in between.
    transport.deliver_entry(1, &mails[0]).unwrap();
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.delivered, report.postponed.len(), report.refused.len()), (1200, 0, 0));
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!((names.len(), names[0].as_str(), names[1199].as_str()), (1200, "00000001.eml", "00001200.eml"));
    let last = std::fs::read_to_string(folder.join(&names[1199])).unwrap();
    assert!(last.contains("To: user1199@a.example"), "{last}");
}

#[test]
fn a_folder_that_can_not_be_written_to_postpones() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("outbox"), "a file").unwrap();
    let mut transport = EmlFolder::new(&place.path().join("outbox"), "orders@shop.example".into());
    let report = dispatch(&mut world(&[message("ok@a.example")]), &mut transport).unwrap();
    let reason = report.postponed[0].reason.replace(place.path().to_str().unwrap(), "…");
    insta::assert_snapshot!(reason, @"`…/outbox` can't be written to: Not a directory (os error 20)");
}

#[test]
fn a_server_that_is_down_is_left_alone_and_its_mails_lose_no_tries() {
    let mails: Vec<Message> = (0..3).map(|_| message("ok@a.example")).collect();
    let mut world = world(&mails);
    let mut transport = Scripted { system: Some("smtp"), is_down: true, ..Default::default() };
    for _ in 0..5 {
        let report = dispatch(&mut world, &mut transport).unwrap();
        assert_eq!((report.delivered, report.postponed.len(), report.stopped), (0, 1, true));
    }
    // Now the circuit is open, for everyone who asks the store.
    let until = world.clock.now().plus(world.settings.delivery.breaker.pause).unwrap();
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.postponed.len(), report.open_until), (0, Some(until)));
    transport.is_down = false;
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 0);
    world.clock.sleep(world.settings.delivery.breaker.pause);
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.delivered, report.open_until), (3, None));
    let sent = world.store.mails(&MailFilter { limit: 10, ..MailFilter::default() }).unwrap();
    assert!(sent.iter().all(|mail| mail.state == MailState::Sent && mail.entry.attempts == 1), "{sent:?}");
}

#[test]
fn mail_is_held_while_it_is_switched_off() {
    struct Off(Arc<AtomicBool>);
    impl SwitchReader for Off {
        fn off(&self) -> EffectsOff {
            EffectsOff { email: self.0.load(Ordering::Relaxed), files: false, calls: false }
        }
    }
    let off = Arc::new(AtomicBool::new(true));
    let mut world = world(&[message("ok@a.example"), message("ok@b.example")]);
    world.settings.switches = Switches::new(Off(off.clone()));
    let mut transport = Scripted::default();
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.delivered, report.held, transport.came.len()), (0, 2, 0));
    off.store(false, Ordering::Relaxed);
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 2);
}

#[test]
fn what_another_process_has_claimed_is_left_to_it_until_its_claim_ends() {
    let mut world = world(&[message("ok@a.example"), message("ok@b.example")]);
    let now = world.clock.now();
    let claim = MailClaim { owner: "other".into(), now, until: now.plus(HOUR).unwrap() };
    world.store.begin().unwrap();
    let taken = world.store.claim_mails(&claim, 1).unwrap();
    world.store.commit().unwrap();
    let mut transport = Scripted::default();
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 1);
    assert_eq!(transport.came[0].0, 2);
    // The other one has died: its mail is taken over, and what it says later does not count.
    world.clock.sleep(HOUR);
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 1);
    let late = world.store.settle_mail(taken[0].number, "other", &MailOutcome::Sent, now).unwrap();
    assert!(!late, "the claim was over");
}

#[test]
fn it_stops_between_two_mails() {
    let mails: Vec<Message> = (0..5).map(|_| message("ok@a.example")).collect();
    let mut world = world(&mails);
    let mut transport = Scripted::default();
    let looked = std::cell::Cell::new(0);
    let stop = || {
        looked.set(looked.get() + 1);
        looked.get() > 2
    };
    assert_eq!(dispatch_until(&mut world, &mut transport, &stop).unwrap().delivered, 2);
    // Nothing stays claimed.
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 3);
}
