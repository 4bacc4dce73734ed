//! Amounts that come out wrong although their types agree: a percent of something else than is meant, parts that do
//! not add up.

use super::Checker;
use crate::check::hash::HashMap;
use crate::check::program::{BodyParts, Expr, ExprKind, For, LocalId, Program, StatementKind, Type};
use crate::finding::{Finding, catalogue::money};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::{Decimal, Value};

impl Checker<'_> {
    /// Looks at what is done with amounts and percents.
    pub(crate) fn check_money(&mut self) {
        let mut findings = Vec::new();
        for body in self.program.bodies() {
            Amounts::of(&self.program, &body).look(&body, &mut findings);
        }
        for finding in findings {
            let source = finding.span().and_then(|span| self.program.sources.get(span.source));
            if source.is_some_and(|source| !source.is_library) {
                self.report(finding);
            }
        }
    }
}

/// What is known of the amounts of a body.
struct Amounts<'p> {
    program: &'p Program,
    locals: &'p [crate::check::program::Local],
    /// Locals that are set once, to a rounded part of something.
    shares: HashMap<LocalId, Share<'p>>,
}

/// A part of an amount: `(total / count).round`.
#[derive(Clone, Copy)]
struct Share<'p> {
    /// What it is divided by.
    divisor: &'p Expr,
    span: Span,
}

impl<'p> Amounts<'p> {
    fn of(program: &'p Program, body: &BodyParts<'p>) -> Amounts<'p> {
        let mut shares: HashMap<LocalId, Share<'p>> = HashMap::default();
        let mut often: Vec<LocalId> = Vec::new();
        let mut seen: std::collections::HashSet<LocalId> = std::collections::HashSet::new();
        body.each_statement(&mut |statement| {
            if let StatementKind::Set { local, value } = &statement.kind {
                if !seen.insert(*local) {
                    often.push(*local);
                }
                if let Some(share) = share(value) {
                    shares.insert(*local, share);
                }
            }
        });
        for local in often {
            shares.remove(&local);
        }
        Amounts { program, locals: body.locals, shares }
    }

    fn look(&self, body: &BodyParts<'p>, findings: &mut Vec<Finding>) {
        body.each_expression(&mut |expr| expr.walk(&mut |inner| self.expression(inner, findings)));
        body.each_statement(&mut |statement| {
            if let StatementKind::For(each) = &statement.kind {
                self.parts_in_loop(each, findings);
            }
        });
    }

    fn expression(&self, expr: &'p Expr, findings: &mut Vec<Finding>) {
        match &expr.kind {
            ExprKind::Perform(Operation::Percent, arguments) => findings.extend(whole_percent(arguments, expr.span)),
            ExprKind::Perform(Operation::ListMap | Operation::ListFlatMap, arguments) => {
                if let [list, Expr { kind: ExprKind::Lambda(_, each), .. }] = arguments.as_slice() {
                    each.walk(&mut |inner| self.part_of(inner, list, findings));
                }
            }
            ExprKind::Binary(BinaryOperator::Multiply, left, right) => {
                findings.extend(self.tax_of_gross(left, right, expr.span));
                findings.extend(self.net_of_gross(left, right, expr.span));
                if let Some(share) = self.share(left)
                    && is_same(share.divisor, right)
                {
                    findings.push(
                        Finding::new(
                            &money::ROUNDING_LOST,
                            expr.span,
                            "an amount is divided and multiplied back, and does not come out as it was",
                        )
                        .at("may be some cents more or less")
                        .label(share.span, "divided here")
                        .help("keep the amount itself; `split(count)` gives parts that add up to it"),
                    );
                }
            }
            _ => {}
        }
    }

    /// The share that an expression is, written in place or kept in a local.
    fn share(&self, expr: &'p Expr) -> Option<Share<'p>> {
        match &expr.kind {
            ExprKind::Local(local) => self.shares.get(local).copied(),
            _ => share(expr),
        }
    }

    fn parts_in_loop(&self, each: &'p For, findings: &mut Vec<Finding>) {
        let whole = BodyParts { locals: self.locals, blocks: vec![&each.body], expressions: Vec::new() };
        whole.each_expression(&mut |expr| expr.walk(&mut |inner| self.part_of(inner, &each.list, findings)));
    }

    /// A rounded share that is used once for each of as many as it was divided by.
    fn part_of(&self, expr: &'p Expr, list: &Expr, findings: &mut Vec<Finding>) {
        let share = match &expr.kind {
            ExprKind::Local(local) => self.shares.get(local).copied(),
            ExprKind::Perform(Operation::MoneyRound | Operation::MoneyRoundEven, _) => share(expr),
            _ => None,
        };
        let Some(share) = share else { return };
        if !is_rounded(expr) && !matches!(expr.kind, ExprKind::Local(_)) || !counts(share.divisor, list) {
            return;
        }
        let mut finding =
            Finding::new(&money::ROUNDING_LOST, share.span, "the rounded parts do not add up to the whole")
                .at("some cents more or less for all of them together");
        if expr.span != share.span {
            finding = finding.label(expr.span, "taken once for each");
        }
        finding = finding.label(list.span, "for each of these");
        findings.push(finding.help("`amount.split(count)` gives parts that add up to the amount, one for each"));
    }

    /// `gross * vat_rate`
    fn tax_of_gross(&self, left: &Expr, right: &Expr, span: Span) -> Option<Finding> {
        let (amount, rate) = self.gross_and_rate(left, right)?;
        Some(
            Finding::new(
                &money::PERCENT_OF_WHAT,
                span,
                format!("`{rate}` is a share of the net amount, and `{amount}` is gross"),
            )
            .at("more than the tax that is in it")
            .help(format!("the net is `{amount} / (100% + {rate})`, and the tax what is between the two")),
        )
    }

    /// `gross * (100% - vat_rate)`
    fn net_of_gross(&self, left: &Expr, right: &Expr, span: Span) -> Option<Finding> {
        let ExprKind::Binary(BinaryOperator::Subtract, whole, rate) = &right.kind else { return None };
        if !matches!(&whole.kind, ExprKind::Value(Value::Percent(share)) if *share == Decimal::ONE) {
            return None;
        }
        let (amount, rate) = self.gross_and_rate(left, rate)?;
        Some(
            Finding::new(
                &money::PERCENT_OF_WHAT,
                span,
                format!("`{rate}` is a share of the net amount, and `{amount}` is gross"),
            )
            .at("less than the net amount")
            .help(format!("the net is `{amount} / (100% + {rate})`")),
        )
    }

    /// The names of a gross amount and of a tax rate.
    fn gross_and_rate(&self, amount: &Expr, rate: &Expr) -> Option<(&'p str, &'p str)> {
        if !matches!(amount.ty, Type::Money(_)) || rate.ty != Type::Percent {
            return None;
        }
        let (amount, rate) = (self.name_of(amount)?, self.name_of(rate)?);
        let has = |name: &str, words: &[&str]| {
            let name = name.to_lowercase();
            name.split('_').any(|word| words.contains(&word))
                || words.iter().any(|word| !word.is_ascii() && name.contains(word))
        };
        let is_gross = has(amount, &["gross", "brutto", "ttc", "含税"]);
        (is_gross && has(rate, &["tax", "vat", "mwst", "ust", "tva", "税率"])).then_some((amount, rate))
    }

    fn name_of(&self, expr: &Expr) -> Option<&'p str> {
        match &expr.kind {
            ExprKind::Local(local) => self.locals.get(local.index()).map(|local| local.name.as_str()),
            ExprKind::Constant(id) => self.program.constants.get(id.index()).map(|constant| constant.name.as_str()),
            ExprKind::Field(target, index) => {
                let (Type::Record(id) | Type::Reference(id)) = target.ty.present() else { return None };
                let record = self.program.records.get(id.0 as usize)?;
                record.fields.get(*index).map(|field| field.name.as_str())
            }
            // `bills.sum(it.gross)` is gross as well.
            ExprKind::Perform(Operation::ListSum, arguments) => match arguments.as_slice() {
                [_, Expr { kind: ExprKind::Lambda(_, each), .. }] => self.name_of(each),
                _ => None,
            },
            _ => None,
        }
    }
}

/// `percent(19)`
fn whole_percent(arguments: &[Expr], span: Span) -> Option<Finding> {
    let [Expr { kind: ExprKind::Value(Value::Decimal(number)), .. }] = arguments else { return None };
    if number.abs() < Decimal::from(2) || !number.fract().is_zero() {
        return None;
    }
    let hundred = number.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    let number = number.normalize();
    Some(
        Finding::new(&money::PERCENT_OF_WHAT, span, format!("`percent({number})` is {hundred}%"))
            .at(format!("{hundred}%"))
            .help(format!("`percent` takes the share, 0.15 for 15%; write `{number}%` if that is meant")),
    )
}

fn is_rounded(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Perform(Operation::MoneyRound | Operation::MoneyRoundEven, _))
}

/// `total / count` and `(total / count).round`, where a count is what there are of something.
fn share(expr: &Expr) -> Option<Share<'_>> {
    let inner = match &expr.kind {
        ExprKind::Perform(Operation::MoneyRound | Operation::MoneyRoundEven, arguments) => arguments.first()?,
        _ => expr,
    };
    match &inner.kind {
        ExprKind::Binary(BinaryOperator::Divide, amount, divisor) if matches!(amount.ty, Type::Money(_)) => {
            let divisor = match &divisor.kind {
                ExprKind::ToDecimal(whole) => whole,
                _ => divisor,
            };
            (!matches!(divisor.ty, Type::Percent)).then_some(Share { divisor, span: expr.span })
        }
        _ => None,
    }
}

/// Whether a number says how many there are of a list.
fn counts(number: &Expr, list: &Expr) -> bool {
    match &list.kind {
        ExprKind::Range(from, to) => matches!(from.kind, ExprKind::Value(Value::Int(1))) && is_same(number, to),
        _ => match &number.kind {
            ExprKind::Perform(Operation::ListCount | Operation::MapCount, arguments) => {
                arguments.first().is_some_and(|counted| is_same(counted, list))
            }
            _ => false,
        },
    }
}

/// Whether two expressions surely have the same value.
fn is_same(left: &Expr, right: &Expr) -> bool {
    match (&left.kind, &right.kind) {
        (ExprKind::ToDecimal(left), _) => is_same(left, right),
        (_, ExprKind::ToDecimal(right)) => is_same(left, right),
        (ExprKind::Local(left), ExprKind::Local(right)) => left == right,
        (ExprKind::Constant(left), ExprKind::Constant(right)) => left == right,
        (ExprKind::Value(left), ExprKind::Value(right)) => {
            left == right
                || matches!((left, right), (Value::Decimal(d), Value::Int(i)) | (Value::Int(i), Value::Decimal(d)) if *d == Decimal::from(*i))
        }
        (ExprKind::Field(left, at), ExprKind::Field(right, other)) => at == other && is_same(left, right),
        (ExprKind::Load(left), _) => is_same(left, right),
        (_, ExprKind::Load(right)) => is_same(left, right),
        (ExprKind::Perform(left, of_left), ExprKind::Perform(right, of_right)) => {
            left == right
                && left.primitive().effect == crate::check::program::Effect::Pure
                && of_left.len() == of_right.len()
                && of_left.iter().zip(of_right).all(|(left, right)| is_same(left, right))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{Memory, check};
    use crate::text::Source;

    fn codes(script: &str) -> Vec<&'static str> {
        check(Source::new("script.rpa", script), &Memory::new())
            .findings
            .iter()
            .map(|finding| finding.code.id)
            .collect()
    }

    #[test]
    fn amounts_that_come_out_wrong_are_found() {
        for (script, code) in [
            (
                "fn f(gross_total: money EUR, tax_rate: percent) -> money EUR = gross_total - gross_total * tax_rate",
                "money::percent-of-what",
            ),
            (
                "record Bill {\n  gross: money\n  vat: percent\n}\n\nfn f(b: Bill) -> money = b.gross * b.vat",
                "money::percent-of-what",
            ),
            ("fn f(net: money EUR) -> money EUR = net * percent(7)", "money::percent-of-what"),
            ("fn f(total: money EUR, n: int) -> money EUR = (total / n).round * n", "money::rounding-lost"),
            (
                "fn f(total: money EUR, n: int) -> money EUR {\n  let rate = total / n\n  return rate * n\n}",
                "money::rounding-lost",
            ),
            (
                "fn f(total: money EUR, names: [text]) -> {text: money EUR} = names.to_map(it, total)\n\nfn g(total: money EUR, names: [text]) -> [money EUR] {\n  let part = (total / names.count).round\n  return names.map(n => if n == \"\" then 0 EUR else part)\n}",
                "money::rounding-lost",
            ),
            (
                "fn f(total: money EUR, names: [text]) -> [money EUR] {\n  var parts: [money EUR] = []\n  for name in names {\n    if name != \"\" { parts = parts.append((total / names.count).round) }\n  }\n  return parts\n}",
                "money::rounding-lost",
            ),
        ] {
            assert_eq!(codes(script), [code], "{script}");
        }
    }

    #[test]
    fn amounts_that_are_right_are_left_alone() {
        for script in [
            "fn f(net: money EUR, tax_rate: percent) -> money EUR = (net * tax_rate).round",
            "fn f(gross: money EUR, cash_discount: percent) -> money EUR = gross - gross * cash_discount",
            "fn f(gross: money EUR, tax_rate: percent) -> money EUR = gross / (100% + tax_rate)",
            "fn f(net: money EUR) -> money EUR = net * percent(0.07)",
            "fn f(revenue: money EUR, orders: [text]) -> money EUR = (revenue / orders.count).round",
            "fn f(total: money EUR, n: int, m: int) -> money EUR = (total / n).round * m",
            "fn f(total: money EUR, names: [text], months: int) -> [money EUR] {\n  let rate = (total / months).round\n  return names.map(n => if n == \"\" then 0 EUR else rate)\n}",
            "fn f(total: money EUR, n: int) -> [money EUR] = total.split(n)",
        ] {
            assert!(codes(script).is_empty(), "{script}: {:?}", codes(script));
        }
    }
}
