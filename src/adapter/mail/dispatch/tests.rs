use super::*;
use crate::adapter::mail::EmlFolder;
use crate::value::Instant;
use crate::world::{
    FixedClock, MemoryFiles, MemoryStore, Message, MessageAttachment, NoDocuments, SeededRandom, Settings, Store,
};

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
        settings: Settings::default(),
    }
}

/// Takes what it is told to take, and remembers what came.
#[derive(Default)]
struct Scripted {
    came: Vec<(i64, Vec<u8>)>,
    flush_fails: bool,
}

impl Transport for Scripted {
    fn deliver(&mut self, _: &Message) -> Result<(), DeliveryError> {
        unreachable!("mails of the outbox have numbers")
    }
    fn deliver_entry(&mut self, number: i64, message: &Message) -> Result<(), DeliveryError> {
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
        target: "nowhere",
    }
    "#);
    // The second time there is the postponed one alone, until it is given up.
    let again = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((again.delivered, again.postponed.len(), again.refused.len()), (0, 1, 0));
    let mut last = again;
    for _ in 2..MOST_ATTEMPTS {
        last = dispatch(&mut world, &mut transport).unwrap();
    }
    insta::assert_snapshot!(last.refused[0].reason, @"given up after 12 attempts: 450 mailbox busy");
    assert_eq!(
        dispatch(&mut world, &mut transport).unwrap(),
        DispatchReport { target: "nowhere".into(), ..Default::default() }
    );
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
