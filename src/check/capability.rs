//! What the scripts of a program reach outside of themselves: files, mail, people, records; for each flow, rule and
//! trigger, with all that it calls. Listed for people who allow it, and held against what the project allows.

mod outside;

pub use outside::{flow_secrets, secrets_of};

use super::Checker;
use super::boundaries::{Boundaries, is_of_domain, lies_in};
use super::host::Address;
use crate::check::program::{BodyParts, Expr, ExprKind, Program, TextPart, Trigger, TriggerEvent, Type, Wait};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::text::Span;
use crate::value::{RecordId, Value};
use ecow::{EcoString, eco_format};
use std::collections::{BTreeMap, BTreeSet};

/// What something reaches. What of a place is only known at run time is `…`, as in `reports/….csv`; of a place that is not
/// known at all stands what the script calls it: `{customer.email}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Files and patterns that are read.
    pub reads: BTreeSet<EcoString>,
    /// Files that are written, moved or deleted.
    pub writes: BTreeSet<EcoString>,
    /// Addresses that mail goes to.
    pub mail: BTreeSet<EcoString>,
    /// Other systems that are called.
    pub calls: BTreeSet<EcoString>,
    /// Secrets that are asked for.
    pub secrets: BTreeSet<EcoString>,
    /// Roles that are asked.
    pub asks: BTreeSet<EcoString>,
    /// Entities whose records are read.
    pub records_read: BTreeSet<EcoString>,
    /// Entities whose records are created, changed or deleted.
    pub records_written: BTreeSet<EcoString>,
    /// Flows that are run or started.
    pub flows: BTreeSet<EcoString>,
    /// Numbers that are counted up in the store.
    pub sequences: BTreeSet<EcoString>,
    /// Personal data and secrets that are let out by `mask` and `last4`.
    pub releases: BTreeSet<EcoString>,
}

impl Reach {
    /// Whether nothing is reached.
    pub fn is_empty(&self) -> bool {
        *self == Reach::default()
    }

    /// The kinds of what is reached, each with its name in lists and its places.
    pub fn kinds(&self) -> [(&'static str, &BTreeSet<EcoString>); 11] {
        [
            ("reads", &self.reads),
            ("writes", &self.writes),
            ("mail", &self.mail),
            ("calls", &self.calls),
            ("secrets", &self.secrets),
            ("asks", &self.asks),
            ("records read", &self.records_read),
            ("records written", &self.records_written),
            ("flows", &self.flows),
            ("sequences", &self.sequences),
            ("releases", &self.releases),
        ]
    }

    fn join(&mut self, other: &Reach) {
        let pairs = [
            (&mut self.reads, &other.reads),
            (&mut self.writes, &other.writes),
            (&mut self.mail, &other.mail),
            (&mut self.calls, &other.calls),
            (&mut self.secrets, &other.secrets),
            (&mut self.asks, &other.asks),
            (&mut self.records_read, &other.records_read),
            (&mut self.records_written, &other.records_written),
            (&mut self.flows, &other.flows),
            (&mut self.sequences, &other.sequences),
            (&mut self.releases, &other.releases),
        ];
        for (own, theirs) in pairs {
            own.extend(theirs.iter().cloned());
        }
    }
}

/// What one flow, rule or trigger reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaching {
    /// `flow process_orders`, `rule low_stock`, `on file inbox/*.csv`.
    pub what: EcoString,
    /// What it reaches with all that it calls; what flows that it runs reach is listed with them.
    pub reach: Reach,
}

/// What every flow, rule and trigger of a program reaches, those of the library left out, in the order of the text.
/// Takes time in proportion to the program times the places that are reached.
pub fn capabilities(program: &Program) -> Vec<Reaching> {
    let reaches = all_reaches(program);
    let own = |span: Span| program.sources.get(span.source).is_some_and(|source| !source.is_library);
    let mut found: Vec<(Span, Reaching)> = Vec::new();
    for flow in program.flows.iter().filter(|flow| own(flow.span)) {
        let reach = reach_of(program, &flow.parts(), &reaches);
        found.push((flow.span, Reaching { what: eco_format!("flow {}", flow.name), reach }));
    }
    for rule in program.reactions.iter().filter(|rule| own(rule.span)) {
        let mut reach = reach_of(program, &rule.parts(), &reaches);
        reach.records_read.extend(entity(program, rule.entity));
        found.push((rule.span, Reaching { what: eco_format!("rule {}", rule.name), reach }));
    }
    for trigger in program.triggers.iter().filter(|trigger| own(trigger.span)) {
        let mut reach = reach_of(program, &trigger.parts(), &reaches);
        let what = trigger_name(program, trigger, &mut reach);
        found.push((trigger.span, Reaching { what, reach }));
    }
    found.sort_by_key(|(span, _)| (span.source.0, span.start));
    found.into_iter().map(|(_, reaching)| reaching).collect()
}

fn trigger_name(program: &Program, trigger: &Trigger, reach: &mut Reach) -> EcoString {
    match &trigger.event {
        TriggerEvent::File { pattern } => {
            reach.reads.insert(pattern.clone());
            eco_format!("on file {pattern}")
        }
        TriggerEvent::Record { entity: id, .. } => {
            let name = entity(program, *id).unwrap_or_default();
            reach.records_read.insert(name.clone());
            eco_format!("on {name}")
        }
        TriggerEvent::Schedule(_) => {
            let written = program.sources.slice(trigger.span);
            written.split('{').next().unwrap_or(written).trim().into()
        }
    }
}

fn entity(program: &Program, id: RecordId) -> Option<EcoString> {
    program.records.get(id.0 as usize).map(|record| record.name.clone())
}

/// What callables, tables and templates reach, with all that they call.
struct Reaches {
    callables: Vec<Reach>,
    tables: Vec<Reach>,
    templates: Vec<Reach>,
}

fn all_reaches(program: &Program) -> Reaches {
    let mut reaches = Reaches {
        callables: vec![Reach::default(); program.callables.len()],
        tables: vec![Reach::default(); program.tables.len()],
        templates: vec![Reach::default(); program.templates.len()],
    };
    // Until nothing changes; as many rounds as calls are deep, at most.
    loop {
        let mut changed = false;
        for (at, of) in program.templates.iter().enumerate() {
            let found = reach_of(program, &of.parts(), &reaches);
            changed |= replace(&mut reaches.templates, at, found);
        }
        for (at, of) in program.tables.iter().enumerate() {
            let found = reach_of(program, &of.parts(), &reaches);
            changed |= replace(&mut reaches.tables, at, found);
        }
        for (at, of) in program.callables.iter().enumerate() {
            let found = reach_of(program, &of.parts(), &reaches);
            changed |= replace(&mut reaches.callables, at, found);
        }
        if !changed {
            return reaches;
        }
    }
}

fn replace(all: &mut [Reach], at: usize, found: Reach) -> bool {
    match all.get_mut(at) {
        Some(known) if *known != found => {
            *known = found;
            true
        }
        _ => false,
    }
}

fn reach_of(program: &Program, body: &BodyParts<'_>, reaches: &Reaches) -> Reach {
    let mut reach = Reach::default();
    let texts = known_locals(program, body);
    let look = Look { program, texts };
    body.each_expression(&mut |expr| {
        expr.walk(&mut |inner| {
            look.expression(inner, &mut reach);
            let called = match &inner.kind {
                ExprKind::Call(id, _) => reaches.callables.get(id.index()),
                ExprKind::Decide(id, _) => reaches.tables.get(id.index()),
                ExprKind::Template(id, _) => reaches.templates.get(id.index()),
                _ => None,
            };
            if let Some(called) = called {
                reach.join(called);
            }
        });
    });
    reach
}

/// Texts that locals are set to, where that is known before the run.
fn known_locals(program: &Program, body: &BodyParts<'_>) -> BTreeMap<u32, Option<EcoString>> {
    let mut texts: BTreeMap<u32, Option<EcoString>> = BTreeMap::new();
    body.each_statement(&mut |statement| {
        if let crate::check::program::StatementKind::Set { local, value } = &statement.kind {
            let text = Look { program, texts: BTreeMap::new() }.text(value);
            texts.entry(local.0).and_modify(|known| *known = None).or_insert(text);
        }
    });
    texts
}

struct Look<'p> {
    program: &'p Program,
    texts: BTreeMap<u32, Option<EcoString>>,
}

impl Look<'_> {
    fn expression(&self, expr: &Expr, reach: &mut Reach) {
        match &expr.kind {
            ExprKind::Perform(operation, arguments) => self.operation(*operation, arguments, reach),
            ExprKind::All(id) | ExprKind::Get(id, _) | ExprKind::Has(id, _) => {
                reach.records_read.extend(entity(self.program, *id));
            }
            ExprKind::Create(id, _) => reach.records_written.extend(entity(self.program, *id)),
            ExprKind::Update(target, _) | ExprKind::Delete(target) => {
                if let Type::Record(id) | Type::Reference(id) | Type::Query(id) = target.ty.present() {
                    reach.records_written.extend(entity(self.program, *id));
                }
            }
            ExprKind::Follow(target) => {
                if let Type::Reference(id) = target.ty.present() {
                    reach.records_read.extend(entity(self.program, *id));
                }
            }
            ExprKind::Run(id, _) | ExprKind::Start(id, _) => {
                reach.flows.extend(self.program.flows.get(id.index()).map(|flow| flow.name.clone()));
            }
            ExprKind::Wait(wait) => match &**wait {
                Wait::Ask { role, .. } => {
                    reach.asks.insert(self.place(role));
                }
                Wait::For { entity: id, .. } => reach.records_read.extend(entity(self.program, *id)),
                _ => {}
            },
            _ => {}
        }
    }

    fn operation(&self, operation: Operation, arguments: &[Expr], reach: &mut Reach) {
        use Operation as O;
        let place = |at: usize| arguments.get(at).map(|argument| self.place(argument));
        match operation {
            O::CsvRead | O::CsvCheck | O::JsonRead | O::ExcelRead | O::FileRead | O::FileExists | O::FileList => {
                reach.reads.extend(place(0));
            }
            O::CsvWrite | O::JsonWrite | O::ExcelWrite | O::FileWrite | O::FileDelete | O::PdfInvoice => {
                reach.writes.extend(place(0));
            }
            O::FileMove => reach.writes.extend([place(0), place(1)].into_iter().flatten()),
            O::EmailSend => {
                reach.mail.extend(place(0));
                if let Some(ExprKind::List(copies)) = arguments.get(3).map(|copies| &copies.kind) {
                    reach.mail.extend(copies.iter().map(|copy| self.place(copy)));
                }
            }
            O::HttpGet | O::HttpPost | O::HttpPut | O::HttpPatch | O::HttpDelete => {
                let system = arguments.first().map(|url| match self.address(url) {
                    Some(address) => eco_format!("{address}"),
                    None => self.place(url),
                });
                reach.calls.extend(system);
            }
            O::Secret => reach.secrets.extend(place(0)),
            O::SequenceNext => reach.sequences.extend(place(0)),
            O::TextMask | O::TextLastFour => {
                let how = if operation == O::TextMask { "mask" } else { "last4" };
                let of = arguments.first().map(|value| self.program.sources.slice(value.span));
                reach.releases.extend(of.map(|of| eco_format!("{of}.{how}")));
            }
            _ => {}
        }
    }

    /// A place in words: the text as far as it is known, else what the script calls it.
    fn place(&self, expr: &Expr) -> EcoString {
        match self.text(expr) {
            Some(text) => text,
            None => eco_format!("{{{}}}", self.program.sources.slice(expr.span)),
        }
    }

    /// The system that a URL leads to, as far as its beginning says.
    fn address(&self, url: &Expr) -> Option<Address> {
        Address::of(&self.text(url)?)
    }

    fn text(&self, expr: &Expr) -> Option<EcoString> {
        match &expr.kind {
            ExprKind::Value(Value::Text(text)) => Some(text.clone()),
            ExprKind::Constant(id) => self.text(&self.program.constants.get(id.index())?.value),
            ExprKind::Local(local) => self.texts.get(&local.0).cloned().flatten(),
            ExprKind::Text(parts) => {
                let mut text = EcoString::new();
                for part in parts {
                    match part {
                        TextPart::Characters(characters) => text.push_str(characters),
                        TextPart::Value(value) => match self.text(value) {
                            Some(known) => text.push_str(&known),
                            None => text.push('…'),
                        },
                    }
                }
                Some(text)
            }
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// Reports places that a script names and its project does not allow.
    pub(crate) fn check_reach(&mut self) {
        let boundaries = self.loader.boundaries();
        let mut findings = Vec::new();
        for body in self.program.bodies() {
            let look = Look { program: &self.program, texts: known_locals(&self.program, &body) };
            body.each_expression(&mut |expr| {
                expr.walk(&mut |inner| {
                    if let ExprKind::Perform(operation, arguments) = &inner.kind {
                        if boundaries.is_project {
                            beyond(&look, *operation, arguments, &boundaries, &mut findings);
                        }
                        outside::beyond(&look, *operation, arguments, &boundaries, &mut findings);
                    }
                });
            });
        }
        for finding in findings {
            let source = finding.span().and_then(|span| self.program.sources.get(span.source));
            if source.is_some_and(|source| !source.is_library) {
                self.report(finding);
            }
        }
    }
}

/// What one call reaches beyond of what is allowed.
fn beyond(
    look: &Look<'_>,
    operation: Operation,
    arguments: &[Expr],
    boundaries: &Boundaries,
    findings: &mut Vec<Finding>,
) {
    let mut reach = Reach::default();
    look.operation(operation, arguments, &mut reach);
    let place = |at: usize| arguments.get(at).map(|argument| argument.span);
    // The project's own folder may be read and written unless the project says otherwise.
    let own = [EcoString::from(".")];
    for (paths, allowed, verb, setting) in
        [(&reach.reads, &boundaries.read, "read", "read"), (&reach.writes, &boundaries.write, "written", "write")]
    {
        for path in paths.iter().filter(|path| !path.starts_with('{') && !path.starts_with('…')) {
            let folders = allowed.as_deref().unwrap_or(&own);
            let is_allowed = folders.iter().any(|folder| lies_in(path, folder))
                // A folder that is named from its root may be the project's own; that is seen at run time.
                || path.starts_with('/') && folders.iter().any(|folder| !folder.starts_with('/'));
            if let (false, Some(span)) = (is_allowed, place(0)) {
                let of = match allowed {
                    Some(folders) => format!("the project allows {}", listed(folders)),
                    None => "it lies outside of the project".to_string(),
                };
                findings.push(
                    Finding::new(&catalogue::config::REACH, span, format!("`{path}` may not be {verb}: {of}"))
                        .at("would be refused at run time")
                        .help(format!("if that is meant, add its folder to `{setting}` under `[reach]` in rpa.toml")),
                );
            }
        }
    }
    let Some(domains) = &boundaries.mail else { return };
    for to in reach.mail.iter().filter(|to| to.contains('@') && !to.starts_with('{')) {
        let is_unknown = to.rsplit_once('@').is_none_or(|(_, domain)| domain.contains('…'));
        if !is_unknown && !domains.iter().any(|domain| is_of_domain(to, domain)) {
            let span = arguments.iter().map(|argument| argument.span).next();
            findings.extend(span.map(|span| {
                Finding::new(
                    &catalogue::config::REACH,
                    span,
                    format!("mail may not go to `{to}`: the project allows {}", listed(domains)),
                )
                .at("would be refused at run time")
                .help("if that is meant, add the domain to `mail` under `[reach]` in rpa.toml")
            }));
        }
    }
}

fn listed(names: &[EcoString]) -> String {
    match names {
        [] => "none".to_string(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::host::HostRule;
    use crate::check::{Memory, check};
    use crate::text::Source;

    const SHOP: &str = "use crm\n\n/// A row.\nrecord Row {\n  sku: text\n  count: int\n}\n\nconst folder = \"reports\"\n\nflow nightly(day: date, file: text) {\n  step rows = csv.read(\"inbox/stock.csv\", as: Row)\n  step counted {\n    for row in rows { book(row) }\n  }\n  step other = csv.read(file, as: Row)\n  step report = csv.write(\"{folder}/{day}.csv\", rows)\n  step sure: bool = ask(\"warehouse\", \"Is that right?\", within: 1 day, otherwise: false)\n  if sure { run tell(day) }\n}\n\nflow tell(day: date) {\n  step mail = email.send(to: \"stock@example.com\", cc: [\"boss@partner.example\"], subject: \"Stock\", body: \"of {day}\")\n  step customers = Customer.where(it.tier == gold)\n  for customer in customers {\n    run write_to(customer.id)\n  }\n}\n\nflow write_to(id: text) {\n  step who = Customer.get(id)\n  step note = log.info(\"to {who.email.mask}\")\n  step mail = email.send(to: who.email, subject: \"s\", body: \"b\")\n}\n\ntask book(row: Row) {\n  let product = Product.get(row.sku)\n  product.update(stock: row.count)\n}\n\nrule low on Product changed as p when p.stock < 5 {\n  p.update(reorder_at: sequence.next(\"orders\"))\n}\n\non file \"inbox/*.csv\" as f {\n  start nightly(2026-01-01, f.path)\n}\n\nevery weekday at 06:00 in \"Europe/Berlin\" {\n  start tell(2026-01-01)\n}\n";

    #[test]
    fn what_is_reached_is_listed_for_each_flow() {
        let checked = check(Source::new("shop.rpa", SHOP), &Memory::new());
        let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.findings));
        let mut said = String::new();
        for of in capabilities(&program) {
            said += &format!("{}\n", of.what);
            for (kind, places) in of.reach.kinds().into_iter().filter(|(_, places)| !places.is_empty()) {
                said += &format!("  {kind}: {}\n", places.iter().map(EcoString::as_str).collect::<Vec<_>>().join(", "));
            }
        }
        insta::assert_snapshot!(said, @r#"
        flow nightly
          reads: inbox/stock.csv, {file}
          writes: reports/….csv
          asks: warehouse
          records read: Product
          records written: Product
          flows: tell
        flow tell
          mail: boss@partner.example, stock@example.com
          records read: Customer
          flows: write_to
        flow write_to
          mail: {who.email}
          records read: Customer
          releases: who.email.mask
        rule low
          records read: Product
          records written: Product
          sequences: orders
        on file inbox/*.csv
          reads: inbox/*.csv
          flows: nightly
        every weekday at 06:00 in "Europe/Berlin"
          flows: tell
        "#);
    }

    fn said(script: &str, boundaries: Boundaries) -> Vec<String> {
        let checked = check(Source::new("script.rpa", script), &Memory::new().within(boundaries));
        let lines = checked.findings.iter().map(|finding| format!("{}: {}", finding.code.id, finding.message));
        lines.collect()
    }

    #[test]
    fn hosts_and_secrets_are_held_against_those_of_the_project() {
        let script = "const api = \"https://api.example.com\"\n\ntask t(path: text, base: text) {\n  http.get(\"{api}/{path}\")\n  http.get(\"{base}/x\")\n  http.get(\"https://{path}.example.org/x\")\n  http.post(\"https://a.partner.example/x\", 1, headers: {\"A\": http.bearer(secret(\"crm_token\"))})\n  http.get(\"https://other.example/{path}\")\n  http.put(\"http://api.example.com/x\", 1)\n  http.delete(\"https://partner.example\", headers: {\"A\": secret(\"crm_tokn\"), \"B\": secret(\"shop\"), \"C\": secret(path)})\n}\n";
        let project = Boundaries {
            is_project: true,
            hosts: Some(vec!["api.example.com", "*.partner.example"].into_iter().filter_map(HostRule::parse).collect()),
            secrets: Some(vec!["crm_token".into()]),
            ..Boundaries::default()
        };
        insta::assert_snapshot!(said(script, project).join("\n"), @r"
        config::reach: `other.example` may not be called: the project allows `api.example.com`, `*.partner.example`
        config::reach: `api.example.com` may not be called: the project allows it with `https` alone
        config::reach: `partner.example` may not be called: the project allows `api.example.com`, `*.partner.example`
        config::missing: the project declares no secret `crm_tokn`
        config::missing: the project declares no secret `shop`
        config::missing: which secret is asked for is not known before the run
        ");
        let alone = Boundaries { hosts: Some(Vec::new()), secrets: Some(Vec::new()), ..Boundaries::default() };
        let one = "task t() {\n  http.get(\"https://api.example.com/x\", headers: {\"A\": secret(\"crm_token\")})\n}\n";
        insta::assert_snapshot!(said(one, alone).join("\n"), @r"
        config::reach: `api.example.com` may not be called: the project allows no host at all
        config::missing: the project declares no secret `crm_token`
        ");
        assert!(said(one, Boundaries::default()).is_empty());
        let checked = check(Source::new("script.rpa", script), &Memory::new());
        assert_eq!(checked.secrets, ["crm_token", "crm_tokn", "shop"]);
    }

    #[test]
    fn what_lies_beyond_the_project_is_found() {
        let script = "task t(day: date, name: text) {\n  let path = \"out/{day}.csv\"\n  file.write(path, \"x\")\n  file.write(\"reports/{day}.csv\", \"x\")\n  file.write(\"reports/../secret.csv\", file.read(\"inbox/a.csv\"))\n  file.write(name, file.read(\"../other/a.csv\"))\n  email.send(to: \"a@example.com\", subject: \"s\", body: \"b\")\n  email.send(to: \"a@elsewhere.example\", subject: \"s\", body: \"b\")\n  email.send(to: name, subject: \"s\", body: \"b\")\n}\n";
        let boundaries = Boundaries {
            is_project: true,
            write: Some(vec!["reports".into()]),
            mail: Some(vec!["example.com".into()]),
            ..Boundaries::default()
        };
        insta::assert_snapshot!(said(script, boundaries).join("\n"), @r"
        config::reach: `out/….csv` may not be written: the project allows `reports`
        config::reach: `reports/../secret.csv` may not be written: the project allows `reports`
        config::reach: `../other/a.csv` may not be read: it lies outside of the project
        config::reach: mail may not go to `a@elsewhere.example`: the project allows `example.com`
        ");
        assert!(said(script, Boundaries::default()).is_empty());
    }
}
