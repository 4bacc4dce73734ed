//! Written types.

use super::Lower;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::{Label, TypeExpr, TypeExprKind};

impl Lower<'_> {
    /// A type as written.
    pub fn kind(&mut self, pair: Pair) -> TypeExpr {
        let whole = self.span(&pair);
        let mut labels = Vec::new();
        let mut kind = TypeExpr { kind: TypeExprKind::Broken, span: whole };
        for inner in pair.into_inner() {
            let span = self.span(&inner);
            match inner.as_rule() {
                Rule::label => {
                    let label = if inner.as_str().starts_with("pii") { Label::Pii } else { Label::Secret };
                    labels.push((label, span));
                }
                Rule::optional => {
                    kind = TypeExpr { span: kind.span.to(span), kind: TypeExprKind::Optional(Box::new(kind)) }
                }
                Rule::name => kind = TypeExpr { kind: TypeExprKind::Named(self.name(&inner)), span },
                _ => kind = TypeExpr { kind: self.bare_kind(inner), span },
            }
        }
        labels.truncate(4);
        for (label, span) in labels.into_iter().rev() {
            kind = TypeExpr { span: span.to(kind.span), kind: TypeExprKind::Labelled(label, Box::new(kind)) };
        }
        kind
    }

    fn bare_kind(&mut self, pair: Pair) -> TypeExprKind {
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        match (rule, inner.next(), inner.next()) {
            (Rule::money_type, Some(currency), _) => TypeExprKind::Money(self.free_name(&currency)),
            (Rule::list_type, Some(element), _) => TypeExprKind::List(Box::new(self.kind(element))),
            (Rule::map_type, Some(key), Some(value)) => {
                TypeExprKind::Map(Box::new(self.kind(key)), Box::new(self.kind(value)))
            }
            _ => TypeExprKind::Broken,
        }
    }
}
