//! Calls of other systems over HTTP. The window sends one request and gives one answer: who may be called, where an
//! answer leads on to, what is tried again and what an answer means is decided by those who ask.

use super::{Breaker, UnderWay};
use crate::check::HostRule;
use crate::value::Duration;
use ecow::EcoString;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something new.
    Post,
    /// Puts something in a place.
    Put,
    /// Changes a part of something.
    Patch,
    /// Takes something away.
    Delete,
}

impl Method {
    /// How HTTP writes it.
    pub fn word(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether it only reads.
    pub fn reads(self) -> bool {
        self == Method::Get
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A request, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// What it asks for.
    pub method: Method,
    /// Where it goes, in full.
    pub url: EcoString,
    /// Its headers. They may hold secrets: they are not shown.
    pub headers: Vec<(EcoString, EcoString)>,
    /// Its body, if it has one.
    pub body: Option<Vec<u8>>,
    /// How long it may take, from the first byte sent to the last received.
    pub time: Duration,
    /// How many bytes the answer may have.
    pub answer: u64,
}

impl fmt::Debug for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "{} with {names:?}", self.method)
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebAnswer {
    /// The status: 200, 404.
    pub status: u16,
    /// The headers, their names in small letters.
    pub headers: Vec<(EcoString, EcoString)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WebAnswer {
    /// The first header of this name (in small letters).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The system can't be reached, or broke the answer off.
    #[error("{0}")]
    Unreachable(String),
    /// It is not known to be who it says it is, and was told nothing.
    #[error("{0}")]
    Untrusted(String),
    /// It took too long.
    #[error("it did not answer in time")]
    TimedOut,
    /// The answer has more bytes than it may have.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// Nothing was sent: it is not known whom to trust.
    #[error("{0}")]
    Unprepared(String),
    /// The request itself can't be sent.
    #[error("{0}")]
    Unsendable(String),
}

/// Sends requests.
pub trait Web: Send {
    /// Sends one and waits for the answer. Follows nothing and tries nothing again.
    fn send(&mut self, request: &WebRequest) -> Result<WebAnswer, WebError>;

    /// Has another thread send one, and does not wait for the answer. None when there is no thread for it: then it is
    /// for [`Web::send`].
    fn begin(&mut self, _request: &WebRequest) -> Option<UnderWay> {
        None
    }
}

/// How a project lets its scripts call others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSettings {
    /// The hosts that may be called.
    pub hosts: Vec<HostRule>,
    /// When a system is left alone, for those that the project speaks of, by their addresses.
    pub systems: BTreeMap<EcoString, Breaker>,
    /// How many bytes an answer may have.
    pub answer: u64,
    /// How long a call may take in a step that says nothing of it.
    pub time: Duration,
}

impl Default for CallSettings {
    fn default() -> Self {
        CallSettings {
            hosts: Vec::new(),
            systems: BTreeMap::new(),
            answer: 32 * 1024 * 1024,
            time: Duration::from_milliseconds(30 * Duration::SECOND),
        }
    }
}

impl CallSettings {
    /// When a system is left alone.
    pub fn breaker(&self, system: &str) -> Breaker {
        self.systems.get(system).copied().unwrap_or_default()
    }
}

/// Reaches nobody: for tests of what calls nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWeb;

impl Web for NoWeb {
    fn send(&mut self, _: &WebRequest) -> Result<WebAnswer, WebError> {
        Err(WebError::Unreachable("other systems can't be called here".to_string()))
    }
}

/// Gives answers that were laid ready, one after the other, and keeps what it was asked. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct MemoryWeb {
    shared: Arc<Mutex<MemoryExchange>>,
}

#[derive(Debug, Default)]
struct MemoryExchange {
    answers: VecDeque<Result<WebAnswer, WebError>>,
    requests: Vec<WebRequest>,
}

impl MemoryWeb {
    /// Lays one more answer ready.
    pub fn answering(self, answer: Result<WebAnswer, WebError>) -> MemoryWeb {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).answers.push_back(answer);
        self
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<WebRequest> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}

impl Web for MemoryWeb {
    fn send(&mut self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.requests.push(request.clone());
        shared.answers.pop_front().unwrap_or_else(|| NoWeb.send(request))
    }
}
