//! Other systems over HTTP: ureq, with the TLS that mail uses too.

mod safe;

use super::tls;
use crate::value::Duration;
use crate::world::{Bell, Came, Method, UnderWay, Web, WebAnswer, WebError, WebRequest};
use ecow::EcoString;
use rustls::ClientConfig;
use safe::{RefusedCertificate, SafeConnector};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use ureq::http;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};

/// What a call says of who makes it.
const USER_AGENT: &str = concat!("rpa/", env!("CARGO_PKG_VERSION"));

/// How many bytes the head of an answer may have.
const LARGEST_HEAD: usize = 64 * 1024;

/// So many calls are under way at once at most, whatever a script says: more helps nobody, and each has a thread.
const MOST_UNDER_WAY: usize = 32;

/// Calls others. Connections are kept from one call to the next. A proxy that the environment names (`HTTPS_PROXY`,
/// `NO_PROXY`) is used, but for the machine itself.
pub struct HttpWeb {
    /// Files with authorities that are trusted beside those of Mozilla's list.
    authorities: Vec<PathBuf>,
    /// Made with the first call: it reads the authorities.
    agents: Option<Arc<Agents>>,
    bell: Bell,
    /// Held by each thread that makes a call: tells how many there are.
    under_way: Arc<()>,
}

struct Agents {
    usual: ureq::Agent,
    /// Without a proxy.
    direct: ureq::Agent,
}

impl HttpWeb {
    /// Calls nobody before it is asked to. Trusts Mozilla's list of authorities, and those in PEM files.
    pub fn new(authorities: Vec<PathBuf>) -> HttpWeb {
        HttpWeb { authorities, agents: None, bell: Bell::default(), under_way: Arc::new(()) }
    }
}

impl HttpWeb {
    fn agents(&mut self) -> Result<Arc<Agents>, WebError> {
        if let Some(agents) = &self.agents {
            return Ok(agents.clone());
        }
        let trusted = tls::config(&self.authorities).map_err(WebError::Unprepared)?;
        let made = Arc::new(Agents { usual: agent(true, &trusted), direct: agent(false, &trusted) });
        Ok(self.agents.insert(made).clone())
    }
}

fn agent(with_proxy: bool, trusted: &Arc<ClientConfig>) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // Where an answer leads on to is looked at before it is followed.
        .max_redirects(0)
        .user_agent(USER_AGENT)
        .accept("*/*")
        .accept_encoding("identity")
        // Those that call at once do so again and again.
        .max_idle_connections(MOST_UNDER_WAY)
        .max_idle_connections_per_host(MOST_UNDER_WAY)
        .max_response_header_size(LARGEST_HEAD);
    let config = match with_proxy {
        true => config.build(),
        false => config.proxy(None).build(),
    };
    let connector =
        ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(SafeConnector(trusted.clone()));
    ureq::Agent::with_parts(config, connector, DefaultResolver::default())
}

impl Web for HttpWeb {
    fn send(&mut self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        self.agents()?.send(request)
    }

    fn begin(&mut self, request: &WebRequest) -> Option<UnderWay> {
        // What is wrong with the authorities is said by whoever sends.
        let agents = self.agents().ok()?;
        let place = self.under_way.clone();
        // This one holds it too, and one more is made by whoever gets none.
        if Arc::strong_count(&place) > MOST_UNDER_WAY {
            return None;
        }
        let (call, promise) = UnderWay::begin(&self.bell);
        let request = request.clone();
        let work = move || {
            let began = Instant::now();
            let answer = agents.send(&request);
            let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            // Before somebody hears of it, so that who goes on then finds the place free.
            drop(place);
            promise.keep(Came { answer, took: Duration::from_milliseconds(took) });
        };
        std::thread::Builder::new().name("call".to_string()).spawn(work).ok()?;
        Some(call)
    }
}

impl Agents {
    fn send(&self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let is_own = crate::check::Address::of(&request.url).is_some_and(|address| address.is_own_machine());
        let agent = if is_own { &self.direct } else { &self.usual };
        let mut made = http::Request::builder().method(method(request.method)).uri(request.url.as_str());
        for (name, value) in &request.headers {
            made = made.header(name.as_str(), value.as_str());
        }
        let time = std::time::Duration::from_millis(request.time.milliseconds().max(1).unsigned_abs());
        // What puts something somewhere says how much, even when it is nothing.
        let nothing = (!matches!(request.method, Method::Get | Method::Delete)).then_some(&[][..]);
        let sent = match request.body.as_deref().or(nothing) {
            Some(body) => {
                let made = made.body(body).map_err(|error| WebError::Unsendable(error.to_string()))?;
                agent.run(agent.configure_request(made).timeout_global(Some(time)).build())
            }
            None => {
                let made = made.body(()).map_err(|error| WebError::Unsendable(error.to_string()))?;
                agent.run(agent.configure_request(made).timeout_global(Some(time)).build())
            }
        };
        let answer = sent.map_err(|error| trouble(&error, request.answer))?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(header).collect();
        let mut body = Vec::new();
        // One byte more than it may have, to see whether it has more.
        let most = request.answer.saturating_add(1);
        let mut reader = answer.into_body().into_with_config().limit(u64::MAX).reader().take(most);
        reader.read_to_end(&mut body).map_err(|error| broken_off(error, request.answer))?;
        if body.len() as u64 > request.answer {
            return Err(WebError::TooLarge(request.answer));
        }
        Ok(WebAnswer { status, headers, body })
    }
}

fn header((name, value): (&http::HeaderName, &http::HeaderValue)) -> (EcoString, EcoString) {
    (name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).as_ref().into())
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

fn broken_off(error: std::io::Error, most: u64) -> WebError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        Some(inner) => trouble(inner, most),
        None if error.kind() == std::io::ErrorKind::TimedOut => WebError::TimedOut,
        None => WebError::Unreachable(format!("the answer broke off: {error}")),
    }
}

fn trouble(error: &ureq::Error, most: u64) -> WebError {
    use ureq::Error as E;
    match error {
        E::Timeout(_) => WebError::TimedOut,
        E::HostNotFound => WebError::Unreachable("there is no such host".to_string()),
        E::ConnectionFailed => WebError::Unreachable("no connection could be made".to_string()),
        E::BodyExceedsLimit(_) => WebError::TooLarge(most),
        E::BadUri(_) | E::Http(_) => WebError::Unsendable(error.to_string()),
        E::Io(inner) if inner.kind() == std::io::ErrorKind::TimedOut => WebError::TimedOut,
        E::Io(inner) => WebError::Unreachable(match inner.kind() {
            std::io::ErrorKind::ConnectionRefused => "the connection was refused".to_string(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof => {
                "the connection broke off".to_string()
            }
            _ => inner.to_string(),
        }),
        E::Other(inner) => match inner.downcast_ref::<RefusedCertificate>() {
            Some(refused) => WebError::Untrusted(refused.to_string()),
            None => WebError::Unreachable(inner.to_string()),
        },
        E::Protocol(inner) => WebError::Unreachable(format!("what came back is no HTTP: {inner}")),
        other => WebError::Unreachable(other.to_string()),
    }
}
