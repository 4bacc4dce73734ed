//! The line to a mail server: bytes to and fro, within a time, plain or under TLS.

use crate::adapter::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest line that is read: several times what RFC 5321 (4.5.3.1.5) allows.
const LONGEST_LINE: usize = 8192;

/// How much is written between two looks at the clock.
const BLOCK: usize = 64 * 1024;

/// How often it is asked whether to go on waiting.
const LOOK: Duration = Duration::from_millis(250);

/// Why the line does not serve.
#[derive(Debug)]
pub(super) enum Cut {
    /// Nothing came, or nothing could be written, for so long.
    Silent(Duration),
    /// What was to be said by a moment was not: the server was slow, or this process was stopped.
    Late,
    /// Whoever waited was told to end.
    CalledOff,
    /// The server has closed it.
    Closed,
    /// The system says so.
    Failed(io::Error),
    /// The server writes lines without an end.
    Endless,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cut::Silent(length) => write!(out, "no answer within {}", words(*length)),
            Cut::Late => out.write_str("it took too long until then"),
            Cut::CalledOff => out.write_str("called off"),
            Cut::Closed => out.write_str("the server has closed the connection"),
            Cut::Failed(error) => write!(out, "{error}"),
            Cut::Endless => out.write_str("the server sends lines that do not end"),
        }
    }
}

/// `30 seconds`
pub(super) fn words(length: Duration) -> String {
    match length.as_secs() {
        0 => format!("{} milliseconds", length.as_millis()),
        1 => "a second".to_string(),
        seconds => format!("{seconds} seconds"),
    }
}

enum Stream {
    Plain(TcpStream),
    Safe(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// The line. What is written leaves at once (`TCP_NODELAY`): the end of a mail must not wait until the server has
/// acknowledged its beginning, because a process that dies meanwhile does not know what becomes of the mail.
pub(super) struct Line {
    stream: Option<Stream>,
    /// What has come and was not read yet.
    come: Vec<u8>,
}

impl Line {
    /// Calls the server at each of its addresses, until one answers.
    pub fn connect(host: &str, port: u16, within: Duration) -> Result<Line, Cut> {
        let until = Instant::now() + within;
        let mut last = Cut::Failed(io::Error::new(ErrorKind::NotFound, "the name has no address"));
        let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(Cut::Failed)?.collect();
        for (at, address) in addresses.iter().enumerate() {
            // One that does not answer leaves time for those behind it.
            let left = until.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - at).unwrap_or(1);
            if share.is_zero() {
                return Err(Cut::Silent(within));
            }
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(Cut::Failed)?;
                    return Ok(Line { stream: Some(Stream::Plain(stream)), come: Vec::new() });
                }
                Err(error) if is_late(&error) => last = Cut::Silent(within),
                Err(error) => last = Cut::Failed(error),
            }
        }
        Err(last)
    }

    fn socket(&self) -> Option<&TcpStream> {
        match self.stream.as_ref()? {
            Stream::Plain(stream) => Some(stream),
            Stream::Safe(stream) => Some(&stream.sock),
        }
    }

    /// The address of this side, by which it introduces itself.
    pub fn own_address(&self) -> Option<SocketAddr> {
        self.socket()?.local_addr().ok()
    }

    /// Makes the line safe. What came in plain before is forgotten: it could be anybody's.
    pub fn make_safe(&mut self, config: Arc<ClientConfig>, host: &str, within: Duration) -> Result<(), Cut> {
        self.come.clear();
        let Some(Stream::Plain(mut socket)) = self.stream.take() else { return Err(Cut::Closed) };
        let failed = |error: &dyn std::fmt::Display| Cut::Failed(io::Error::other(error.to_string()));
        let name = ServerName::try_from(host.to_string()).map_err(|error| failed(&error))?;
        let mut connection = ClientConnection::new(config, name).map_err(|error| failed(&error))?;
        let until = Instant::now() + within;
        while connection.is_handshaking() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Cut::Silent(within));
            }
            limit(&socket, left).map_err(Cut::Failed)?;
            connection.complete_io(&mut socket).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => Cut::Closed,
                _ if is_late(&error) => Cut::Silent(within),
                _ => Cut::Failed(untrusted(error, host)),
            })?;
        }
        self.stream = Some(Stream::Safe(Box::new(StreamOwned::new(connection, socket))));
        Ok(())
    }

    /// Whether nobody else can read what is said.
    pub fn is_safe(&self) -> bool {
        matches!(self.stream, Some(Stream::Safe(_)))
    }

    /// Writes everything, each block within a time, and the last of them by `until`.
    pub fn write(&mut self, bytes: &[u8], within: Duration, until: Instant) -> Result<(), Cut> {
        for block in bytes.chunks(BLOCK) {
            let within = within.min(until.saturating_duration_since(Instant::now()));
            if within.is_zero() {
                return Err(Cut::Late);
            }
            let socket = self.socket().ok_or(Cut::Closed)?;
            limit(socket, within).map_err(Cut::Failed)?;
            let written = match self.stream.as_mut() {
                Some(Stream::Plain(stream)) => stream.write_all(block),
                Some(Stream::Safe(stream)) => stream.write_all(block).and_then(|()| stream.flush()),
                None => return Err(Cut::Closed),
            };
            written.map_err(|error| cut(error, within))?;
        }
        Ok(())
    }

    /// The next line, without its end; `goes_on` hears how long it has taken so far, and says whether to wait on.
    pub fn read_line(&mut self, within: Duration, goes_on: &mut dyn FnMut(Duration) -> bool) -> Result<String, Cut> {
        let began = Instant::now();
        loop {
            if let Some(end) = self.come.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.come.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_string());
            }
            if self.come.len() > LONGEST_LINE {
                return Err(Cut::Endless);
            }
            let gone = began.elapsed();
            let left = within.saturating_sub(gone);
            if left.is_zero() {
                return Err(Cut::Silent(within));
            }
            if !goes_on(gone) {
                return Err(Cut::CalledOff);
            }
            let socket = self.socket().ok_or(Cut::Closed)?;
            limit(socket, left.min(LOOK)).map_err(Cut::Failed)?;
            let mut bytes = [0; 2048];
            let read = match self.stream.as_mut() {
                Some(Stream::Plain(stream)) => stream.read(&mut bytes),
                Some(Stream::Safe(stream)) => stream.read(&mut bytes),
                None => return Err(Cut::Closed),
            };
            match read {
                Ok(0) => return Err(Cut::Closed),
                Ok(count) => self.come.extend_from_slice(bytes.get(..count).unwrap_or_default()),
                Err(error) if is_late(&error) || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cut(error, within)),
            }
        }
    }
}

/// A certificate that is refused is told with what to do.
fn untrusted(error: io::Error, host: &str) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner.and_then(|inner| tls::refused_certificate(inner, host)) {
        Some(words) => io::Error::other(words),
        None => error,
    }
}

/// How long the system may wait for the next bytes.
fn limit(socket: &TcpStream, length: Duration) -> io::Result<()> {
    socket.set_read_timeout(Some(length))?;
    socket.set_write_timeout(Some(length))
}

/// Systems differ in what they call it.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn cut(error: io::Error, within: Duration) -> Cut {
    match error.kind() {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Cut::Closed,
        _ if is_late(&error) => Cut::Silent(within),
        _ => Cut::Failed(error),
    }
}
