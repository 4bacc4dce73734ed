//! Types: how people read them, which agree, and what may be done with them.

mod agree;
mod arithmetic;
mod comparison;
mod method;
mod narrow;
mod primitives;
mod show;
mod text;
mod unify;

pub(crate) use primitives::primitives;
pub(crate) use unify::{Bindings, method_fits};

use crate::check::program::Type;
use crate::text::Span;

/// What a value is wanted for; says it in findings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'p> {
    /// The argument of a call, or a field of a record that is built.
    Argument { callee: &'p str, name: &'p str, span: Option<Span> },
    /// A parameter's or field's default, a constant, a `let`, a `step` with a written type.
    Declared { name: &'p str, span: Span },
    /// A new value of a `var`.
    Assigned { name: &'p str, span: Span },
    /// The result of a callable.
    Result { span: Span },
    /// What a step gives.
    Given { span: Span },
    /// A condition: `if`, `when`, `expect`.
    Condition(&'p str),
    /// An element of a list, a side of an operator and the like: the words say what.
    Part(&'p str, Option<Span>),
}

impl Type {
    /// The type or none; never nested.
    pub(crate) fn optional(self) -> Type {
        match self {
            Type::Optional(_) | Type::Unknown => self,
            other => Type::Optional(Box::new(other)),
        }
    }

    /// The type without its `?`.
    pub(crate) fn present(&self) -> &Type {
        match self {
            Type::Optional(inner) => inner,
            other => other,
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Type::Unknown)
    }

    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Type::Optional(_))
    }

    /// Whether the type, or one it is made of, is not known because of an error.
    pub(crate) fn has_unknown(&self) -> bool {
        match self {
            Type::Unknown => true,
            Type::List(inner) | Type::Optional(inner) | Type::Outcome(inner) => inner.has_unknown(),
            Type::Map(key, value) => key.has_unknown() || value.has_unknown(),
            _ => false,
        }
    }

    /// Whether values of the type have an order.
    pub(crate) fn is_ordered(&self) -> bool {
        match self {
            Type::Optional(inner) => inner.is_ordered(),
            other => matches!(
                other,
                Type::Text
                    | Type::Int
                    | Type::Decimal
                    | Type::Percent
                    | Type::Money(_)
                    | Type::Date
                    | Type::Time
                    | Type::Instant
                    | Type::Duration
                    | Type::Unknown
                    | Type::Never
            ),
        }
    }

    /// Whether values of the type can be added up.
    pub(crate) fn is_additive(&self) -> bool {
        matches!(
            self,
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) | Type::Duration | Type::Unknown | Type::Never
        )
    }
}
