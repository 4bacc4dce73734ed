//! The post office of the test: a real SMTP server (aiosmtpd), and what was handed to it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running server.
pub struct Post {
    process: Child,
    /// Where it listens.
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Post {
    /// The server, or none where it can't be started: the test says so and passes over.
    pub fn start() -> Option<Post> {
        let folder = tempfile::tempdir().unwrap();
        let started = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp/server.py"))
            .arg(folder.path())
            .arg("plain")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
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
        // Nobody reads what it complains about, such as connections that a crash has cut.
        let mut errors = process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Some(Post { process, port, folder })
    }

    fn files(&mut self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let number = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
        let mut files: Vec<(usize, PathBuf)> = files.filter_map(|path| Some((number(&path)?, path))).collect();
        files.sort();
        files.into_iter().map(|(_, path)| path).collect()
    }

    /// How many mails have come so far.
    pub fn count(&mut self) -> usize {
        self.files().len()
    }

    /// The mails that came after the first so many.
    pub fn mails_since(&mut self, count: usize) -> Mails {
        let mut mails = Mails::default();
        for path in self.files().split_off(count) {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
            let field = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.unwrap_or_else(|| panic!("a mail without {name}: {head}")).trim().to_string()
            };
            let what = format!("{} | {}", field("To"), field("Subject"));
            mails.by_id.entry(field("Message-ID")).or_default().push(what);
        }
        mails
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The mails of a life by their Message-ID, each with what it was every time that it came.
#[derive(Default)]
pub struct Mails {
    by_id: BTreeMap<String, Vec<String>>,
}

impl Mails {
    /// How many different ones.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// What they are, sorted: to whom and about what.
    fn contents(&self) -> Vec<&str> {
        let mut contents: Vec<&str> = self.by_id.values().map(|times| times[0].as_str()).collect();
        contents.sort_unstable();
        contents
    }

    /// None came twice.
    pub fn assert_each_once(&self) {
        let twice = self.by_id.iter().find(|(_, times)| times.len() > 1);
        assert!(twice.is_none(), "a mail came twice without any crash: {twice:?}");
    }

    /// The same mails as in another life. A server that has taken a mail when the program dies before it could note it
    /// is given the mail again under the same Message-ID, by which receivers know it: that is counted, and nothing else
    /// is allowed to come twice.
    pub fn assert_same(&self, expected: &Mails, told: &str) -> usize {
        let (mine, theirs) = (self.contents(), expected.contents());
        if mine != theirs {
            let missing: Vec<_> = theirs.iter().filter(|mail| !mine.contains(mail)).collect();
            let surplus: Vec<_> = mine.iter().filter(|mail| !theirs.contains(mail)).collect();
            panic!("{told}: {} mails for {}; missing {missing:?}, surplus {surplus:?}", mine.len(), theirs.len());
        }
        for (id, times) in &self.by_id {
            assert!(times.iter().all(|what| *what == times[0]), "{told}: two mails are called {id}: {times:?}");
        }
        self.by_id.values().map(|times| times.len() - 1).sum()
    }
}
