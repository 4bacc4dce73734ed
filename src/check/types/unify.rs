//! Type variables of primitives: what they stand for in one call.

use super::agree::fits;
use crate::check::Checker;
use crate::check::program::Type;
use crate::check::scope::{Global, PRELUDE};
use crate::library::{Shape, Signature};

/// What `T`, `U`, `K`, `V`, `N`, `O` stand for in a call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Bindings {
    bound: Vec<(char, Type)>,
}

impl Bindings {
    pub fn get(&self, variable: char) -> Option<&Type> {
        self.bound.iter().find(|(name, _)| *name == variable).map(|(_, ty)| ty)
    }

    /// A variable stands for a type, unless it stands for one already.
    pub fn bind(&mut self, variable: char, ty: Type) {
        match self.bound.iter_mut().find(|(name, _)| *name == variable) {
            Some((_, bound)) if matches!(bound, Type::Never | Type::Unknown) => *bound = ty,
            Some((_, bound)) => {
                // `[]` first and then something that says more.
                if let (Type::List(inner), Type::List(_)) | (Type::Optional(inner), Type::Optional(_)) = (&*bound, &ty)
                    && **inner == Type::Never
                {
                    *bound = ty;
                }
            }
            None => self.bound.push((variable, ty)),
        }
    }
}

impl Checker<'_> {
    /// The type of a shape; variables that stand for nothing yet are unknown.
    pub(crate) fn shape_type(&self, shape: &Shape, bindings: &Bindings) -> Type {
        match shape {
            Shape::Named(name) => self.shape_named(name),
            Shape::Variable(variable) => bindings.get(*variable).cloned().unwrap_or(Type::Unknown),
            Shape::List(element) => Type::List(Box::new(self.shape_type(element, bindings))),
            Shape::Map(key, value) => {
                Type::Map(Box::new(self.shape_type(key, bindings)), Box::new(self.shape_type(value, bindings)))
            }
            Shape::Optional(inner) => self.shape_type(inner, bindings).optional(),
            Shape::Function(_, result) => self.shape_type(result, bindings),
            Shape::Type(inner) => self.shape_type(inner, bindings),
            Shape::Nothing => Type::Nothing,
        }
    }

    fn shape_named(&self, name: &str) -> Type {
        match name {
            "text" => Type::Text,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "decimal" => Type::Decimal,
            "percent" => Type::Percent,
            "money" => Type::Money(None),
            "date" => Type::Date,
            "time" => Type::Time,
            "instant" => Type::Instant,
            "duration" => Type::Duration,
            name => match self.peek_global(PRELUDE, name) {
                Some(Global::Record(id)) => Type::Record(id),
                Some(Global::Enum(id)) => Type::Enum(id),
                _ => Type::Unknown,
            },
        }
    }
}

/// Finds what the variables of a shape stand for when a value of this type is given.
pub(crate) fn unify(shape: &Shape, ty: &Type, bindings: &mut Bindings) {
    match (shape, ty) {
        (Shape::Variable(variable), ty) => bindings.bind(*variable, ty.clone()),
        (Shape::List(element), Type::List(ty)) => unify(element, ty, bindings),
        (Shape::List(element), Type::Query(entity)) => unify(element, &Type::Record(*entity), bindings),
        (Shape::Map(key, value), Type::Map(k, v)) => {
            unify(key, k, bindings);
            unify(value, v, bindings);
        }
        (Shape::Optional(inner), Type::Optional(ty)) => unify(inner, ty, bindings),
        (Shape::Optional(inner) | Shape::Type(inner), ty) => unify(inner, ty, bindings),
        _ => {}
    }
}

/// Whether a method or property belongs to values of this type.
pub(crate) fn method_fits(signature: &Signature, receiver: &Type) -> bool {
    match (&signature.receiver, receiver) {
        (Some(Shape::Named(name)), ty) => matches!(
            (*name, ty),
            ("text", Type::Text)
                | ("int", Type::Int)
                | ("decimal", Type::Decimal)
                | ("percent", Type::Percent)
                | ("money", Type::Money(_))
                | ("date", Type::Date)
                | ("time", Type::Time)
                | ("instant", Type::Instant)
                | ("duration", Type::Duration)
        ),
        (Some(Shape::List(element)), Type::List(ty)) => match &**element {
            Shape::Variable(_) => true,
            Shape::Named("text") => fits(ty, &Type::Text),
            _ => false,
        },
        (Some(Shape::List(element)), Type::Query(_)) => matches!(**element, Shape::Variable(_)),
        (Some(Shape::Map(..)), Type::Map(..)) => true,
        _ => false,
    }
}
