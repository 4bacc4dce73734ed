//! Mail through a server (SMTP). Spoken here and not by a library, because what matters is what a library hides: how
//! far a mail had come when it failed, how long each answer may take, and that the end of a mail leaves without delay.

mod conversation;
mod line;

use super::format::formatted;
use crate::adapter::tls;
use crate::world::{DeliveryError, Listener, Message, Smtp, Tls, Transport};
use conversation::{Conversation, Parcel, Patience, Problem, Stage, Waiter};
use ecow::EcoString;
use line::{Cut, Line, words};
use rustls::ClientConfig;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything up to the end of a mail's text may take so many times as long as one answer.
const WHOLE: u32 = 10;

/// The longest that a server may think about a mail that it has whole (RFC 5321, 4.5.3.2.6).
const LONGEST_VERDICT: Duration = Duration::from_secs(600);

/// When the server is silent for so long, whoever listens is told.
const SILENCE: Duration = Duration::from_secs(5);

/// A server that takes mail. The connection is kept from one mail to the next.
pub struct SmtpServer {
    settings: Smtp,
    sender: EcoString,
    /// Files with authorities (PEM) that are trusted beside those of Mozilla's list.
    authorities: Vec<PathBuf>,
    tls: Option<Arc<ClientConfig>>,
    conversation: Option<Conversation>,
    listener: Option<Arc<dyn Listener>>,
}

impl SmtpServer {
    /// The server; it is called when the first mail leaves. `sender` is for mails that name none.
    pub fn new(settings: Smtp, sender: EcoString) -> Self {
        SmtpServer { settings, sender, authorities: Vec::new(), tls: None, conversation: None, listener: None }
    }

    /// Trusts the authorities in PEM files too, such as companies have for their own servers.
    pub fn trusting(mut self, authorities: Vec<PathBuf>) -> Self {
        self.authorities = authorities;
        self
    }

    fn patience(&self) -> Patience {
        let each = Duration::from_millis(u64::try_from(self.settings.timeout.milliseconds()).unwrap_or(1).max(1));
        Patience { each, verdict: (each * WHOLE).min(LONGEST_VERDICT).max(each) }
    }

    /// Whatever goes wrong here is not the fault of a mail: it is tried again when the server or its settings are mended.
    fn connect(&mut self) -> Result<Conversation, DeliveryError> {
        let patience = self.patience();
        let tls = match self.settings.tls {
            Tls::Off => None,
            Tls::Tls | Tls::Starttls => {
                Some(self.tls().map_err(|error| self.unreachable("can't prepare a safe connection to", &error))?)
            }
        };
        let password = self.password()?;
        let host = self.settings.host.as_str();
        let line = Line::connect(host, self.settings.port, patience.each)
            .map_err(|cut| self.unreachable("can't connect to", &cut))?;
        let mut waiter = self.waiter();
        let from_start = tls.clone().filter(|_| self.settings.tls == Tls::Tls).map(|config| (config, host));
        let mut conversation = Conversation::begin(line, from_start, patience, &mut waiter)
            .map_err(|problem| self.unusable("can't connect to", &problem))?;
        if let Some(config) = tls.filter(|_| self.settings.tls == Tls::Starttls) {
            conversation
                .make_safe(config, host, &mut waiter)
                .map_err(|problem| self.unusable("can't make the connection safe to", &problem))?;
        }
        if let Some(user) = &self.settings.user {
            conversation
                .sign_in(user, &password, &mut waiter)
                .map_err(|problem| self.unusable(&format!("can't sign in as `{user}` at"), &problem))?;
        }
        Ok(conversation)
    }

    /// What is said when the server can't be made use of.
    fn unusable(&self, what: &str, problem: &Problem) -> DeliveryError {
        match problem {
            Problem::Cut(Cut::CalledOff) => DeliveryError::CalledOff,
            problem => self.unreachable(what, problem),
        }
    }

    fn unreachable(&self, what: &str, problem: &dyn std::fmt::Display) -> DeliveryError {
        DeliveryError::Unreachable(format!("{what} {}:{}: {problem}", self.settings.host, self.settings.port))
    }

    fn password(&self) -> Result<String, DeliveryError> {
        let Some(name) = self.settings.password_env.as_ref().filter(|_| self.settings.user.is_some()) else {
            return Ok(String::new());
        };
        std::env::var(name.as_str()).map_err(|_| {
            DeliveryError::Unreachable(format!(
                "the environment variable `{name}`, which holds the password, is not set"
            ))
        })
    }

    fn tls(&mut self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = &self.tls {
            return Ok(config.clone());
        }
        Ok(self.tls.insert(tls::config(&self.authorities)?).clone())
    }

    fn waiter(&self) -> Told {
        Told { listener: self.listener.clone(), target: self.target(), was_told: false }
    }

    /// What a mail that did not get through says of itself and of the server.
    fn failed(&self, stage: Stage, problem: &Problem) -> DeliveryError {
        let server = format!("{}:{}", self.settings.host, self.settings.port);
        match (stage, problem) {
            (_, Problem::Cut(Cut::CalledOff)) => DeliveryError::CalledOff,
            // A server that closes down takes nothing for now (RFC 5321, 3.8); one that wants to be signed in to says
            // nothing of the mail (RFC 4954, 6).
            (_, Problem::Refused(reply)) if matches!(reply.code, 421 | 530 | 534 | 535 | 538) => {
                DeliveryError::Unreachable(format!("{server} takes no mail: {reply}"))
            }
            (stage, Problem::Refused(reply)) => {
                let what = match stage {
                    Stage::Sender => "the sender was refused",
                    Stage::Recipient => "the address was refused",
                    Stage::Data | Stage::Content | Stage::Verdict => "the mail was refused",
                };
                let text = format!("{what}: {reply}");
                if reply.code >= 500 { DeliveryError::Permanent(text) } else { DeliveryError::Transient(text) }
            }
            (Stage::Sender, problem) => DeliveryError::Unreachable(format!("{server} does not answer: {problem}")),
            (Stage::Recipient | Stage::Data, problem) => DeliveryError::Transient(format!(
                "{server} did not take the mail, nothing of its text was sent: {problem}"
            )),
            (Stage::Content, problem) => {
                DeliveryError::Transient(format!("cut off before {server} had the whole mail: {problem}"))
            }
            (Stage::Verdict, problem) => DeliveryError::Unanswered(format!(
                "the whole mail was handed over, but {server} did not say that it takes it: {problem}; it may have left, \
                 and is sent again under the same Message-ID"
            )),
        }
    }

    fn hand_over(&mut self, parcel: &Parcel<'_>) -> Result<(), DeliveryError> {
        let patience = self.patience();
        let until = Instant::now() + patience.each * WHOLE;
        let mut waiter = self.waiter();
        for is_kept in [true, false] {
            let mut conversation = match self.conversation.take().filter(|_| is_kept) {
                Some(conversation) => conversation,
                None if is_kept => continue,
                None => self.connect()?,
            };
            match conversation.send(parcel, until, &mut waiter) {
                Ok(()) => {
                    self.conversation = Some(conversation);
                    return Ok(());
                }
                // A server may close a connection that has served for long enough; nothing was said of this mail yet.
                Err((Stage::Sender, Problem::Cut(Cut::Closed) | Problem::Refused(_))) if is_kept => {}
                Err((stage, problem)) => {
                    if matches!(&problem, Problem::Refused(reply) if reply.code != 421) && conversation.forget() {
                        self.conversation = Some(conversation);
                    }
                    return Err(self.failed(stage, &problem));
                }
            }
        }
        Err(DeliveryError::Unreachable("there is no connection".to_string()))
    }
}

/// Tells a listener that the server takes long, and asks it whether to wait on.
struct Told {
    listener: Option<Arc<dyn Listener>>,
    target: String,
    was_told: bool,
}

impl Waiter for Told {
    fn goes_on(&mut self, gone: Duration, within: Duration, has_mail: bool) -> bool {
        let Some(listener) = &self.listener else { return true };
        if !self.was_told && gone >= SILENCE {
            self.was_told = true;
            let what =
                if has_mail { "has a mail and has not said yet whether it takes it" } else { "has not answered yet" };
            listener.waits(&format!("{} {what}; it is given {}", self.target, words(within)));
        }
        // What it has may have left: whoever goes now sends it twice.
        has_mail || !listener.is_ending()
    }
}

impl Transport for SmtpServer {
    fn deliver(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let mail = formatted(message, &self.sender)?;
        let envelope = mail.envelope();
        let content = mail.formatted();
        let from = envelope.from().map(AsRef::as_ref).unwrap_or_default();
        let to: Vec<&str> = envelope.to().iter().map(AsRef::as_ref).collect();
        // Addresses before the `@` may hold letters that old servers do not know.
        if let Some(address) = std::iter::once(&from).chain(&to).find(|address| !address.is_ascii()) {
            let reason = "its name holds letters that can't be used on the way";
            return Err(DeliveryError::Permanent(format!("the address `{address}` can't be used: {reason}")));
        }
        self.hand_over(&Parcel { from, to, content: &content })
    }

    fn system(&self) -> Option<&'static str> {
        Some("smtp")
    }

    fn target(&self) -> String {
        format!("smtp://{}:{}", self.settings.host, self.settings.port)
    }

    fn longest(&self) -> crate::value::Duration {
        let patience = self.patience();
        let longest = patience.each * WHOLE * 2 + patience.verdict;
        crate::value::Duration::from_milliseconds(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX))
    }

    fn listen(&mut self, listener: Arc<dyn Listener>) {
        self.listener = Some(listener);
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        if let Some(conversation) = self.conversation.take() {
            conversation.end();
        }
    }
}
