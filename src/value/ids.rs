//! Numbers that stand for the types of a program while it runs.
//!
//! The checker gives them out; [`TypeNames`] turns them back into the names that people wrote.

use ecow::EcoString;

/// Names an enum of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub u32);

/// Names a record or an entity of the program; both share one numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub u32);

/// Names a declared error of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorId(pub u32);

/// The names behind the numbers: what it takes to show a value.
///
/// An implementation answers every id, also one that it does not know (with a name such as `?`):
/// a value that can't be named must still be shown.
pub trait TypeNames {
    /// The name of a member of an enum: `gold`.
    fn enum_member(&self, id: EnumId, member: u16) -> &str;

    /// The name of a record or an entity, and the names of its fields in their order.
    fn record(&self, id: RecordId) -> (&str, &[EcoString]);

    /// The name of an error, and the names of its fields in their order.
    fn error(&self, id: ErrorId) -> (&str, &[EcoString]);
}

/// Knows no names: every one is `?`. For values that hold no enum, record or error.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl TypeNames for NoNames {
    fn enum_member(&self, _: EnumId, _: u16) -> &str {
        "?"
    }

    fn record(&self, _: RecordId) -> (&str, &[EcoString]) {
        ("?", &[])
    }

    fn error(&self, _: ErrorId) -> (&str, &[EcoString]) {
        ("?", &[])
    }
}
