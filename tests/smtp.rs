//! Mail through a real server: aiosmtpd (Python), started by each test. Without it the tests say so and pass over.

// A test looks at files and says on the terminal why it passes over.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use rpa::adapter::mail::{SmtpServer, dispatch, transport};
use rpa::value::Instant;
use rpa::world::{
    FixedClock, MemoryFiles, MemoryStore, Message, MessageAttachment, NoDocuments, Project, SeededRandom, Settings,
    Smtp, Store, Tls, World,
};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Server {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    /// The server in a mode, or none where it can't be started.
    fn start(mode: &str) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp/server.py")).arg(folder.path()).arg(mode);
        if matches!(mode, "starttls" | "tls") {
            if !certificates(folder.path()) {
                eprintln!("SKIPPED: openssl, which makes the certificates, is not installed");
                return None;
            }
            command.arg(folder.path().join("server.pem")).arg(folder.path().join("server.key"));
        }
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut process) = started else {
            eprintln!("SKIPPED: python3 is not installed");
            return None;
        };
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            let output = process.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("No module named 'aiosmtpd'"), "the server does not start: {said}");
            eprintln!("SKIPPED: aiosmtpd is not installed (python3 -m pip install aiosmtpd)");
            return None;
        };
        Some(Server { process, port, folder })
    }

    fn settings(&self, tls: Tls, password_env: Option<&str>) -> Smtp {
        Smtp {
            host: "localhost".into(),
            port: self.port,
            tls,
            user: password_env.map(|_| "shop".into()),
            password_env: password_env.map(Into::into),
            timeout: rpa::value::Duration::from_milliseconds(3_000),
        }
    }

    /// The program's side of the connection.
    fn transport(&self, tls: Tls, password_env: Option<&str>) -> SmtpServer {
        let settings = self.settings(tls, password_env);
        SmtpServer::new(settings, "Shop <orders@shop.example>".into())
            .trusting_when(self.folder.path().join("authority.pem"))
    }

    /// The mails that came, in order.
    fn mails(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
        files.sort();
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

trait Trusting {
    fn trusting_when(self, certificate: PathBuf) -> Self;
}

impl Trusting for SmtpServer {
    fn trusting_when(self, certificate: PathBuf) -> Self {
        if certificate.exists() { self.trusting(vec![certificate]) } else { self }
    }
}

/// An authority and a certificate of it for `localhost`.
fn certificates(folder: &Path) -> bool {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder).output();
        output.is_ok_and(|output| output.status.success())
    };
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    openssl(&[&new[..], &["-subj", "/CN=test authority", "-keyout", "authority.key", "-out", "authority.pem"]].concat())
        && openssl(
            &[
                &new[..],
                &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.pem"],
                &["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "subjectAltName=DNS:localhost"],
                &["-addext", "basicConstraints=critical,CA:FALSE"],
            ]
            .concat(),
        )
}

fn message(number: usize, to: &str) -> Message {
    Message {
        id: format!("1.{number}@test.rpa.invalid").into(),
        from: "".into(),
        to: to.into(),
        cc: Vec::new(),
        reply_to: None,
        subject: "Bestätigung".into(),
        body: "Guten Tag,\n.\n.. ein Punkt allein beendet nichts.\n".into(),
        attachments: Vec::new(),
        written: 1_795_392_000_000,
    }
}

fn world(mails: &[Message]) -> World {
    let mut store = MemoryStore::new(Vec::new());
    store.begin().unwrap();
    for mail in mails {
        store.add_to_outbox(1, mail).unwrap();
    }
    store.commit().unwrap();
    World {
        store: Box::new(store),
        clock: Box::new(FixedClock { now: Instant::EPOCH, zone: jiff::tz::TimeZone::UTC }),
        random: Box::new(SeededRandom(1)),
        files: Box::new(MemoryFiles::default().with("invoice.pdf", b"%PDF\n\x00\xff".to_vec())),
        documents: Box::new(NoDocuments),
        web: Box::new(rpa::world::NoWeb),
        secrets: rpa::world::Secrets::default(),
        settings: Settings::default(),
    }
}

#[test]
fn mails_arrive_once_and_refusals_are_told_apart() {
    let Some(server) = Server::start("plain") else { return };
    let mut first = message(0, "Ada Lovelace <ada@example.com>");
    first.cc = vec!["bob@example.com".into()];
    first.attachments = vec![MessageAttachment { path: "invoice.pdf".into(), content: Vec::new() }];
    let mut mails = vec![first, message(1, "later@example.com"), message(2, "never@example.com")];
    mails.extend((3..10).map(|number| message(number, "eve@example.com")));
    let mut world = world(&mails);
    let mut transport = server.transport(Tls::Off, None);
    let report = dispatch(&mut world, &mut transport).unwrap();
    assert_eq!((report.delivered, report.stopped), (8, false), "{report:?}");
    assert!(report.postponed[0].reason.contains("try again later"), "{report:?}");
    assert!(report.refused[0].reason.contains("no such user"), "{report:?}");
    let arrived = server.mails();
    assert_eq!(arrived.len(), 8);
    assert!(arrived[0].contains("X-Recipients: ada@example.com, bob@example.com"), "{}", arrived[0]);
    assert!(arrived[0].contains("Message-ID: <1.0@test.rpa.invalid>"));
    assert!(arrived[0].contains("filename=\"invoice.pdf\""));
    assert!(arrived[1].contains("\r\n.\r\n.. ein Punkt"), "{}", arrived[1]);
    // A second time there is the postponed one alone.
    assert_eq!(dispatch(&mut world, &mut transport).unwrap().delivered, 0);
    assert_eq!(server.mails().len(), 8);
}

#[test]
fn the_connection_is_safe_and_signed_in() {
    // Cargo gives every test this variable: the server's password is its value.
    let (right, wrong) = ("CARGO_PKG_NAME", "PATH");
    for (mode, tls) in [("starttls", Tls::Starttls), ("tls", Tls::Tls)] {
        let Some(server) = Server::start(mode) else { return };
        // A wrong password postpones: it is not the mail's fault.
        let mut world = world(&[message(1, "ada@example.com")]);
        let report = dispatch(&mut world, &mut server.transport(tls, Some(wrong))).unwrap();
        assert_eq!((report.delivered, report.postponed.len()), (0, 1), "{report:?}");
        assert!(report.postponed[0].reason.contains("can't sign in as `shop`"), "{report:?}");
        let report = dispatch(&mut world, &mut server.transport(tls, Some("RPA_TEST_NO_SUCH_VARIABLE"))).unwrap();
        assert!(report.postponed[0].reason.contains("`RPA_TEST_NO_SUCH_VARIABLE`"), "{report:?}");
        assert!(server.mails().is_empty());
        let report = dispatch(&mut world, &mut server.transport(tls, Some(right))).unwrap();
        assert_eq!(report.delivered, 1, "{report:?}");
        assert!(server.mails()[0].contains("X-Peer-Encrypted: yes"), "{:?}", server.mails());
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_what_to_do() {
    for (mode, tls) in [("starttls", Tls::Starttls), ("tls", Tls::Tls)] {
        let Some(server) = Server::start(mode) else { return };
        let reason = |host: &str, authorities: Vec<PathBuf>| {
            let mut project = Project::of_folder(server.folder.path());
            project.mail.smtp = Some(Smtp { host: host.into(), ..server.settings(tls, None) });
            project.authorities = authorities;
            let mut world = world(&[message(1, "ada@example.com")]);
            let report = dispatch(&mut world, transport(&project).as_mut()).unwrap();
            assert_eq!((report.delivered, report.postponed.len()), (0, 1), "{report:?}");
            report.postponed[0].reason.to_string()
        };
        let text = reason("localhost", Vec::new());
        assert!(text.contains("no authority that is trusted") && text.contains("`authorities"), "{text}");
        let text = reason("127.0.0.1", vec![server.folder.path().join("authority.pem")]);
        assert!(text.contains("is for `localhost` and not for `127.0.0.1`"), "{text}");
        assert!(server.mails().is_empty());
    }
}

#[test]
fn a_server_without_a_safe_connection_gets_nothing() {
    let Some(server) = Server::start("plain") else { return };
    for tls in [Tls::Starttls, Tls::Tls] {
        let mut world = world(&[message(1, "ada@example.com")]);
        let report = dispatch(&mut world, &mut server.transport(tls, None)).unwrap();
        assert_eq!((report.delivered, report.postponed.len()), (0, 1), "{report:?}");
    }
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_that_is_not_there_postpones_everything() {
    let settings = Smtp {
        host: "localhost".into(),
        port: 1,
        tls: Tls::Off,
        user: None,
        password_env: None,
        timeout: Smtp::TIMEOUT,
    };
    let mut transport = SmtpServer::new(settings, "orders@shop.example".into());
    let mails: Vec<Message> = (0..20).map(|number| message(number, "ada@example.com")).collect();
    let report = dispatch(&mut world(&mails), &mut transport).unwrap();
    assert!(report.stopped && report.delivered == 0);
    assert!(report.postponed[0].reason.contains("can't connect to localhost:1"), "{report:?}");
}
