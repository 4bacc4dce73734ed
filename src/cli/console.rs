//! The console: the only place that prints.

use crate::finding::render::terminal::{self, Appearance};
use crate::finding::render::{Report, Tally, github, json, junit, sarif};
use crate::finding::{Finding, settle};
use crate::text::Sources;
use crate::world::Listener;
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

/// How many findings people are shown at once; programs get all.
const MOST_FINDINGS: usize = 200;

/// How findings and data are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// What `--format` takes: a format, or a form of its own for findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// Findings for code hosts and editors: SARIF 2.1.0.
    Sarif,
    /// Findings as workflow commands of GitHub Actions.
    Github,
    /// Findings for build servers: JUnit XML.
    Junit,
}

impl Form {
    /// Whether only findings can be printed so.
    pub fn is_for_findings(self) -> bool {
        matches!(self, Form::Sarif | Form::Github | Form::Junit)
    }
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment has `NO_COLOR`.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Not at all.
    Never,
}

/// What the surroundings say of themselves; asked once at the start.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Whether the output goes to a terminal.
    pub output_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub errors_are_terminal: bool,
    /// Whether somebody types the input.
    pub input_is_terminal: bool,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM`.
    pub terminal: Option<String>,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set and not empty.
    pub locale: Option<String>,
    /// Columns of the terminal.
    pub columns: Option<usize>,
}

impl Surroundings {
    /// Asks the operating system.
    pub fn ask() -> Surroundings {
        use std::io::IsTerminal;
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let columns = variable("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0 as usize));
        Surroundings {
            output_is_terminal: io::stdout().is_terminal(),
            errors_are_terminal: io::stderr().is_terminal(),
            input_is_terminal: io::stdin().is_terminal(),
            no_color: variable("NO_COLOR").is_some(),
            terminal: variable("TERM"),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name)),
            columns,
        }
    }

    fn is_dumb(&self) -> bool {
        self.terminal.as_deref() == Some("dumb")
    }

    /// Terminals are taken to show more than ASCII unless the locale or the terminal says otherwise.
    fn has_unicode(&self) -> bool {
        let locale = self.locale.as_deref().unwrap_or("UTF-8").to_ascii_lowercase();
        (locale.contains("utf-8") || locale.contains("utf8")) && self.terminal.as_deref() != Some("linux")
    }
}

/// Output, messages and input of a command.
pub struct Console {
    output: Stream,
    /// Shared with those who tell what they wait for.
    errors: Arc<Mutex<Stream>>,
    input: Box<dyn Read + Send>,
    surroundings: Surroundings,
    /// How findings and data are printed.
    pub format: Format,
    /// How findings are printed.
    form: Form,
    color: Color,
}

impl Console {
    /// A console on these streams.
    pub fn new(
        output: Box<dyn Write + Send>,
        errors: Box<dyn Write + Send>,
        input: Box<dyn Read + Send>,
        surroundings: Surroundings,
    ) -> Console {
        Console {
            output: Stream::new(output),
            errors: Arc::new(Mutex::new(Stream::new(errors))),
            input,
            surroundings,
            format: Format::Text,
            form: Form::Text,
            color: Color::Auto,
        }
    }

    /// The console of the process.
    pub fn of_process() -> Console {
        Console::new(
            Box::new(io::BufWriter::new(io::stdout())),
            Box::new(io::stderr()),
            Box::new(io::stdin()),
            Surroundings::ask(),
        )
    }

    /// A console that shows nothing and on which nothing is typed.
    pub fn quiet() -> Console {
        Console::new(Box::new(io::sink()), Box::new(io::sink()), Box::new(io::empty()), Surroundings::default())
    }

    /// Sets what the options `--format` and `--color` say.
    pub fn set(&mut self, form: Form, color: Color) {
        self.form = form;
        // What is printed for programs is printed for nobody else.
        self.format = if form == Form::Text { Format::Text } else { Format::Json };
        self.color = color;
    }

    /// Prints data or an answer, as it is.
    pub fn print(&mut self, text: impl AsRef<str>) {
        self.output.write(text.as_ref());
    }

    /// Prints a line of data or of an answer.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.print(text);
        self.print("\n");
    }

    /// Prints a line for people beside the data: what was done, what is wrong.
    pub fn message(&mut self, text: impl AsRef<str>) {
        // What was printed before stands before it on a terminal that shows both.
        self.output.flush();
        self.errors(|errors| {
            errors.write(text.as_ref());
            errors.write("\n");
        });
    }

    /// One that tells people what a delivery waits for, as [`Console::message`] does.
    pub fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(Told(self.errors.clone()))
    }

    fn errors(&self, write: impl FnOnce(&mut Stream)) {
        if let Ok(mut errors) = self.errors.lock() {
            write(&mut errors);
        }
    }

    /// Prints a JSON value, indented.
    pub fn json(&mut self, value: &serde_json::Value) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.line(text);
    }

    /// Prints findings: for people as messages with a summary, as JSON on the output. An empty list
    /// prints nothing for people, and `[]` as JSON.
    pub fn findings(&mut self, findings: Vec<Finding>, sources: &Sources) {
        self.reports(vec![(findings, sources)]);
    }

    /// Prints findings that point into sources of their own, as [`Console::findings`] does for one: what is
    /// said of a file that several scripts use is said once.
    pub fn reports(&mut self, reports: Vec<(Vec<Finding>, &Sources)>) {
        self.reports_on(reports.into_iter().map(|(findings, sources)| (None, findings, sources)).collect());
    }

    /// As [`Console::reports`], each with the file that was looked at, for the forms that list them too.
    pub fn reports_on(&mut self, reports: Vec<(Option<String>, Vec<Finding>, &Sources)>) {
        let mut seen = HashSet::new();
        let mut tally = Tally::default();
        let report = |(file, findings, sources): (Option<String>, Vec<Finding>, _)| {
            let is_broken = findings.iter().any(Finding::is_error);
            Report { file, is_broken, findings: settle(findings), sources }
        };
        let mut reports: Vec<Report<'_>> = reports.into_iter().map(report).collect();
        for Report { findings, sources, .. } in &mut reports {
            findings.retain(|finding| {
                let source = finding.span().and_then(|span| sources.get(span.source));
                let place = finding.span().map(|span| (span.start, span.end));
                seen.insert((finding.code.id, source.map(|source| source.name.clone()), place, finding.message.clone()))
            });
            tally.add(findings, sources);
        }
        match self.form {
            Form::Text => self.report_in_words(&reports, &tally),
            Form::Json => {
                let values = reports.iter().flat_map(|report| json::render(&report.findings, report.sources));
                let values = values.collect();
                self.json(&serde_json::Value::Array(values));
            }
            Form::Sarif => self.json(&sarif::render(&reports)),
            Form::Github => {
                self.print(github::render(&reports));
                self.message(tally.to_string());
            }
            Form::Junit => self.print(junit::render(&reports)),
        }
    }

    fn report_in_words(&mut self, reports: &[Report<'_>], tally: &Tally) {
        if tally.is_empty() {
            return;
        }
        let appearance = self.appearance();
        let all = reports.iter().flat_map(|report| report.findings.iter().map(|finding| (finding, report.sources)));
        let texts: Vec<String> =
            all.take(MOST_FINDINGS).map(|(finding, sources)| terminal::render(finding, sources, appearance)).collect();
        let left_out = (tally.errors + tally.warnings).saturating_sub(texts.len());
        let more = if left_out > 0 { format!("\nand {left_out} more\n") } else { String::new() };
        self.message(format!("{}{more}\n{tally}", texts.join("\n")));
    }

    /// Prints one finding that has no place in a source, without a summary.
    pub fn finding(&mut self, finding: Finding) {
        match self.format {
            Format::Json => self.findings(vec![finding], &Sources::new()),
            Format::Text => {
                let text = terminal::render(&finding, &Sources::new(), self.appearance());
                self.message(text.trim_end());
            }
        }
    }

    /// How findings look here.
    pub fn appearance(&self) -> Appearance {
        Appearance {
            color: self.colors(self.surroundings.errors_are_terminal),
            unicode: self.surroundings.has_unicode(),
            width: self.surroundings.columns.unwrap_or(100).clamp(40, 160),
        }
    }

    /// Whether data and answers have colours.
    pub fn output_has_color(&self) -> bool {
        self.colors(self.surroundings.output_is_terminal)
    }

    /// Whether progress may be drawn and drawn over.
    pub fn draws_progress(&self) -> bool {
        self.format == Format::Text && self.surroundings.errors_are_terminal && !self.surroundings.is_dumb()
    }

    /// Whether a person sits at both ends.
    pub fn is_interactive(&self) -> bool {
        self.surroundings.input_is_terminal && self.surroundings.output_is_terminal
    }

    /// Columns of the terminal, or 100.
    pub fn columns(&self) -> usize {
        self.surroundings.columns.unwrap_or(100)
    }

    /// Reads the input to its end, at most `limit` bytes and one more, by which it is seen to be longer.
    pub fn read_input(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.input).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a line that somebody types, without its end; none when the input has ended. At most 64 KiB.
    pub fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while bytes.len() < 65_536 && self.input.read(&mut byte)? == 1 && byte != [b'\n'] {
            bytes.push(byte[0]);
        }
        let ended = bytes.is_empty() && byte != [b'\n'];
        Ok((!ended).then(|| String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_string()))
    }

    /// Writes out what is held back, for somebody who waits for it.
    pub fn flush(&mut self) {
        self.output.flush();
        self.errors(Stream::flush);
    }

    /// Writes out what is still held back; false when some of the output could not be written. A reader
    /// that went away (`rpa … | head`) is no error.
    pub fn finish(&mut self) -> bool {
        self.output.flush();
        self.errors(Stream::flush);
        if let Some(error) = self.output.failure.take() {
            self.errors(|errors| errors.write(&format!("error: the output can't be written: {error}\n")));
            return false;
        }
        true
    }

    fn colors(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !self.surroundings.no_color && !self.surroundings.is_dumb(),
        }
    }
}

/// An output that remembers its first failure and is silent from then on.
/// Messages of those who wait.
struct Told(Arc<Mutex<Stream>>);

impl Listener for Told {
    fn waits(&self, what: &str) {
        if let Ok(mut errors) = self.0.lock() {
            errors.write(what);
            errors.write("\n");
        }
    }
}

struct Stream {
    target: Box<dyn Write + Send>,
    failure: Option<io::Error>,
    closed: bool,
}

impl Stream {
    fn new(target: Box<dyn Write + Send>) -> Stream {
        Stream { target, failure: None, closed: false }
    }

    fn write(&mut self, text: &str) {
        if !self.closed {
            let result = self.target.write_all(text.as_bytes());
            self.note(result);
        }
    }

    fn flush(&mut self) {
        if !self.closed {
            let result = self.target.flush();
            self.note(result);
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.failure = Some(error);
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// What a command wrote.
    #[derive(Clone, Default)]
    pub struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        /// As text.
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A console in memory: itself, its output, its messages.
    pub fn console(input: &str) -> (Console, Written, Written) {
        let (output, errors) = (Written::default(), Written::default());
        let input = io::Cursor::new(input.as_bytes().to_vec());
        let console =
            Console::new(Box::new(output.clone()), Box::new(errors.clone()), Box::new(input), Surroundings::default());
        (console, output, errors)
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn finishes(kind: io::ErrorKind) -> (bool, String) {
        let errors = Written::default();
        let mut console = Console::new(
            Box::new(Broken(kind)),
            Box::new(errors.clone()),
            Box::new(io::empty()),
            Surroundings::default(),
        );
        console.line("text");
        console.line("more");
        (console.finish(), errors.text())
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        assert_eq!(finishes(io::ErrorKind::BrokenPipe), (true, String::new()));
        let (fine, message) = finishes(io::ErrorKind::StorageFull);
        assert!(!fine && message.starts_with("error: the output can't be written"), "{message}");
    }

    #[test]
    fn colours_need_a_terminal_and_can_be_refused() {
        let (mut console, _, _) = console("");
        assert!(!console.appearance().color);
        console.surroundings.errors_are_terminal = true;
        assert!(console.appearance().color);
        console.surroundings.no_color = true;
        assert!(!console.appearance().color);
        console.set(Form::Text, Color::Always);
        assert!(console.appearance().color);
        console.surroundings.no_color = false;
        console.set(Form::Text, Color::Never);
        assert!(!console.appearance().color);
    }

    #[test]
    fn lines_are_drawn_in_ascii_where_the_locale_knows_no_more() {
        let unicode = |locale: Option<&str>| {
            Surroundings { locale: locale.map(str::to_string), ..Surroundings::default() }.has_unicode()
        };
        assert!(unicode(None) && unicode(Some("de_DE.UTF-8")) && unicode(Some("C.utf8")));
        assert!(!unicode(Some("C")) && !unicode(Some("de_DE.ISO-8859-1")));
    }
}
