//! What is said on the line to a mail server (RFC 5321), and how far a mail had come when it failed.

use super::line::{Cut, Line};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::ClientConfig;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most lines of an answer.
const MOST_LINES: usize = 200;

/// How long this side waits for the farewell of the server: it loses nothing by going.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// To answer, or to take a block of a mail.
    pub each: Duration,
    /// To say what becomes of a mail that it has whole. Long, because whoever goes before that sends a mail again that
    /// may have been taken.
    pub verdict: Duration,
}

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub text: String,
}

impl std::fmt::Display for Reply {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.code, self.text)
    }
}

/// Why the server did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Problem {
    /// The line does not serve.
    Cut(Cut),
    /// The server has said no.
    Refused(Reply),
    /// What it says is no SMTP, or it can't do what is needed.
    Unfit(String),
}

impl From<Cut> for Problem {
    fn from(cut: Cut) -> Self {
        Problem::Cut(cut)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Cut(cut) => write!(out, "{cut}"),
            Problem::Refused(reply) => write!(out, "{reply}"),
            Problem::Unfit(what) => out.write_str(what),
        }
    }
}

/// How far a mail had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Who sends it: nothing of this mail alone.
    Sender,
    /// Who gets it.
    Recipient,
    /// Whether its text may come.
    Data,
    /// The text was on its way, without its end: the server does not have it.
    Content,
    /// The server has it whole, and its answer counts.
    Verdict,
}

/// A mail as it is handed over.
pub(super) struct Parcel<'p> {
    /// The address that failures go to.
    pub from: &'p str,
    /// The addresses that get it.
    pub to: Vec<&'p str>,
    /// Its text, lines ending with CR and LF.
    pub content: &'p [u8],
}

/// A conversation with a server that has greeted and knows who we are.
pub(super) struct Conversation {
    line: Line,
    patience: Patience,
    /// What the server can do, in capitals: `STARTTLS`, `AUTH PLAIN LOGIN`.
    abilities: Vec<String>,
}

/// Who is asked while the server is silent whether to wait on: hears how long the server has been silent, how long it
/// may be, and whether it has a mail whole, so that its answer counts.
pub(super) trait Waiter {
    fn goes_on(&mut self, gone: Duration, within: Duration, has_mail: bool) -> bool;
}

/// Waits until the time is over.
struct Patient;

impl Waiter for Patient {
    fn goes_on(&mut self, _gone: Duration, _within: Duration, _has_mail: bool) -> bool {
        true
    }
}

impl Conversation {
    /// Listens to the greeting and introduces this side; safe from the first byte with `tls`.
    pub fn begin(
        mut line: Line,
        tls: Option<(Arc<ClientConfig>, &str)>,
        patience: Patience,
        waiter: &mut dyn Waiter,
    ) -> Result<Conversation, Problem> {
        if let Some((config, host)) = tls {
            line.make_safe(config, host, patience.each)?;
        }
        let mut conversation = Conversation { line, patience, abilities: Vec::new() };
        conversation.answer(patience.each, waiter)?;
        conversation.introduce(waiter)?;
        Ok(conversation)
    }

    /// Goes on under TLS.
    pub fn make_safe(&mut self, config: Arc<ClientConfig>, host: &str, waiter: &mut dyn Waiter) -> Result<(), Problem> {
        if !self.can("STARTTLS") {
            return Err(Problem::Unfit("the server does not offer STARTTLS".to_string()));
        }
        self.ask("STARTTLS", waiter)?;
        self.line.make_safe(config, host, self.patience.each)?;
        // What it said in plain does not count any more.
        self.introduce(waiter)
    }

    /// Signs in.
    pub fn sign_in(&mut self, user: &str, password: &str, waiter: &mut dyn Waiter) -> Result<(), Problem> {
        let offered = self.abilities.iter().find_map(|ability| ability.strip_prefix("AUTH ")).unwrap_or_default();
        let offers = |name: &str| offered.split_whitespace().any(|word| word == name);
        if offers("PLAIN") {
            let proof = BASE64.encode(format!("\0{user}\0{password}"));
            return self.ask(&format!("AUTH PLAIN {proof}"), waiter).map(|_| ());
        }
        if offers("LOGIN") {
            self.ask("AUTH LOGIN", waiter)?;
            self.ask(&BASE64.encode(user), waiter)?;
            return self.ask(&BASE64.encode(password), waiter).map(|_| ());
        }
        Err(Problem::Unfit(match (offered.is_empty(), self.line.is_safe()) {
            (true, false) => "the server lets nobody sign in on this connection; `tls` may be needed".to_string(),
            (true, true) => "the server lets nobody sign in".to_string(),
            _ => format!("the server knows other ways to sign in than PLAIN and LOGIN: {offered}"),
        }))
    }

    /// Hands a mail over; when that fails, says how far it had come. Its text is with the server by `until` or not at
    /// all: a process that was stopped meanwhile may find that another one has sent the mail.
    pub fn send(
        &mut self,
        parcel: &Parcel<'_>,
        until: Instant,
        waiter: &mut dyn Waiter,
    ) -> Result<(), (Stage, Problem)> {
        let at = |stage: Stage| move |problem: Problem| (stage, problem);
        self.ask(&format!("MAIL FROM:<{}>", parcel.from), waiter).map_err(at(Stage::Sender))?;
        for to in &parcel.to {
            self.ask(&format!("RCPT TO:<{to}>"), waiter).map_err(at(Stage::Recipient))?;
        }
        self.ask("DATA", waiter).map_err(at(Stage::Data))?;
        let content = stuffed(parcel.content);
        // Nothing but the end makes a mail of it; the end goes with the last bytes, so that little time lies between.
        self.line.write(&content, self.patience.each, until).map_err(|cut| (Stage::Content, cut.into()))?;
        let verdict = self.lines(self.patience.verdict, true, waiter).and_then(judged);
        verdict.map(|_| ()).map_err(at(Stage::Verdict))
    }

    /// Takes back what was said of a mail that the server did not want; false when the line does not serve any more.
    pub fn forget(&mut self) -> bool {
        self.ask("RSET", &mut Patient).is_ok()
    }

    /// Says farewell.
    pub fn end(mut self) {
        let said = self.line.write(b"QUIT\r\n", FAREWELL, Instant::now() + FAREWELL);
        if said.is_ok() {
            let _ = self.answer(FAREWELL, &mut Patient);
        }
    }

    fn can(&self, ability: &str) -> bool {
        self.abilities.iter().any(|each| each == ability)
    }

    /// By the address of this side: names of machines in an office mean nothing outside (RFC 5321, 4.1.3).
    fn introduce(&mut self, waiter: &mut dyn Waiter) -> Result<(), Problem> {
        let name = match self.line.own_address().map(|address| address.ip()) {
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            None => "[127.0.0.1]".to_string(),
        };
        self.say(&format!("EHLO {name}"))?;
        let lines = self.lines(self.patience.each, false, waiter)?;
        self.abilities = lines.iter().skip(1).map(|(_, text)| text.to_ascii_uppercase()).collect();
        judged(lines).map(|_| ())
    }

    /// Says a line and hears the answer.
    fn ask(&mut self, line: &str, waiter: &mut dyn Waiter) -> Result<Reply, Problem> {
        self.say(line)?;
        self.answer(self.patience.each, waiter)
    }

    fn say(&mut self, line: &str) -> Result<(), Cut> {
        let each = self.patience.each;
        self.line.write(format!("{line}\r\n").as_bytes(), each, Instant::now() + each)
    }

    fn answer(&mut self, within: Duration, waiter: &mut dyn Waiter) -> Result<Reply, Problem> {
        judged(self.lines(within, false, waiter)?)
    }

    /// The lines of an answer, each with its code: all but the last have `-` behind it.
    fn lines(
        &mut self,
        within: Duration,
        has_mail: bool,
        waiter: &mut dyn Waiter,
    ) -> Result<Vec<(u16, String)>, Problem> {
        let until = Instant::now() + within;
        let mut lines = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut goes_on = |gone| waiter.goes_on(gone, within, has_mail);
            let line = self.line.read_line(left, &mut goes_on).map_err(|cut| match cut {
                Cut::Silent(_) => Cut::Silent(within),
                cut => cut,
            })?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok()).filter(|code| (200..600).contains(code));
            let (Some(code), true) = (code, lines.len() < MOST_LINES) else {
                let begin: String = line.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(Problem::Unfit(format!("the server does not speak SMTP: `{begin}`")));
            };
            let text: String = line.chars().skip(4).map(|c| if c.is_control() { ' ' } else { c }).collect();
            lines.push((code, text));
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(lines);
            }
        }
    }
}

/// The answer as one; an error unless it begins with 2 or 3.
fn judged(lines: Vec<(u16, String)>) -> Result<Reply, Problem> {
    let code = lines.last().map(|(code, _)| *code).unwrap_or_default();
    let texts: Vec<&str> = lines.iter().map(|(_, text)| text.trim()).filter(|text| !text.is_empty()).collect();
    let reply = Reply { code, text: texts.join(" ") };
    if code < 400 { Ok(reply) } else { Err(Problem::Refused(reply)) }
}

/// A text with the dot before each line that begins with one, and its end (RFC 5321, 4.5.2).
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 64 + 8);
    let mut begins_line = true;
    for byte in content {
        if begins_line && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        begins_line = *byte == b'\n';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_mail_but_its_end() {
        let text = |content: &str| String::from_utf8(stuffed(content.as_bytes())).unwrap();
        assert_eq!(text("a\r\n.\r\nb"), "a\r\n..\r\nb\r\n.\r\n");
        assert_eq!(text(".\r\n..x\r\n"), "..\r\n...x\r\n.\r\n");
        assert_eq!(text(""), "\r\n.\r\n");
    }

    #[test]
    fn an_answer_of_several_lines_is_one() {
        let lines = vec![(550, "5.1.1 no such".to_string()), (550, "5.1.1 user here ".to_string())];
        let Err(Problem::Refused(reply)) = judged(lines) else { panic!("it is a refusal") };
        assert_eq!(reply.to_string(), "550 5.1.1 no such 5.1.1 user here");
        assert!(judged(vec![(354, "go on".to_string())]).is_ok());
    }
}
