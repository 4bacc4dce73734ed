//! A mail server that does what it is told: takes mail, refuses it, keeps silent or hangs up, at each point of a
//! conversation.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A point of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The server's first line.
    Greeting,
    /// `EHLO`
    Hello,
    /// `MAIL FROM`
    Sender,
    /// `RCPT TO`
    Recipient,
    /// `DATA`
    Data,
    /// In the middle of the text.
    Text,
    /// When the server has the mail whole.
    Verdict,
}

/// What the server does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this line.
    Says(&'static str),
    /// Hangs up.
    HangsUp,
    /// Says nothing until the other side goes.
    IsSilent,
    /// Waits until the test lets it go on, and does as if nothing had been.
    Hesitates,
}

#[derive(Default)]
struct State {
    fault: Option<(Point, Fault)>,
    /// The Message-ID of each mail that it had whole and did not refuse, in order.
    taken: Vec<String>,
    /// How many conversations have come to the fault.
    met: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The server; it stops listening when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    pub port: u16,
}

impl Server {
    /// A server that takes everything, at a port of its own or at this one.
    pub fn start(port: u16) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let server = Server { shared: shared.clone(), port };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, Ok(stream)) = (shared.clone(), stream) else { return };
                // What goes wrong on the line is what the tests are about.
                std::thread::spawn(move || drop(talk(&shared, &stream)));
            }
        });
        server
    }

    /// From now on there is this fault.
    pub fn breaks(&self, point: Point, fault: Fault) {
        let mut state = self.shared.state.lock().unwrap();
        state.fault = Some((point, fault));
        state.met = 0;
    }

    /// From now on there is none; whoever hesitates goes on.
    pub fn is_mended(&self) {
        self.shared.state.lock().unwrap().fault = None;
        self.shared.changed.notify_all();
    }

    /// Waits until a conversation has come to the fault.
    pub fn until_met(&self) {
        let state = self.shared.state.lock().unwrap();
        let met = self.shared.changed.wait_timeout_while(state, Duration::from_secs(60), |state| state.met == 0);
        let late = met.unwrap().1;
        assert!(!late.timed_out(), "nobody comes to the fault");
    }

    /// The Message-IDs of what it has taken, in order.
    pub fn taken(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().taken.clone()
    }
}

/// What becomes of a conversation at a point.
enum Course {
    On,
    Answered,
    Over,
}

impl Shared {
    fn come_to(&self, point: Point, mut stream: &TcpStream) -> std::io::Result<Course> {
        let mut state = self.state.lock().unwrap();
        let Some((_, fault)) = state.fault.filter(|(at, _)| *at == point) else { return Ok(Course::On) };
        state.met += 1;
        self.changed.notify_all();
        match fault {
            Fault::Says(line) => {
                drop(state);
                stream.write_all(format!("{line}\r\n").as_bytes())?;
                Ok(Course::Answered)
            }
            Fault::HangsUp => {
                stream.shutdown(Shutdown::Both)?;
                Ok(Course::Over)
            }
            Fault::IsSilent => {
                drop(state);
                let _ = stream.read_to_end(&mut Vec::new());
                Ok(Course::Over)
            }
            Fault::Hesitates => {
                drop(self.changed.wait_while(state, |state| state.fault.is_some()).unwrap());
                Ok(Course::On)
            }
        }
    }
}

fn talk(shared: &Shared, mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    if !matches!(shared.come_to(Point::Greeting, stream)?, Course::On) {
        return Ok(());
    }
    stream.write_all(b"220 test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
        let point = match verb.as_str() {
            "EHLO" => Some(Point::Hello),
            "MAIL" => Some(Point::Sender),
            "RCPT" => Some(Point::Recipient),
            "DATA" => Some(Point::Data),
            _ => None,
        };
        match point.map_or(Ok(Course::On), |point| shared.come_to(point, stream))? {
            Course::On => {}
            Course::Answered => continue,
            Course::Over => return Ok(()),
        }
        match verb.as_str() {
            "EHLO" => stream.write_all(b"250-test\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let Some(id) = text(shared, &mut lines, stream)? else { return Ok(()) };
                match shared.come_to(Point::Verdict, stream) {
                    Ok(Course::Answered) => continue,
                    // One that says nothing has taken the mail all the same: that is the worst that can happen.
                    Ok(Course::Over) | Err(_) => {
                        shared.state.lock().unwrap().taken.push(id);
                        return Ok(());
                    }
                    Ok(Course::On) => {
                        shared.state.lock().unwrap().taken.push(id);
                        stream.write_all(b"250 taken\r\n")?;
                    }
                }
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => stream.write_all(b"250 fine\r\n")?,
        }
    }
}

/// Reads the text of a mail to its end; its Message-ID.
fn text(shared: &Shared, lines: &mut BufReader<TcpStream>, stream: &TcpStream) -> std::io::Result<Option<String>> {
    let mut id = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(found) = line.strip_prefix("Message-ID: ") {
            id = found.trim().to_string();
            if !matches!(shared.come_to(Point::Text, stream)?, Course::On) {
                return Ok(None);
            }
        }
        if line == ".\r\n" {
            return Ok(Some(id));
        }
    }
}
