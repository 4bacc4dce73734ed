//! Expressions: what each form gives.

use super::Checker;
use super::declare::unknown_expr;
use super::types::Purpose;
use crate::check::body::LocalKind;
use crate::check::program::{Effect, Expr, ExprKind, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, UnaryOperator};
use crate::text::Span;
use crate::value::{Duration, Instant, Money, Value, literal};

impl Checker<'_> {
    /// The typed form of an expression. The hint says which type is wanted, where that gives a meaning: to bare
    /// members of enums, empty lists, forms that people fill in. It promises nothing.
    pub(crate) fn expression(&mut self, written: &tree::Expr, hint: Option<&Type>) -> Expr {
        use tree::ExprKind as E;
        let span = written.span;
        let value = |value: Value, ty: Type| Expr { kind: ExprKind::Value(value), ty, effect: Effect::Pure, span };
        match &written.kind {
            E::None => value(Value::None, Type::Optional(Box::new(Type::Never))),
            E::Bool(literal) => value(Value::Bool(*literal), Type::Bool),
            E::Int(literal) => value(Value::Int(*literal), Type::Int),
            E::Decimal(literal) => value(Value::Decimal(*literal), Type::Decimal),
            E::Percent(hundredths) => match literal::fraction(*hundredths) {
                Some(fraction) => value(Value::Percent(fraction), Type::Percent),
                None => self.bad_literal(span, "the percentage has too many digits", "it has at most 26"),
            },
            E::Money { amount, currency } => match self.currency(currency) {
                Some(currency) => value(Value::Money(Money::new(*amount, currency)), Type::Money(Some(currency))),
                None => Expr { ty: Type::Unknown, ..unknown_expr(span) },
            },
            E::Duration { milliseconds, .. } => {
                value(Value::Duration(Duration::from_milliseconds(*milliseconds)), Type::Duration)
            }
            E::Date(date) => value(Value::Date(*date), Type::Date),
            E::Time(time) => value(Value::Time(*time), Type::Time),
            E::Instant(timestamp) => match Instant::from_timestamp(*timestamp) {
                Ok(instant) => value(Value::Instant(instant), Type::Instant),
                Err(_) => self.bad_literal(span, "there is no such moment", "years go from 1 to 9999"),
            },
            E::Text(text) => self.text(text),
            E::Name(name) => self.name(name, span, hint),
            E::It => self.it(span),
            E::List(elements) => self.list(elements, span, hint),
            E::Map(entries) => self.map(entries, span, hint),
            E::Field { target, name, optional } => self.field(target, name, *optional, span, hint),
            E::Call { callee, arguments } => self.call(callee, arguments, span, hint),
            E::Index { target, index } => self.index(target, index, span),
            E::Unary { operator: UnaryOperator::Not, operand } => {
                let operand = self.condition(operand, "what `not` turns round");
                let effect = operand.effect;
                Expr { kind: ExprKind::Not(Box::new(operand)), ty: Type::Bool, effect, span }
            }
            E::Unary { operator: UnaryOperator::Negate, operand } => self.negate(operand, span),
            E::Binary { operator, operator_span, left, right } => {
                self.binary(*operator, *operator_span, left, right, span, hint)
            }
            E::Is { value, some } => self.is(value, *some, span),
            E::Range { from, to } => {
                let from = self.expected(from, &Type::Int, Purpose::Part("the start of a range", None));
                let to = self.expected(to, &Type::Int, Purpose::Part("the end of a range", None));
                let effect = from.effect.max(to.effect);
                let ty = Type::List(Box::new(Type::Int));
                Expr { kind: ExprKind::Range(Box::new(from), Box::new(to)), ty, effect, span }
            }
            E::Conditional { condition, then, otherwise } => self.conditional(condition, then, otherwise, span, hint),
            E::Lambda { .. } => {
                let finding = Finding::new(&catalogue::types::LAMBDA, span, "a lambda can't be used as a value")
                    .at("stands alone")
                    .help("lambdas are arguments of methods: `rows.filter(r => r.quantity > 0)`");
                self.report(finding);
                unknown_expr(span)
            }
            E::Run(call) => self.run_flow(call, true, span),
            E::Start(call) => self.run_flow(call, false, span),
            E::Broken => unknown_expr(span),
        }
    }

    fn bad_literal(&mut self, span: Span, message: &str, help: &str) -> Expr {
        let finding = Finding::new(&catalogue::types::MISMATCH, span, message).at("can't be kept").help(help);
        self.report(finding);
        unknown_expr(span)
    }

    fn it(&mut self, span: Span) -> Expr {
        let Some(local) = self.body.its.last().copied() else {
            let finding = Finding::new(&catalogue::name::UNKNOWN, span, "there is no `it` here")
                .at("stands for nothing")
                .help("`it` is the element inside of a method's condition: `rows.where(it.quantity > 0)`");
            self.report(finding);
            return unknown_expr(span);
        };
        self.local_value(local, span)
    }

    fn list(&mut self, elements: &[tree::Expr], span: Span, hint: Option<&Type>) -> Expr {
        let wanted = match hint.map(Type::present) {
            Some(Type::List(element)) if !element.has_unknown() => Some((**element).clone()),
            _ => None,
        };
        let mut effect = Effect::Pure;
        let mut values = Vec::with_capacity(elements.len());
        let mut joined = wanted.clone().unwrap_or(Type::Never);
        let mut first: Option<Span> = None;
        for element in elements {
            let value = match &wanted {
                Some(ty) => self.expected(element, ty, Purpose::Part("an element of this list", None)),
                None => {
                    let hint = (joined != Type::Never).then(|| joined.clone());
                    let value = self.settled(element, hint.as_ref());
                    match self.join(&joined, &value.ty) {
                        Some(ty) => joined = ty,
                        None => {
                            let purpose = Purpose::Part("an element of this list", first);
                            self.mismatch(&value, &joined.clone(), purpose);
                        }
                    }
                    value
                }
            };
            first = first.or(Some(value.span));
            effect = effect.max(value.effect);
            values.push(value);
        }
        if wanted.is_none() {
            values = values
                .into_iter()
                .map(|value| self.coerce(value, &joined, Purpose::Part("an element of this list", first)))
                .collect();
        }
        Expr { kind: ExprKind::List(values), ty: Type::List(Box::new(joined)), effect, span }
    }

    fn map(&mut self, entries: &[(tree::Expr, tree::Expr)], span: Span, hint: Option<&Type>) -> Expr {
        let (mut key_type, mut value_type, given) = match hint.map(Type::present) {
            Some(Type::Map(key, value)) if !key.has_unknown() && !value.has_unknown() => {
                ((**key).clone(), (**value).clone(), true)
            }
            _ => (Type::Never, Type::Never, false),
        };
        let mut effect = Effect::Pure;
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let (key, value) = if given {
                (
                    self.expected(key, &key_type, Purpose::Part("a key of this map", None)),
                    self.expected(value, &value_type, Purpose::Part("a value of this map", None)),
                )
            } else {
                let key_hint = (key_type != Type::Never).then(|| key_type.clone());
                let value_hint = (value_type != Type::Never).then(|| value_type.clone());
                (self.settled(key, key_hint.as_ref()), self.settled(value, value_hint.as_ref()))
            };
            if !given {
                for (ty, of, what) in
                    [(&mut key_type, &key, "a key of this map"), (&mut value_type, &value, "a value of this map")]
                {
                    match self.join(ty, &of.ty) {
                        Some(joined) => *ty = joined,
                        None => {
                            let wanted = ty.clone();
                            self.mismatch(of, &wanted, Purpose::Part(what, None));
                        }
                    }
                }
            }
            effect = effect.max(key.effect).max(value.effect);
            pairs.push((key, value));
        }
        if !given {
            pairs = pairs
                .into_iter()
                .map(|(key, value)| {
                    (
                        self.coerce(key, &key_type, Purpose::Part("a key of this map", None)),
                        self.coerce(value, &value_type, Purpose::Part("a value of this map", None)),
                    )
                })
                .collect();
        }
        Expr { kind: ExprKind::Map(pairs), ty: Type::Map(Box::new(key_type), Box::new(value_type)), effect, span }
    }

    fn index(&mut self, target: &tree::Expr, index: &tree::Expr, span: Span) -> Expr {
        let target = self.settled(target, None);
        let (wanted, result) = match &target.ty {
            Type::List(element) => (Type::Int, (**element).clone()),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Optional(_) => {
                self.optional_used(&target, "`[…]` needs a list or a map, and this value may be none", None);
                (Type::Unknown, Type::Unknown)
            }
            Type::Unknown => (Type::Unknown, Type::Unknown),
            other => {
                let shown = self.show(other);
                let mut finding = Finding::new(
                    &catalogue::types::OPERATOR,
                    target.span,
                    format!("only lists and maps have elements, and this is {shown}"),
                )
                .at(format!("is {shown}"));
                if *other == Type::Text {
                    finding = finding.help("`slice(from, to)` gives a part of a text");
                }
                self.report(finding);
                (Type::Unknown, Type::Unknown)
            }
        };
        let index = self.expected(index, &wanted, Purpose::Part("what stands in `[…]`", Some(target.span)));
        let effect = target.effect.max(index.effect);
        Expr { kind: ExprKind::Index(Box::new(target), Box::new(index)), ty: result, effect, span }
    }

    fn negate(&mut self, operand: &tree::Expr, span: Span) -> Expr {
        let operand = self.settled(operand, None);
        let (ty, effect) = (operand.ty.clone(), operand.effect);
        match &ty {
            Type::Optional(_) => {
                self.optional_used(&operand, "`-` needs a value, and this one may be none", None);
                unknown_expr(span)
            }
            ty if ty.is_unknown() => unknown_expr(span),
            ty if !ty.is_additive() => {
                let shown = self.show(ty);
                let finding =
                    Finding::new(&catalogue::types::OPERATOR, span, format!("`-` means nothing before {shown}"))
                        .label(operand.span, format!("is {shown}"))
                        .help("numbers, percents, amounts and durations have a sign");
                self.report(finding);
                unknown_expr(span)
            }
            _ => {
                // A negative literal is a value like any other.
                let folded = match &operand.kind {
                    ExprKind::Value(Value::Int(number)) => number.checked_neg().map(Value::Int),
                    ExprKind::Value(Value::Decimal(number)) => Some(Value::Decimal(-*number)),
                    ExprKind::Value(Value::Percent(number)) => Some(Value::Percent(-*number)),
                    ExprKind::Value(Value::Money(money)) => Some(Value::Money(money.negate())),
                    _ => None,
                };
                let kind = folded.map_or_else(|| ExprKind::Negate(Box::new(operand)), ExprKind::Value);
                Expr { kind, ty, effect, span }
            }
        }
    }

    fn is(&mut self, value: &tree::Expr, some: bool, span: Span) -> Expr {
        let value = self.settled(value, None);
        let effect = value.effect;
        if !value.ty.is_optional() && !value.ty.has_unknown() {
            let word = if some { "some" } else { "none" };
            let always = if some { "always" } else { "never" };
            let shown = self.show(&value.ty);
            let test = Span { start: value.span.end.saturating_add(1).min(span.end), ..span };
            let finding = Finding::new(
                &catalogue::types::OPTIONAL,
                test,
                format!("the value is always there, so `is {word}` {always} holds"),
            )
            .label(value.span, format!("is {shown}, never none"))
            .help("remove the test; a type that may be none ends with `?`");
            self.report(finding);
        }
        Expr { kind: ExprKind::Is(Box::new(value), some), ty: Type::Bool, effect, span }
    }

    fn conditional(
        &mut self,
        condition: &tree::Expr,
        then: &tree::Expr,
        otherwise: &tree::Expr,
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        let condition = self.condition(condition, "the condition of `if`");
        let facts = self.facts(&condition);
        let mark = self.body.mark();
        self.know(&facts.when_true);
        let mut then = self.settled(then, hint);
        self.body.forget(mark.1);
        self.know(&facts.when_false);
        let then_type = then.ty.clone();
        let mut otherwise = self.settled(otherwise, hint.or(Some(&then_type)));
        self.body.forget(mark.1);
        let ty = match self.join(&then.ty, &otherwise.ty) {
            Some(ty) => ty,
            None => {
                let wanted = then.ty.clone();
                self.mismatch(&otherwise, &wanted, Purpose::Part("what stands behind `else`", Some(then.span)));
                Type::Unknown
            }
        };
        let purpose = Purpose::Part("a branch of `if`", None);
        then = self.coerce(then, &ty, purpose);
        otherwise = self.coerce(otherwise, &ty, purpose);
        let effect = condition.effect.max(then.effect).max(otherwise.effect);
        Expr { kind: ExprKind::Conditional(Box::new(condition), Box::new(then), Box::new(otherwise)), ty, effect, span }
    }

    /// A function given to a method: named parameters, or an expression over `it`.
    pub(crate) fn lambda(
        &mut self,
        written: &tree::Expr,
        parameters: &[Type],
        result: Option<&Type>,
        what: &str,
    ) -> Expr {
        let span = written.span;
        let mark = self.body.mark();
        let mut locals = Vec::with_capacity(parameters.len());
        let body = match &written.kind {
            tree::ExprKind::Lambda { parameters: names, body } => {
                if names.len() != parameters.len() {
                    let finding = Finding::new(
                        &catalogue::types::LAMBDA,
                        span,
                        format!("this lambda must have {}, and has {}", counted(parameters.len()), names.len()),
                    )
                    .at("other parameters are wanted")
                    .help(match parameters.len() {
                        1 => "write `x => …`, or an expression over `it`",
                        _ => "write `(a, b) => …`",
                    });
                    self.report(finding);
                }
                for (index, name) in names.iter().enumerate() {
                    let ty = parameters.get(index).cloned().unwrap_or(Type::Unknown);
                    locals.push(self.introduce(name, ty, LocalKind::Bound));
                }
                &**body
            }
            _ if parameters.len() == 1 => {
                let local = self.body.add("it", parameters[0].clone(), span, LocalKind::Bound);
                locals.push(local);
                self.body.its.push(local);
                written
            }
            _ => {
                let finding =
                    Finding::new(&catalogue::types::LAMBDA, span, format!("{what} needs names for its parameters"))
                        .at("has none")
                        .help("write `(sum, element) => sum + element`");
                self.report(finding);
                return unknown_expr(span);
            }
        };
        let is_it = !matches!(written.kind, tree::ExprKind::Lambda { .. });
        let value = match result {
            Some(ty) => self.expected(body, ty, Purpose::Part(what, None)),
            None => self.settled(body, None),
        };
        if is_it {
            self.body.its.pop();
        }
        self.body.close(mark);
        let (ty, effect) = (value.ty.clone(), value.effect);
        Expr { kind: ExprKind::Lambda(locals, Box::new(value)), ty, effect, span }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "one parameter".to_string() } else { format!("{count} parameters") }
}
