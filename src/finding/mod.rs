//! What a finding is: plain data that says what is wrong, where, why it matters and what to do.
//!
//! Checkers, engines and tools make findings; [`render`] shows them. A failed run is shown
//! through the same data, so that the editor, the checker and the pager say the same.

pub mod catalogue;
mod edits;
mod levels;
pub mod reference;
pub mod render;
mod settle;

use crate::text::Span;
pub use catalogue::Code;
pub use edits::{Edited, edit, is_fixable};
pub use levels::{Level, LevelError, Levels, can_be_lowered, names as level_names};
pub use settle::settle;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The script can't be run, or a run has failed.
    Error,
    /// The script runs, and probably does not do what was meant.
    Warning,
}

impl Severity {
    /// The word that people read.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place that a finding points at, and what to say there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is said at the place; may be empty for the main place.
    pub text: String,
}

/// A change of text that mends the finding without changing what a correct script means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A call on the way to a failure of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What made the call, in words: `flow process_orders`, `step reserved`.
    pub name: String,
    /// Where it did.
    pub span: Span,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is; `rpa explain` tells more about the code.
    pub code: &'static Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The places, the main one first.
    pub labels: Vec<Label>,
    /// Why it matters or how it came about, when the message alone does not say it.
    pub note: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that mend it, when that is safe.
    pub fixes: Vec<Fix>,
    /// For a failed run: the calls that led to the main place, the innermost first.
    pub trace: Vec<Frame>,
}

impl Finding {
    /// A finding with its main place.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Finding {
            code,
            severity: code.severity,
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            note: None,
            help: None,
            fixes: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// A finding that has no place in a source: about a file, the store, the configuration.
    pub fn without_place(code: &'static Code, message: impl Into<String>) -> Self {
        Finding {
            code,
            severity: code.severity,
            message: message.into(),
            labels: Vec::new(),
            note: None,
            help: None,
            fixes: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// Says something at the main place.
    pub fn at(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Adds a further place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says why it matters.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Adds an edit that mends it.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fixes.push(Fix { span, replacement: replacement.into() });
        self
    }

    /// Adds a call that led to the main place: the innermost call first, then who called that.
    pub fn called_from(mut self, name: impl Into<String>, span: Span) -> Self {
        self.trace.push(Frame { name: name.into(), span });
        self
    }

    /// The main place, if it has one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Whether it stops a run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
