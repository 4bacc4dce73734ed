//! How names are written, what should not be used any more, and what says nothing of itself.

use super::Checker;
use super::scope::Global;
use crate::check::program::{BodyParts, Expr, ExprKind, StatementKind, Type};
use crate::finding::{Finding, catalogue::style};
use crate::syntax::tree::{ItemKind, Name, Parameter};
use crate::text::{SourceId, Span};
use crate::value::RecordId;
use ecow::EcoString;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How a kind of name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `unit_price`
    Small,
    /// `OrderRow`
    Capital,
}

impl Checker<'_> {
    /// Looks at names, uses of what is deprecated, and missing documentation.
    pub(crate) fn check_style(&mut self) {
        self.check_names();
        self.check_uses();
    }

    fn check_names(&mut self) {
        let mut findings = Vec::new();
        for module in self.names.modules.iter().filter(|module| !module.is_library) {
            let script = Arc::clone(&module.script);
            for item in &script.items {
                let parameters: &[Parameter] = match &item.kind {
                    ItemKind::Callable(of) => &of.parameters,
                    ItemKind::Rules(of) => &of.parameters,
                    ItemKind::Flow(of) => &of.parameters,
                    _ => &[],
                };
                for parameter in parameters {
                    findings.extend(misspelt(&parameter.name, Form::Small, "parameter"));
                }
                let (name, form, what) = match &item.kind {
                    ItemKind::Const(of) => (&of.name, Form::Small, "constant"),
                    ItemKind::Enum(of) => {
                        for member in &of.members {
                            findings.extend(misspelt(member, Form::Small, "member"));
                        }
                        (&of.name, Form::Capital, "enum")
                    }
                    ItemKind::Record(of) => {
                        for field in &of.fields {
                            findings.extend(misspelt(&field.name, Form::Small, "field"));
                        }
                        (&of.name, Form::Capital, if of.is_entity { "entity" } else { "record" })
                    }
                    ItemKind::Error(of) => (&of.name, Form::Small, "error"),
                    ItemKind::Callable(of) => (&of.name, Form::Small, if of.is_task { "task" } else { "function" }),
                    ItemKind::Rules(of) => (&of.name, Form::Small, "table"),
                    ItemKind::Reaction(of) => (&of.name, Form::Small, "rule"),
                    ItemKind::Flow(of) => (&of.name, Form::Small, "flow"),
                    ItemKind::Policy(of) => (&of.name, Form::Small, "policy"),
                    _ => continue,
                };
                findings.extend(misspelt(name, form, what));
            }
        }
        for body in self.program.bodies() {
            body.each_statement(&mut |statement| {
                if let StatementKind::Set { local, .. } = &statement.kind
                    && let Some(local) = body.locals.get(local.index())
                {
                    let name = Name { text: local.name.clone(), span: local.span };
                    findings.extend(misspelt(&name, Form::Small, "local"));
                }
            });
        }
        for flow in &self.program.flows {
            for local in flow.steps.iter().filter_map(|step| flow.locals.get(step.local?.index())) {
                let name = Name { text: local.name.clone(), span: local.span };
                findings.extend(misspelt(&name, Form::Small, "step"));
            }
        }
        // A name that is wrong is another one soon.
        let wrong: HashSet<Span> = self.findings.iter().filter(|it| it.is_error()).filter_map(Finding::span).collect();
        findings.retain(|finding| finding.span().is_none_or(|span| !wrong.contains(&span)));
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// What is used from where: uses of what is deprecated, and of what says nothing of itself in another script.
    fn check_uses(&mut self) {
        let declared = self.documented();
        let is_library = |source: SourceId| self.program.sources.get(source).is_none_or(|source| source.is_library);
        let has_deprecated = declared.values().any(|of| of.instead.is_some());
        let has_undocumented = declared.values().any(|of| of.is_undocumented);
        if !has_deprecated && !has_undocumented {
            return;
        }
        let mut findings = Vec::new();
        let mut seen: HashSet<Used> = HashSet::new();
        let mut look = |body: &BodyParts<'_>, owner: Option<&Declared>| {
            let is_deprecated = owner.is_some_and(|owner| owner.instead.is_some());
            body.each_expression(&mut |expr| {
                expr.walk(&mut |inner| {
                    for used in used(inner) {
                        let Some(of) = declared.get(&used) else { continue };
                        if is_library(inner.span.source) {
                            continue;
                        }
                        if let (Some(instead), false) = (&of.instead, is_deprecated) {
                            findings.push(of.deprecated(inner.span, instead));
                        }
                        if of.is_undocumented && inner.span.source != of.span.source && seen.insert(used) {
                            findings.push(of.undocumented(inner.span));
                        }
                    }
                });
            });
        };
        let program = &self.program;
        let owned = |used: Used| declared.get(&used);
        for (at, of) in program.callables.iter().enumerate() {
            look(&of.parts(), owned(Used::Callable(at)));
        }
        for (at, of) in program.tables.iter().enumerate() {
            look(&of.parts(), owned(Used::Table(at)));
        }
        for (at, of) in program.flows.iter().enumerate() {
            look(&of.parts(), owned(Used::Flow(at)));
        }
        program.templates.iter().for_each(|of| look(&of.parts(), None));
        program.reactions.iter().for_each(|of| look(&of.parts(), None));
        program.triggers.iter().for_each(|of| look(&of.parts(), None));
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// What declarations say of themselves, those of the library that are deprecated included.
    fn documented(&self) -> HashMap<Used, Declared> {
        let mut declared = HashMap::new();
        for module in &self.names.modules {
            let is_used = module.prefix.is_some() && !module.is_library;
            for (item, global) in module.script.items.iter().zip(&module.globals) {
                let Some(global) = global else { continue };
                let (used, name, what) = match (&item.kind, global) {
                    (ItemKind::Callable(of), Global::Callable(id)) => {
                        (Used::Callable(id.index()), &of.name, if of.is_task { "task" } else { "function" })
                    }
                    (ItemKind::Rules(of), Global::Table(id)) => (Used::Table(id.index()), &of.name, "table"),
                    (ItemKind::Flow(of), Global::Flow(id)) => (Used::Flow(id.index()), &of.name, "flow"),
                    (ItemKind::Const(of), Global::Constant(id)) => (Used::Constant(id.index()), &of.name, "constant"),
                    (ItemKind::Record(of), Global::Record(id)) => {
                        for (at, field) in of.fields.iter().enumerate() {
                            if let Some(instead) = deprecation(&field.documentation) {
                                let name = ecow::eco_format!("{}.{}", of.name.text, field.name.text);
                                let span = field.name.span;
                                let instead = Some(instead);
                                let field = Declared { name, what: "field", span, instead, is_undocumented: false };
                                declared.insert(Used::Field(*id, at), field);
                            }
                        }
                        (Used::Record(*id), &of.name, if of.is_entity { "entity" } else { "record" })
                    }
                    _ => continue,
                };
                let instead = deprecation(&item.documentation);
                let is_callable = matches!(used, Used::Callable(_) | Used::Table(_) | Used::Flow(_));
                let is_undocumented = is_used && is_callable && item.documentation.trim().is_empty();
                if instead.is_some() || is_undocumented {
                    let (name, span) = (name.text.clone(), name.span);
                    declared.insert(used, Declared { name, what, span, instead, is_undocumented });
                }
            }
        }
        declared
    }
}

/// Something that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Used {
    Callable(usize),
    Table(usize),
    Flow(usize),
    Constant(usize),
    Record(RecordId),
    Field(RecordId, usize),
}

/// What a declaration says of itself.
#[derive(Debug)]
struct Declared {
    name: EcoString,
    what: &'static str,
    span: Span,
    /// What to use instead, when it is deprecated.
    instead: Option<EcoString>,
    is_undocumented: bool,
}

impl Declared {
    fn deprecated(&self, at: Span, instead: &EcoString) -> Finding {
        let finding = Finding::new(
            &style::DEPRECATED,
            at,
            format!("the {} `{}` should not be used any more", self.what, self.name),
        )
        .at("used here")
        .label(self.span, "deprecated here");
        if instead.is_empty() {
            finding.help("see what its documentation says")
        } else {
            finding.help(instead.to_string())
        }
    }

    fn undocumented(&self, from: Span) -> Finding {
        Finding::new(
            &style::UNDOCUMENTED,
            self.span,
            format!("the {} `{}` is used by another script and says nothing of itself", self.what, self.name),
        )
        .at("no `///` above it")
        .label(from, "used here")
        .help("say in a line `/// …` above it what it does, and what a caller must know")
    }
}

/// What an expression uses itself, its parts left out.
fn used(expr: &Expr) -> Vec<Used> {
    match &expr.kind {
        ExprKind::Call(id, _) => vec![Used::Callable(id.index())],
        ExprKind::Decide(id, _) => vec![Used::Table(id.index())],
        ExprKind::Run(id, _) | ExprKind::Start(id, _) => vec![Used::Flow(id.index())],
        ExprKind::Constant(id) => vec![Used::Constant(id.index())],
        ExprKind::Record(id, _) | ExprKind::Create(id, _) => vec![Used::Record(*id)],
        ExprKind::Field(target, at) => match target.ty.present() {
            Type::Record(id) | Type::Reference(id) => vec![Used::Field(*id, *at)],
            _ => Vec::new(),
        },
        ExprKind::With(target, changes) | ExprKind::Update(target, changes) => match target.ty.present() {
            Type::Record(id) | Type::Reference(id) => changes.iter().map(|(at, _)| Used::Field(*id, *at)).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What the line `deprecated: …` of a documentation says; empty when it says no more.
fn deprecation(documentation: &str) -> Option<EcoString> {
    documentation.lines().find_map(|line| {
        let line = line.trim();
        let rest = line.strip_prefix("deprecated").or_else(|| line.strip_prefix("Deprecated"))?;
        match rest.strip_prefix([':', '.']) {
            Some(instead) => Some(instead.trim().into()),
            None => rest.is_empty().then(EcoString::new),
        }
    })
}

/// A name that is not written in its form.
fn misspelt(name: &Name, form: Form, what: &str) -> Option<Finding> {
    let text = name.text.trim_start_matches('_');
    let right = match form {
        Form::Small if !text.contains(char::is_uppercase) => return None,
        Form::Small => small(text),
        Form::Capital => {
            let starts_small = text.chars().next().is_some_and(char::is_lowercase);
            let has_cases = text.contains(|letter: char| letter.is_lowercase() || letter.is_uppercase());
            let is_misspelt = starts_small || (has_cases && text.contains('_'));
            if !is_misspelt {
                return None;
            }
            capital(text)
        }
    };
    if name.text.is_empty() || right == name.text.as_str() || right.is_empty() {
        return None;
    }
    let how = match form {
        Form::Small => "written small, with `_` between words",
        Form::Capital => "written with capital letters at the start of words",
    };
    Some(
        Finding::new(&style::NAME, name.span, format!("the {what} `{}` is not written as such names are", name.text))
            .at(format!("here names are {how}"))
            .help(format!("call it `{right}`")),
    )
}

/// `unitPrice` as `unit_price`.
fn small(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| *before != '_')
            && (before.is_some_and(|before| !before.is_uppercase()) || after.is_some_and(|after| after.is_lowercase()));
        if starts {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// `order_row` as `OrderRow`.
fn capital(text: &str) -> String {
    let mut out = String::new();
    for word in text.split('_').filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            out.extend(first.to_uppercase());
        }
        let rest = letters.as_str();
        let is_shouted = text.contains('_') && !rest.contains(char::is_lowercase);
        if is_shouted { out.extend(rest.chars().flat_map(char::to_lowercase)) } else { out.push_str(rest) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Memory, check};
    use crate::text::Source;

    #[test]
    fn names_are_put_into_their_form() {
        for (written, right) in [
            ("unitPrice", "unit_price"),
            ("VATRate", "vat_rate"),
            ("MAX_SIZE", "max_size"),
            ("X", "x"),
            ("größeÄ", "größe_ä"),
        ] {
            assert_eq!(small(written), right);
        }
        for (written, right) in
            [("order_row", "OrderRow"), ("ORDER_ROW", "OrderRow"), ("orderRow", "OrderRow"), ("tier", "Tier")]
        {
            assert_eq!(capital(written), right);
        }
    }

    fn codes(script: &str, files: &Memory) -> Vec<String> {
        let checked = check(Source::new("script.rpa", script), files);
        checked.findings.iter().map(|finding| format!("{}: {}", finding.code.id, finding.message)).collect()
    }

    #[test]
    fn names_of_every_kind_are_looked_at() {
        let script = "const MAX = 1\n\nenum tier { Gold, silver }\n\nrecord order_row {\n  unitPrice: int\n}\n\nfn sumUp(rows: [order_row], Factor: int) -> int {\n  let theSum = rows.sum(it.unitPrice)\n  return theSum * Factor * MAX\n}\n";
        insta::assert_snapshot!(codes(script, &Memory::new()).join("\n"), @r"
        style::name: the constant `MAX` is not written as such names are
        style::name: the enum `tier` is not written as such names are
        style::name: the member `Gold` is not written as such names are
        style::name: the record `order_row` is not written as such names are
        style::name: the field `unitPrice` is not written as such names are
        style::name: the function `sumUp` is not written as such names are
        style::name: the parameter `Factor` is not written as such names are
        style::name: the local `theSum` is not written as such names are
        ");
    }

    #[test]
    fn names_without_letter_case_are_left_alone() {
        let script = "enum 等级 { 金, 银 }\n\nrecord 订单 {\n  数量: int\n  sku2: text\n}\n\nrecord A1 {\n  a: int\n}\n\nfn 总数(订单们: [订单]) -> int {\n  let 结果 = 订单们.sum(it.数量)\n  return 结果\n}\n";
        assert!(codes(script, &Memory::new()).is_empty(), "{:?}", codes(script, &Memory::new()));
    }

    #[test]
    fn what_other_scripts_use_says_what_it_does() {
        let files = Memory::new().with(
            "shared.rpa",
            "fn twice(x: int) -> int = x * 2\n\n/// Three times as much.\nfn thrice(x: int) -> int = x + twice(x)\n\nfn quiet(x: int) -> int = x\n\n/// deprecated: use `thrice`\nfn triple(x: int) -> int = quiet(x) * 3\n",
        );
        let script =
            "use \"shared.rpa\"\n\nfn f(x: int) -> int = shared.twice(x) + shared.thrice(x) + shared.triple(x)\n";
        insta::assert_snapshot!(codes(script, &files).join("\n"), @r"
        style::deprecated: the function `triple` should not be used any more
        style::undocumented: the function `twice` is used by another script and says nothing of itself
        ");
    }

    #[test]
    fn fields_and_constants_can_be_deprecated() {
        let script = "/// deprecated\nconst old = 1\n\nrecord Row {\n  /// deprecated: use `net`\n  price: int = 0\n  net: int = old\n}\n\nfn f(row: Row) -> int = row.price + old + row.net\n";
        insta::assert_snapshot!(codes(script, &Memory::new()).join("\n"), @r"
        style::deprecated: the field `Row.price` should not be used any more
        style::deprecated: the constant `old` should not be used any more
        ");
    }
}
