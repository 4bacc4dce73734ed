//! Calls over HTTPS: whose certificates are trusted, and what is said of those that are not. The authority and its
//! certificates are made by openssl; where that is not installed the tests say so and pass over.

#![allow(clippy::disallowed_macros, reason = "a test says on the terminal why it passes over")]

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An authority of the test's own.
struct Authority(tempfile::TempDir);

const SETTINGS: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nunique_subject = no\nnew_certs_dir = .\ncertificate = authority.pem\nprivate_key = authority.key\nserial = serial\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";

impl Authority {
    /// None where openssl is not installed.
    fn new() -> Option<Authority> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("ca.cnf", SETTINGS), ("index.txt", ""), ("serial", "01\n")] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let authority = Authority(folder);
        let new = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout authority.key -out authority.pem";
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: openssl, which makes the certificates, is not installed");
            return None;
        }
        authority.openssl(new);
        Some(authority)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn certificate(&self) -> Vec<u8> {
        fs::read(self.0.path().join("authority.pem")).unwrap()
    }

    /// A server with a certificate for a name, good from one year on and up to another.
    fn server(&self, name: &str, (from, to): (u32, u32)) -> SafeServer {
        fs::write(self.0.path().join("names"), format!("subjectAltName = DNS:{name}\n")).unwrap();
        self.openssl(&format!("req -newkey rsa:2048 -nodes -subj /CN={name} -keyout server.key -out server.csr"));
        self.openssl(&format!(
            "ca -batch -config ca.cnf -in server.csr -out server.pem -startdate {from}0101000000Z -enddate {to}0101000000Z -notext -extfile names"
        ));
        self.server_with("server")
    }

    /// A server with the certificate and key of these files.
    fn server_with(&self, name: &str) -> SafeServer {
        let certificates = CertificateDer::pem_file_iter(self.0.path().join(format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.0.path().join(format!("{name}.key"))).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates.map(Result::unwrap).collect(), key)
            .unwrap();
        SafeServer::start(config)
    }
}

/// A server that answers `"safe"` to everybody who trusts it.
struct SafeServer {
    port: u16,
    /// How many have called it, and how many have told it what they want.
    called: Arc<(AtomicUsize, AtomicUsize)>,
}

impl SafeServer {
    fn start(config: ServerConfig) -> SafeServer {
        let (config, called) = (Arc::new(config), Arc::<(AtomicUsize, AtomicUsize)>::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counted = called.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.0.fetch_add(1, Ordering::SeqCst);
                let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
                let mut head = BufReader::new(&mut stream).lines();
                if head.by_ref().map_while(Result::ok).any(|line| line.is_empty()) {
                    counted.1.fetch_add(1, Ordering::SeqCst);
                    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n\"safe\"";
                    stream.write_all(answer).unwrap();
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        SafeServer { port, called }
    }

    /// What a project with these settings that calls the server says, and how often the server was called and told.
    fn called_by(&self, settings: &str, authority: &[u8]) -> (String, usize, usize) {
        let folder = tempfile::tempdir().unwrap();
        let reach = format!("[reach]\nhosts = [\"localhost:{}\"]\n\n{settings}", self.port);
        let script = format!(
            "flow question() -> text {{\n  step answer = http.get(\"https://localhost:{}/x\", as: text)\n    retry 2 times from 1 millisecond\n  return answer\n}}\n",
            self.port
        );
        let files = [("rpa.toml", reach.as_bytes()), ("a.rpa", script.as_bytes()), ("ca.pem", authority)];
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let output = Project(folder).output(&["run", "a.rpa", "--format", "json"]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let text = match told["failure"].is_null() {
            true => told["result"].to_string(),
            false => ["error", "message"].map(|part| told["failure"][part].as_str().unwrap().to_string()).join(": "),
        };
        let counts = [&self.called.0, &self.called.1].map(|count| count.swap(0, Ordering::SeqCst));
        (text.replace(&self.port.to_string(), "PORT"), counts[0], counts[1])
    }
}

const TRUSTING: &str = "[tls]\nauthorities = [\"ca.pem\"]\n";

#[test]
fn a_certificate_is_trusted_when_the_project_trusts_its_authority() {
    let Some(authority) = Authority::new() else { return };
    let server = authority.server("localhost", (2020, 2100));
    let (text, called, told) = server.called_by("", b"");
    assert_eq!((called, told), (1, 0), "it is not tried again: {text}");
    insta::assert_snapshot!(text, @r#"no_access: no access to localhost:PORT (GET /x): its certificate is from no authority that is trusted; when it is one of your own, name its certificate in rpa.toml: `authorities = ["ca.pem"]` in `[tls]`"#);
    let (text, called, told) = server.called_by(TRUSTING, &authority.certificate());
    assert!(text.contains("safe"), "{text}");
    assert_eq!((called, told), (1, 1));
    // Another authority of the same name is no help.
    let other = Authority::new().unwrap().certificate();
    let (text, _, told) = server.called_by(TRUSTING, &other);
    assert!(text.contains("the name of a trusted one and another key") && told == 0, "{text}");
}

#[test]
fn a_certificate_for_another_name_or_time_is_refused_and_said() {
    let Some(authority) = Authority::new() else { return };
    let mut said = Vec::new();
    for (name, years) in [("other.example", (2020, 2100)), ("localhost", (2020, 2021)), ("localhost", (2099, 2100))] {
        let server = authority.server(name, years);
        let (text, called, told) = server.called_by(TRUSTING, &authority.certificate());
        assert_eq!((called, told), (1, 0), "{text}");
        said.push(text);
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    no_access: no access to localhost:PORT (GET /x): its certificate is for `other.example` and not for `localhost`; call it by its right name, or have a certificate made for this one
    no_access: no access to localhost:PORT (GET /x): its certificate has expired on 2021-01-01; whoever runs it must renew it, or the clock of this machine is wrong
    no_access: no access to localhost:PORT (GET /x): its certificate does not hold before 2099-01-01, or the clock of this machine is wrong
    ");
}

#[test]
fn a_certificate_that_a_server_has_signed_itself_is_explained() {
    let Some(authority) = Authority::new() else { return };
    let server = authority.server_with("authority");
    for (settings, trusted) in [("", Vec::new()), (TRUSTING, authority.certificate())] {
        let (text, called, told) = server.called_by(settings, &trusted);
        assert!((called, told) == (1, 0) && text.contains("one of an authority (`CA:TRUE`)"), "{text}");
    }
}

#[test]
fn without_its_authorities_nobody_is_called_and_nothing_is_served() {
    let server = Server::start(|_, _| Reply::json("5"));
    let script =
        "flow question() {\n  step answer = http.get(\"SERVER/x\", as: int)\n    retry 2 times from 1 millisecond\n}\n";
    let project = Project::with(&server, script, "[tls]\nauthorities = [\"none.pem\"]\n");
    let (is_fine, text) = project.says(&server, &["run", "a.rpa"]);
    assert!(!is_fine && text.contains("none.pem: there is no such file"), "{text}");
    // The story does not speak of a call that was not made.
    assert!(!text.contains("called"), "{text}");
    assert!(calls(&project.story(1)).is_empty() && server.received().is_empty());
    let (is_fine, text) = project.says(&server, &["serve", "a.rpa", "--once"]);
    assert!(!is_fine && text.contains("config::authority") && !text.contains("serving"), "{text}");
    // With the file the run goes on from where it failed.
    let Some(authority) = Authority::new() else { return };
    fs::write(project.path().join("none.pem"), authority.certificate()).unwrap();
    assert!(project.output(&["serve", "a.rpa", "--once"]).status.success());
    let (is_fine, text) = project.says(&server, &["runs", "retry", "1"]);
    assert!(is_fine, "{text}");
    assert_eq!(calls(&project.story(1)), ["GET /x: 200"]);
}

#[test]
fn authorities_that_can_not_be_read_are_said_with_their_file() {
    let Some(authority) = Authority::new() else { return };
    let server = authority.server("localhost", (2020, 2100));
    let (text, called, _) = server.called_by(TRUSTING, b"no certificate\n");
    assert!(called == 0 && text.contains("ca.pem: there is no certificate in it"), "{text}");
    let (text, called, _) = server.called_by("[tls]\nauthorities = [\"none.pem\"]\n", b"");
    assert!(called == 0 && text.contains("none.pem") && text.contains("`authorities` in `[tls]`"), "{text}");
}
