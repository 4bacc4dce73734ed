//! Findings for people, drawn by `miette`: the only file that knows it.

use super::excerpt::Excerpt;
pub use super::excerpt::harmless;
use crate::finding::{Finding, Label, Severity};
use crate::text::{SourceId, Sources, Span};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use std::fmt;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// How findings look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appearance {
    /// Whether colours are used.
    pub color: bool,
    /// Whether lines are drawn with more than ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Appearance {
    /// No colours, drawn lines, 100 columns: for files and tests.
    fn default() -> Self {
        Appearance { color: false, unicode: true, width: 100 }
    }
}

/// The finding as a text that ends with a line break.
pub fn render(finding: &Finding, sources: &Sources, appearance: Appearance) -> String {
    let appearance = Appearance { width: appearance.width.max(40), ..appearance };
    let mut out = String::new();
    let mut groups = by_snippet(&finding.labels, sources).into_iter();
    let main = finding.labels.first();
    match groups.next() {
        None => draw(&mut out, finding, None, appearance),
        Some((source, labels)) => {
            draw(&mut out, finding, Snippet::new(sources, source, &labels, main, appearance), appearance);
            for (source, labels) in groups {
                let mut drawn = String::new();
                draw(&mut drawn, finding, Snippet::new(sources, source, &labels, None, appearance), appearance);
                // The head stands above the first snippet already.
                out.extend(drawn.split_inclusive('\n').skip(head_lines(&drawn)));
            }
        }
    }
    trace(&mut out, finding, sources, appearance);
    paragraph(&mut out, "note", finding.note.as_deref(), appearance);
    paragraph(&mut out, "help", finding.help.as_deref(), appearance);
    let mut trimmed = String::with_capacity(out.len());
    for line in out.lines() {
        trimmed.push_str(line.trim_end());
        trimmed.push('\n');
    }
    trimmed
}

/// All findings, one below the other with a blank line between them.
pub fn render_all(findings: &[Finding], sources: &Sources, appearance: Appearance) -> String {
    let rendered: Vec<_> = findings.iter().map(|finding| render(finding, sources, appearance)).collect();
    rendered.join("\n")
}

/// The labels in groups that share a snippet, the main label's group first: labels of one source whose
/// lines meet.
fn by_snippet<'a>(labels: &'a [Label], sources: &Sources) -> Vec<(SourceId, Vec<&'a Label>)> {
    let mut groups: Vec<(SourceId, Range<usize>, Vec<&Label>)> = Vec::new();
    for label in labels {
        let Some(source) = sources.get(label.span.source) else { continue };
        let mut lines = Excerpt::extent(source, range(label.span));
        let mut members = vec![label];
        // A label can join groups that were apart until now; the earliest of them takes all in.
        let mut at = None;
        let mut index = 0;
        while let Some((id, extent, _)) = groups.get(index) {
            if *id == label.span.source && extent.start <= lines.end && lines.start <= extent.end {
                let (_, extent, mut group) = groups.remove(index);
                lines = extent.start.min(lines.start)..extent.end.max(lines.end);
                group.append(&mut members);
                members = group;
                at = at.or(Some(index));
                index = 0;
            } else {
                index += 1;
            }
        }
        let at = at.unwrap_or(groups.len()).min(groups.len());
        groups.insert(at, (label.span.source, lines, members));
    }
    // The main label may have been taken in by a group that is not the first.
    if let (Some(main), true) = (labels.first(), groups.len() > 1)
        && let Some(at) = groups.iter().position(|(_, _, group)| group.iter().any(|label| std::ptr::eq(*label, main)))
    {
        let group = groups.remove(at);
        groups.insert(0, group);
    }
    groups.into_iter().map(|(source, _, group)| (source, group)).collect()
}

fn draw(out: &mut String, finding: &Finding, snippet: Option<Snippet>, appearance: Appearance) {
    let theme = match (appearance.unicode, appearance.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(appearance.width)
        .without_syntax_highlighting()
        .with_context_lines(1);
    let report = Report { finding, message: clean(&finding.message), snippet };
    if handler.render_report(out, &report).is_err() {
        // Drawing fails only where a place does not fit its source; the message must come through.
        out.push_str(&format!("{}: {}\n", finding.severity.word(), report.message));
    }
}

/// How many lines stand above the drawing of a snippet.
fn head_lines(drawn: &str) -> usize {
    drawn.lines().position(|line| line.contains("╭─[") || line.contains(",-[")).unwrap_or(0)
}

/// The calls that led to the place, each with the line that made it.
fn trace(out: &mut String, finding: &Finding, sources: &Sources, appearance: Appearance) {
    const FIRST: usize = 12;
    const LAST: usize = 4;
    let count = finding.trace.len();
    for (index, frame) in finding.trace.iter().enumerate() {
        let left_out = count.saturating_sub(FIRST + LAST);
        if left_out > 1 && index >= FIRST && index < FIRST + left_out {
            if index == FIRST {
                out.push_str(&format!("  … {left_out} more calls\n"));
            }
            continue;
        }
        let Some(source) = sources.get(frame.span.source) else { continue };
        let (line, column) = source.position(frame.span.start as usize);
        out.push_str(&format!("  called from {} ({}:{line}:{column})\n", clean(&frame.name), clean(&source.name)));
        let span = frame.span.range();
        let excerpt = Excerpt::new(source, &[span], appearance.width.saturating_sub(8));
        if let Some(shown) =
            excerpt.places.first().map(|place| excerpt.lines_around(place.range.start, place.range.start, 0))
            && let Some(text) = shown.first().and_then(|line| excerpt.text.get(line.range.clone()))
        {
            out.push_str(&format!("      {}\n", text.trim()));
        }
    }
}

/// A paragraph under the drawing: `  help: …`, wrapped and indented.
fn paragraph(out: &mut String, name: &str, text: Option<&str>, appearance: Appearance) {
    let Some(text) = text else { return };
    let indent = name.len() + 4;
    let room = appearance.width.saturating_sub(indent).max(20);
    let (on, off) = if appearance.color { ("\u{1b}[36m", "\u{1b}[0m") } else { ("", "") };
    for (index, line) in clean(text).lines().flat_map(|line| wrap(line, room)).enumerate() {
        match index {
            0 => out.push_str(&format!("  {on}{name}:{off} {line}\n")),
            _ => out.push_str(&format!("{:indent$}{line}\n", "")),
        }
    }
}

/// Breaks a line at its spaces; its indentation is kept for its first line.
fn wrap(line: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split(' ') {
        if !current.trim().is_empty() && current.width() + 1 + word.width() > room {
            lines.push(std::mem::take(&mut current));
        } else if !(lines.is_empty() && current.is_empty()) {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// A text without what would steer the terminal; line breaks stay.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

/// A finding in the form that the library draws: head and one snippet.
#[derive(Debug)]
struct Report<'a> {
    finding: &'a Finding,
    message: String,
    snippet: Option<Snippet>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code.id))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet.as_ref().map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let snippet = self.snippet.as_ref()?;
        Some(Box::new(snippet.labels.iter().cloned()))
    }
}

/// The labels of one source with the lines that show them.
#[derive(Debug)]
struct Snippet {
    name: String,
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
}

impl Snippet {
    fn new(
        sources: &Sources,
        source: SourceId,
        labels: &[&Label],
        main: Option<&Label>,
        appearance: Appearance,
    ) -> Option<Snippet> {
        let source = sources.get(source)?;
        let spans: Vec<_> = labels.iter().map(|label| range(label.span)).collect();
        // What stands beside the lines: their numbers and the frame.
        let beside = source.line_count().to_string().len() + 6;
        let excerpt = Excerpt::new(source, &spans, appearance.width.saturating_sub(beside).clamp(30, 160));
        let labels = labels
            .iter()
            .zip(&excerpt.places)
            .map(|(label, place)| {
                let mut text = clean(&label.text);
                if let Some(line) = place.goes_on_to_line {
                    text.push_str(if text.is_empty() { "up to line " } else { " (up to line " });
                    text.push_str(&line.to_string());
                    text.push_str(if label.text.is_empty() { "" } else { ")" });
                }
                let text = Some(text).filter(|text| !text.is_empty());
                let span = SourceSpan::new(place.range.start.into(), place.range.len());
                match main {
                    Some(main) if std::ptr::eq(*label, main) => LabeledSpan::new_primary_with_span(text, span),
                    _ => LabeledSpan::new_with_span(text, span),
                }
            })
            .collect();
        Some(Snippet { name: clean(&source.name), excerpt, labels })
    }
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end.max(span.start) as usize
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let lines = self.excerpt.lines_around(start, end, lines_before);
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Err(MietteError::OutOfBounds) };
        let range = first.range.start..last.range.end;
        // Asked for the place alone, the answer is the place in the source, for the head of the snippet.
        let place = self.excerpt.places.iter().find(|place| place.range.start == start);
        let (number, column) = match place {
            Some(place) if lines_before == 0 => place.position,
            _ => (first.number, 0),
        };
        let text = self.excerpt.text.get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            text.as_bytes(),
            (range.start, range.len()).into(),
            number,
            column,
            lines.len(),
        )))
    }
}
