//! Cells: what they may say of the value of their column.

use super::Subject;
use crate::check::Checker;
use crate::check::program::{Arm, CellTest, Expr, ExprKind, Type};
use crate::check::types::Purpose;
use crate::finding::{Finding, Severity, catalogue};
use crate::syntax::tree::{self, Cell};
use crate::text::Span;
use crate::value::Value;

impl Checker<'_> {
    /// The test that a cell or pattern says, for values of a type.
    pub(crate) fn cell_test(&mut self, cell: &Cell, ty: &Type, subject: &Subject) -> CellTest {
        match cell {
            Cell::Anything => CellTest::Anything,
            Cell::Otherwise => CellTest::Otherwise,
            Cell::Some => CellTest::Some,
            Cell::Value(value) => self.value_test(value, ty, subject),
            Cell::Compare(operator, value) => {
                let value = self.cell_value(value, ty, subject);
                let ordered = matches!(operator, tree::BinaryOperator::Equal | tree::BinaryOperator::NotEqual);
                if !ordered {
                    self.needs_order(&value, ty, subject, &format!("`{}`", operator.symbol()));
                }
                CellTest::Compare(*operator, value)
            }
            Cell::Range(from, to) => {
                let (from, to) = (self.cell_value(from, ty, subject), self.cell_value(to, ty, subject));
                self.needs_order(&from, ty, subject, "`..`");
                self.empty_range(&from, &to);
                CellTest::Range(from, to)
            }
            Cell::Not(inner) => CellTest::Not(Box::new(self.cell_test(inner, ty, subject))),
            Cell::OneOf(cells) | Cell::Or(cells) => {
                CellTest::Or(cells.iter().map(|cell| self.cell_test(cell, ty, subject)).collect())
            }
            Cell::And(cells) => CellTest::And(cells.iter().map(|cell| self.cell_test(cell, ty, subject)).collect()),
            Cell::Condition(condition) => CellTest::Condition(self.condition(condition, "a condition")),
            Cell::Outcome(value) => {
                self.settled(value, None);
                CellTest::Anything
            }
            Cell::Broken => CellTest::Anything,
        }
    }

    fn value_test(&mut self, value: &tree::Expr, ty: &Type, subject: &Subject) -> CellTest {
        if matches!(value.kind, tree::ExprKind::None) {
            if !ty.is_optional() && !ty.has_unknown() {
                let shown = self.show(ty);
                let finding =
                    Finding::new(&catalogue::decision::CELL, value.span, format!("{} is never none", subject.title))
                        .at("never fits")
                        .label(subject.span, format!("is {shown}"))
                        .help("remove the test; a type that may be none ends with `?`");
                self.report(finding);
            }
            let none = Expr { ty: ty.clone(), ..crate::check::declare::unknown_expr(value.span) };
            return CellTest::Equal(none);
        }
        CellTest::Equal(self.cell_value(value, ty, subject))
    }

    /// A value that a cell compares with.
    fn cell_value(&mut self, written: &tree::Expr, ty: &Type, subject: &Subject) -> Expr {
        let wanted = match ty.present() {
            // A reference is compared with the key that is written in the cell.
            Type::Reference(_) | Type::Never => Type::Unknown,
            other => other.clone(),
        };
        // What no name is was taken for a text in a sheet, where nobody writes quotes; an enum has no texts.
        if let (Type::Enum(id), tree::ExprKind::Text(_)) = (&wanted, &written.kind)
            && !self.program.sources.slice(written.span).starts_with('"')
        {
            let name = self.program.sources.slice(written.span).to_string();
            return self.no_member(*id, &name, written.span);
        }
        let value = self.expression(written, Some(&wanted));
        let value = self.settle(value);
        self.coerce(value, &wanted, Purpose::Part(&subject.title, Some(subject.span)))
    }

    fn needs_order(&mut self, value: &Expr, ty: &Type, subject: &Subject, sign: &str) {
        let ty = ty.present();
        let has_order = ty.is_ordered() && !matches!(ty, Type::Bool);
        if !has_order && !ty.has_unknown() && !value.ty.has_unknown() {
            let shown = self.show(ty);
            let finding = Finding::new(
                &catalogue::decision::CELL,
                value.span,
                format!("{shown} has no order, so {sign} means nothing for {}", subject.title),
            )
            .at("can't be compared")
            .label(subject.span, format!("is {shown}"))
            .help("write the values that fit, with commas between them");
            self.report(finding);
        }
    }

    fn empty_range(&mut self, from: &Expr, to: &Expr) {
        if let (ExprKind::Value(a), ExprKind::Value(b)) = (&from.kind, &to.kind)
            && !matches!(a, Value::None)
            && !matches!(b, Value::None)
            && from.ty == to.ty
            && a > b
        {
            let finding = Finding::new(&catalogue::decision::CELL, from.span.to(to.span), "the range holds nothing")
                .at("begins behind its end")
                .help("write the smaller value first");
            self.report(finding);
        }
    }

    /// Whether the arms of a `match` take every value; names what they leave out.
    pub(crate) fn check_coverage(&mut self, value: &Expr, arms: &[Arm], span: Span) {
        let place = Span { end: span.start.saturating_add(5).min(span.end), ..span };
        if value.ty.has_unknown() || arms.is_empty() {
            return;
        }
        self.check_arms_reachable(arms);
        if arms.iter().any(|arm| matches!(arm.test, CellTest::Anything | CellTest::Otherwise)) {
            return;
        }
        // An error inside of a pattern has been reported and may have been meant for what is missing.
        let mut unclear = false;
        for arm in arms {
            arm.test.each_expression(&mut |value| unclear = unclear || value.ty.is_unknown());
        }
        if unclear {
            return;
        }
        let mut missing: Vec<String> = Vec::new();
        let takes = |test: &dyn Fn(&CellTest) -> bool| arms.iter().any(|arm| test(&arm.test));
        if value.ty.is_optional() && !takes(&takes_none) {
            missing.push("`none`".to_string());
        }
        let some = takes(&takes_some);
        let mut open = false;
        match value.ty.present() {
            Type::Enum(id) if !some => {
                let members = self.program.enums.get(id.0 as usize).map(|of| of.members.clone()).unwrap_or_default();
                for (index, member) in members.iter().enumerate() {
                    let of = Value::member(*id, u16::try_from(index).unwrap_or(u16::MAX));
                    if !arms.iter().any(|arm| takes_value(&arm.test, &of)) {
                        missing.push(format!("`{member}`"));
                    }
                }
            }
            Type::Bool if !some => {
                for truth in [true, false] {
                    if !arms.iter().any(|arm| takes_value(&arm.test, &Value::Bool(truth))) {
                        missing.push(format!("`{truth}`"));
                    }
                }
            }
            _ => open = !some,
        }
        if !missing.is_empty() {
            let list = missing.join(", ");
            let finding =
                Finding::new(&catalogue::decision::UNHANDLED, place, format!("this `match` does nothing for {list}"))
                    .at("does not take every value")
                    .label(value.span, format!("is {}", self.show(&value.ty)))
                    .help(format!("add an arm for {list}, or `otherwise => …`"));
            self.report(finding);
        } else if open {
            let mut finding =
                Finding::new(&catalogue::decision::UNHANDLED, place, "this `match` fails for values that no arm takes")
                    .at("has no `otherwise`")
                    .label(value.span, format!("is {}", self.show(&value.ty)))
                    .help("add `otherwise => …`");
            finding.severity = Severity::Warning;
            self.report(finding);
        }
    }

    /// Arms behind `otherwise`, and values that an arm before takes.
    fn check_arms_reachable(&mut self, arms: &[Arm]) {
        let mut last: Option<Span> = None;
        let mut seen: Vec<(Value, Span)> = Vec::new();
        for arm in arms {
            if let Some(before) = last {
                let finding = Finding::new(&catalogue::flow::UNREACHABLE, arm.span, "no value comes to this arm")
                    .at("never taken")
                    .label(before, "takes everything that is left")
                    .help("move it up, or remove it");
                self.report(finding);
                continue;
            }
            if matches!(arm.test, CellTest::Anything | CellTest::Otherwise) {
                last = Some(arm.span);
            }
            let mut values = Vec::new();
            plain_values(&arm.test, &mut values);
            for (value, span) in values {
                if let Some((_, before)) = seen.iter().find(|(other, _)| *other == value) {
                    let text = self.program.sources.slice(span).to_string();
                    let finding = Finding::new(
                        &catalogue::flow::UNREACHABLE,
                        span,
                        format!("`{text}` is taken by an arm before"),
                    )
                    .at("never comes here")
                    .label(*before, "taken here")
                    .help("remove one of the two");
                    self.report(finding);
                } else {
                    seen.push((value, span));
                }
            }
        }
    }
}

/// The values that a test takes one by one.
fn plain_values(test: &CellTest, values: &mut Vec<(Value, Span)>) {
    match test {
        CellTest::Equal(Expr { kind: ExprKind::Value(value), ty, span, .. }) if !ty.is_unknown() => {
            values.push((value.clone(), *span));
        }
        CellTest::Or(tests) => tests.iter().for_each(|test| plain_values(test, values)),
        _ => {}
    }
}

fn takes_none(test: &CellTest) -> bool {
    match test {
        CellTest::Equal(value) => matches!(value.kind, ExprKind::Value(Value::None)),
        CellTest::Or(tests) => tests.iter().any(takes_none),
        CellTest::Not(inner) => matches!(**inner, CellTest::Some) || !takes_none(inner),
        _ => false,
    }
}

fn takes_some(test: &CellTest) -> bool {
    match test {
        CellTest::Some => true,
        CellTest::Or(tests) => tests.iter().any(takes_some),
        CellTest::Not(inner) => match &**inner {
            CellTest::Equal(value) => matches!(value.kind, ExprKind::Value(Value::None)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a test certainly takes a value.
fn takes_value(test: &CellTest, value: &Value) -> bool {
    match test {
        CellTest::Anything | CellTest::Otherwise | CellTest::Some => true,
        CellTest::Equal(of) | CellTest::Compare(tree::BinaryOperator::Equal, of) => {
            matches!(&of.kind, ExprKind::Value(known) if known == value)
        }
        CellTest::Compare(tree::BinaryOperator::NotEqual, of) => {
            matches!(&of.kind, ExprKind::Value(known) if known != value)
        }
        CellTest::Compare(operator, of) => match &of.kind {
            ExprKind::Value(known) => match operator {
                tree::BinaryOperator::Less => value < known,
                tree::BinaryOperator::LessOrEqual => value <= known,
                tree::BinaryOperator::Greater => value > known,
                tree::BinaryOperator::GreaterOrEqual => value >= known,
                _ => false,
            },
            _ => false,
        },
        CellTest::Range(from, to) => match (&from.kind, &to.kind) {
            (ExprKind::Value(from), ExprKind::Value(to)) => from <= value && value <= to,
            _ => false,
        },
        CellTest::Not(inner) => match &**inner {
            CellTest::Equal(of) => matches!(&of.kind, ExprKind::Value(known) if known != value),
            CellTest::Or(tests) => tests.iter().all(|test| match test {
                CellTest::Equal(of) => matches!(&of.kind, ExprKind::Value(known) if known != value),
                _ => false,
            }),
            _ => false,
        },
        CellTest::And(tests) => tests.iter().all(|test| takes_value(test, value)),
        CellTest::Or(tests) => tests.iter().any(|test| takes_value(test, value)),
        CellTest::Condition(_) => false,
    }
}
