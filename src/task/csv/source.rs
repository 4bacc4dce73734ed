//! How a CSV file is encoded and separated, and what would make reading it pointless.

use crate::task::problem::Problem;
use crate::task::table::{Layout, NumberSurvey};
use crate::world::Files;
use ecow::EcoString;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// The longest row. A longer one is a quote that is never closed, or no CSV file at all.
const LONGEST_ROW: u64 = 4 << 20;

/// How much of the beginning is looked at for the separator.
const HEAD: usize = 64 << 10;

const UTF_8_MARK: &[u8] = "\u{feff}".as_bytes();

/// A reader of bytes.
pub(super) type Input = Box<dyn Read + Send>;

/// How a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoded {
    encoding: &'static Encoding,
    /// Whether the script named it, or a mark at the beginning of the file shows it.
    is_certain: bool,
}

/// The encoding that a script names; UTF-8 until the file shows otherwise when it names none.
pub(super) fn encoding_named(name: &str) -> Result<Encoded, String> {
    if name.is_empty() {
        return Ok(Encoded { encoding: UTF_8, is_certain: false });
    }
    let encoding = Encoding::for_label(name.as_bytes())
        .ok_or_else(|| format!("`{name}` is no encoding; write one such as utf-8, windows-1252, utf-16 or gb18030"))?;
    Ok(Encoded { encoding, is_certain: true })
}

/// The separator that a script names, if it names one.
pub(super) fn separator_named(name: &str) -> Result<Option<u8>, String> {
    match name.as_bytes() {
        [] => Ok(None),
        b"tab" => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(format!("`{name}` is no separator: it is one sign, such as `;`")),
    }
}

/// The beginning of a file, and the rest to come.
pub(super) struct Opening {
    head: Vec<u8>,
    rest: Input,
    encoded: Encoded,
}

/// Opens a file and looks at its mark.
pub(super) fn open(files: &mut dyn Files, path: &str, named: Encoded) -> Result<Opening, Problem> {
    let mut rest = files.open(path)?;
    let mut head = Vec::with_capacity(HEAD);
    rest.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| disk_problem(path, &error))?;
    let encoded = match head.as_slice() {
        _ if named.is_certain => named,
        [0xff, 0xfe, ..] => Encoded { encoding: UTF_16LE, is_certain: true },
        [0xfe, 0xff, ..] => Encoded { encoding: UTF_16BE, is_certain: true },
        _ => named,
    };
    Ok(Opening { head, rest, encoded })
}

/// Opens a file again to read it as it is encoded.
pub(super) fn reopen(files: &mut dyn Files, path: &str, encoded: &Encoded) -> Result<Input, Problem> {
    let Opening { head, rest, .. } = open(files, path, Encoded { is_certain: true, ..*encoded })?;
    Ok(decoded(head, rest, *encoded))
}

fn decoded(head: Vec<u8>, rest: Input, encoded: Encoded) -> Input {
    let start = if encoded.encoding == UTF_8 && head.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
    let mut head = io::Cursor::new(head);
    head.set_position(start as u64);
    let bytes: Input = Box::new(head.chain(rest));
    // Bytes that are UTF-8, or are to be checked for it, go as they are.
    if encoded.encoding == UTF_8 { bytes } else { Box::new(Decoding::new(bytes, encoded.encoding)) }
}

/// A reader of records over text.
pub(super) fn csv_reader<R: Read>(reader: R, separator: u8) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(reader)
}

/// The first look at a file, up to its head.
pub(super) struct Survey<'a> {
    /// How the file calls its columns.
    pub headings: Vec<EcoString>,
    path: &'a str,
    reader: csv::Reader<Watch>,
    is_utf_8: Rc<Cell<bool>>,
    encoded: Encoded,
    separator: u8,
    lines_before: usize,
}

/// What the first look found.
pub(super) struct Found {
    /// How the file is encoded.
    pub encoded: Encoded,
    /// What separates its cells.
    pub separator: u8,
    /// How many records come before the first row: the head, and what may stand before it.
    pub lines_before: usize,
    /// How its numbers are written.
    pub numbers: NumberSurvey,
    /// How many records there are at most.
    pub records: u64,
}

impl<'a> Survey<'a> {
    /// Reads the head.
    pub fn new(opening: Opening, path: &'a str, named: Option<u8>, layout: &Layout) -> Result<Self, Problem> {
        let Opening { head, rest, encoded } = opening;
        let sample = sample(&head, encoded);
        let declared = declared_separator(&sample);
        let separator = named.or(declared).unwrap_or_else(|| likeliest_separator(&sample, layout));
        let is_utf_8 = Rc::new(Cell::new(true));
        let watch = Watch::new(decoded(head, rest, encoded), separator, is_utf_8.clone());
        let mut reader = csv_reader(watch, separator);
        let mut record = csv::ByteRecord::new();
        let lines_before = if declared.is_some() { 2 } else { 1 };
        let mut found = false;
        for _ in 0..lines_before {
            found = reader.read_byte_record(&mut record).map_err(|error| read_problem(path, error))?;
        }
        if !found {
            return Err(Problem::bad_data(path, "the file is empty: its first line names the columns"));
        }
        // Bytes that are not UTF-8 show that the rest is not, too: see `rest`.
        let text = |cell: &[u8]| match std::str::from_utf8(cell) {
            Ok(text) => EcoString::from(text.trim()),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0.trim().into(),
        };
        let headings = record.iter().map(text).collect();
        Ok(Survey { headings, path, reader, is_utf_8, encoded, separator, lines_before })
    }

    /// Goes through the rest of the file.
    pub fn rest(mut self, number_columns: &[usize]) -> Result<Found, Problem> {
        let mut numbers = NumberSurvey::new(self.headings.len());
        let mut record = csv::ByteRecord::new();
        let mut records = 0;
        while self.reader.read_byte_record(&mut record).map_err(|error| read_problem(self.path, error))? {
            records += 1;
            for column in number_columns {
                if let Some(cell) = record.get(*column) {
                    numbers.look(*column, cell);
                }
            }
        }
        let encoded = if self.encoded.encoding == UTF_8 && !self.is_utf_8.get() {
            if self.encoded.is_certain {
                return Err(Problem::bad_data(self.path, "it is not UTF-8 text, as `encoding` says"));
            }
            Encoded { encoding: WINDOWS_1252, is_certain: true }
        } else {
            self.encoded
        };
        Ok(Found { encoded, separator: self.separator, lines_before: self.lines_before, numbers, records })
    }
}

/// The beginning as text, for guessing.
fn sample(head: &[u8], encoded: Encoded) -> String {
    let encoding = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_some() && !encoded.is_certain => WINDOWS_1252,
        _ => encoded.encoding,
    };
    encoding.decode(head).0.into_owned()
}

/// `sep=;` in the first line, as spreadsheet programs write it.
fn declared_separator(sample: &str) -> Option<u8> {
    let line = sample.lines().next()?.trim_matches('"');
    match line.strip_prefix("sep=")?.as_bytes() {
        [separator] if separator.is_ascii() => Some(*separator),
        _ => None,
    }
}

/// The separator with which most of the columns that are wanted are found, then the one that gives the most columns.
fn likeliest_separator(sample: &str, layout: &Layout) -> u8 {
    let score = |separator: &u8| {
        let mut record = csv::StringRecord::new();
        let _ = csv_reader(sample.as_bytes(), *separator).read_record(&mut record);
        let headings: Vec<&str> = record.iter().collect();
        (layout.matches(&headings), headings.len())
    };
    // The last of the best is taken, so the most usual separator stands last.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(score).unwrap_or(b',')
}

/// What went wrong while reading.
pub(super) fn read_problem(path: &str, error: csv::Error) -> Problem {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Unreadable>()) {
            Some(unreadable) => Problem::bad_data(path, unreadable.0.clone()),
            None => disk_problem(path, &error),
        },
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.map_or(0, |position| position.line());
            Problem::bad_data(path, format!("line {line} is not UTF-8 text"))
        }
        _ => Problem::bad_data(path, "it can't be read as CSV"),
    }
}

fn disk_problem(path: &str, error: &io::Error) -> Problem {
    Problem::bad_data(path, format!("reading it broke off: {error}"))
}

/// Why a file makes no sense as CSV.
#[derive(Debug)]
struct Unreadable(String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// Lets bytes through and watches for what CSV has not: NUL bytes, rows without an end, quotes that are never closed.
/// Follows the rules of the `csv` crate: a quote opens at the start of a cell, and two of them stand for one.
struct Watch {
    inner: Input,
    separator: u8,
    state: State,
    line: u64,
    /// Where the last quote was opened.
    quote_line: u64,
    row_line: u64,
    row_length: u64,
    utf_8: Utf8Check,
    is_utf_8: Rc<Cell<bool>>,
}

impl Watch {
    fn new(inner: Input, separator: u8, is_utf_8: Rc<Cell<bool>>) -> Self {
        Watch {
            inner,
            separator,
            state: State::CellStart,
            line: 1,
            quote_line: 1,
            row_line: 1,
            row_length: 0,
            utf_8: Utf8Check::default(),
            is_utf_8,
        }
    }

    fn watch(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        for &byte in bytes {
            self.row_length += 1;
            match (self.state, byte) {
                (_, 0) => {
                    return Err(Unreadable(format!(
                        "line {} has a NUL byte: it is no text file, or one in UTF-16 without a mark (`encoding: \"utf-16le\"`)",
                        self.line
                    )));
                }
                (State::Quoted, b'"') => self.state = State::QuoteInQuoted,
                (State::Quoted, b'\n') => self.line += 1,
                (State::Quoted, _) => {}
                (State::QuoteInQuoted, b'"') => self.state = State::Quoted,
                (State::CellStart, b'"') => {
                    self.state = State::Quoted;
                    self.quote_line = self.line;
                }
                (_, b'\n') => {
                    self.line += 1;
                    self.row_line = self.line;
                    self.row_length = 0;
                    self.state = State::CellStart;
                }
                (_, b'\r') => {
                    self.row_length = 0;
                    self.state = State::CellStart;
                }
                (_, byte) if byte == self.separator => self.state = State::CellStart,
                _ => self.state = State::Plain,
            }
        }
        if self.row_length > LONGEST_ROW {
            return Err(Unreadable(match self.state {
                State::Quoted => format!("the quote opened in line {} is never closed", self.quote_line),
                _ => format!(
                    "the row in line {} has more than {} MB: is it a CSV file?",
                    self.row_line,
                    LONGEST_ROW >> 20
                ),
            }));
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.state == State::Quoted {
            return Err(Unreadable(format!("the quote opened in line {} is never closed", self.quote_line)));
        }
        Ok(())
    }
}

impl Read for Watch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if count == 0 {
            self.end().map_err(io::Error::other)?;
            self.utf_8.end();
        } else {
            self.watch(bytes).map_err(io::Error::other)?;
            self.utf_8.look(bytes);
        }
        self.is_utf_8.set(!self.utf_8.failed);
        Ok(count)
    }
}

/// Whether a stream of bytes is UTF-8.
#[derive(Debug, Default)]
struct Utf8Check {
    /// The beginning of a character whose rest is to come.
    open: Vec<u8>,
    failed: bool,
}

impl Utf8Check {
    fn look(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        let joined;
        let bytes = if self.open.is_empty() {
            bytes
        } else {
            self.open.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.open);
            &joined
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            match error.error_len() {
                Some(_) => self.failed = true,
                None => self.open = bytes.get(error.valid_up_to()..).unwrap_or_default().to_vec(),
            }
        }
    }

    fn end(&mut self) {
        self.failed |= !self.open.is_empty();
    }
}

/// Turns an encoding into UTF-8 while reading.
struct Decoding {
    inner: Input,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is still to be decoded.
    waiting: std::ops::Range<usize>,
    text: Vec<u8>,
    /// What of `text` is still to be given.
    ready: std::ops::Range<usize>,
    /// Whether all bytes were read.
    at_end: bool,
    /// Whether all of them are decoded.
    finished: bool,
}

impl Decoding {
    fn new(inner: Input, encoding: &'static Encoding) -> Self {
        Decoding {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; 1 << 14],
            waiting: 0..0,
            text: vec![0; 1 << 16],
            ready: 0..0,
            at_end: false,
            finished: false,
        }
    }
}

impl Read for Decoding {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.finished {
            if self.waiting.is_empty() && !self.at_end {
                let count = self.inner.read(&mut self.raw)?;
                self.waiting = 0..count;
                self.at_end = count == 0;
            }
            let source = self.raw.get(self.waiting.clone()).unwrap_or_default();
            let (result, read, written, _) = self.decoder.decode_to_utf8(source, &mut self.text, self.at_end);
            self.waiting.start += read;
            self.ready = 0..written;
            self.finished = self.at_end && result == encoding_rs::CoderResult::InputEmpty;
        }
        let count = self.ready.len().min(buffer.len());
        let given = self.text.get(self.ready.start..self.ready.start + count).unwrap_or_default();
        buffer.get_mut(..count).unwrap_or_default().copy_from_slice(given);
        self.ready.start += count;
        Ok(count)
    }
}
