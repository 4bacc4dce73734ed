//! Sources, spans and line tables: everything the other rooms need to speak about places in text.
//!
//! This room knows nothing of the language. A place is a [`Span`]: a source and two byte offsets;
//! lines and columns are computed only when a place is shown.

mod article;
mod nearest;
mod source;
mod span;

pub use article::with_article;
pub use nearest::nearest;
pub use source::{Source, SourceId, Sources};
pub use span::{Span, Spanned};
