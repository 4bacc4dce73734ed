//! Templates: files of text with values, loops and conditions in braces.

use super::{Expr, Name};
use crate::text::{SourceId, Span};
use ecow::EcoString;

/// A template file.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// The source it was read from.
    pub source: SourceId,
    /// Its parts in order.
    pub parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub enum TemplatePart {
    /// Text that stands as it is.
    Characters(EcoString),
    /// `{expression}`
    Value(Expr),
    /// `{for name in list}` … `{end}`
    For {
        /// What the element is called; the key, when there is a second name.
        name: Name,
        /// What the value of a map's entry is called.
        second: Option<Name>,
        /// The list, range or map.
        list: Expr,
        /// What is written for each.
        body: Vec<TemplatePart>,
        /// From the `{` of `{for …}` to the `}` of its `{end}`.
        span: Span,
    },
    /// `{if condition}` … `{else}` … `{end}`
    If {
        /// The condition.
        condition: Expr,
        /// What is written when it holds.
        then: Vec<TemplatePart>,
        /// What is written when it does not; an `{else if …}` is one `If`.
        otherwise: Vec<TemplatePart>,
        /// From the `{` of `{if …}` to the `}` of its `{end}`.
        span: Span,
    },
}
