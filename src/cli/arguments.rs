//! What `rpa run` is told behind the script: which flow, and its arguments.

use crate::check::program::{RecordType, Type};
use crate::compile::code::Code;
use crate::compile::flow::{FlowCode, FlowInstruction, StepAction};
use crate::finding::Finding;
use crate::finding::catalogue::{cli, policy};
use crate::flow::{Names, RunFailure, Worker};
use crate::text::nearest;
use crate::value::parse::{self, Numbers, ParseError};
use crate::value::{Currency, Value};
use serde_json::Value as Json;
use std::collections::HashSet;

/// The flow to run: the one that is named, else `main`, else the only one of the script's own flows that no other
/// runs or starts.
///
/// # Errors
/// [`cli::WHICH_FLOW`].
pub fn choose(code: &Code, wanted: Option<&str>) -> Result<usize, Box<Finding>> {
    let is_own = |index: &usize| {
        let source = code.flows.get(*index).and_then(|flow| code.sources.get(flow.span.source));
        source.is_some_and(|source| !source.is_library)
    };
    // What triggers became is not run by hand.
    let is_trigger = |index: &usize| code.triggers.iter().any(|trigger| trigger.flow == *index);
    let own: Vec<usize> = (0..code.flows.len()).filter(|index| is_own(index) && !is_trigger(index)).collect();
    let name = |index: &usize| code.flows.get(*index).map(|flow| flow.name.as_str()).unwrap_or_default();
    let finding = |message: String| Finding::without_place(&cli::WHICH_FLOW, message);
    if let Some(wanted) = wanted {
        if let Some(index) = own.iter().find(|index| name(index) == wanted) {
            return Ok(*index);
        }
        let finding = finding(format!("the script has no flow `{wanted}`"));
        return Err(Box::new(match nearest(wanted, own.iter().map(name)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("it has {}", listed(own.iter().map(name)))),
        }));
    }
    if let Some(index) = own.iter().find(|index| name(index) == "main") {
        return Ok(*index);
    }
    let mut called = HashSet::new();
    for (index, flow) in code.flows.iter().enumerate().filter(|(index, _)| !is_trigger(index)) {
        let steps = flow.steps.iter().filter_map(|step| match step.body {
            StepAction::Run(flow, _) | StepAction::Start(flow, _) => Some(flow),
            _ => None,
        });
        let instructions = flow.instructions.iter().filter_map(|instruction| match instruction {
            FlowInstruction::Run(flow, _) | FlowInstruction::Start(flow, _) => Some(*flow),
            _ => None,
        });
        // A flow that runs itself is not thereby another's.
        called.extend(instructions.chain(steps).map(|flow| flow as usize).filter(|called| *called != index));
    }
    let first: Vec<usize> = own.iter().copied().filter(|index| !called.contains(index)).collect();
    match (first.as_slice(), own.as_slice()) {
        ([only], _) | ([], [only]) => Ok(*only),
        (_, []) => Err(Box::new(
            finding("the script has no flow".to_string()).help("`rpa run` runs a flow: `flow name() { … }`"),
        )),
        ([], several) | (several, _) => {
            let message = format!("the script has several flows: {}", listed(several.iter().map(name)));
            let help = format!("name one: `--flow {}`", several.first().map(name).unwrap_or_default());
            Err(Box::new(finding(message).help(help)))
        }
    }
}

/// Whether a run of a flow may be begun from outside: not where a policy is kept by those alone that run it.
///
/// # Errors
/// [`policy::NOT_ALONE`].
pub fn may_begin(code: &Code, flow: usize) -> Result<(), Box<Finding>> {
    let Some((_, policy)) = code.kept_by_callers.iter().find(|(kept, _)| *kept == flow) else { return Ok(()) };
    let name = code.flows.get(flow).map(|flow| flow.name.as_str()).unwrap_or_default();
    let message =
        format!("the flow `{name}` can't be begun by itself: the flows that run it keep the policy `{policy}` for it");
    let finding = Finding::without_place(&policy::NOT_ALONE, message);
    Err(Box::new(
        finding.help(format!("run a flow that runs `{name}`, or let `{name}` itself do what the policy requires")),
    ))
}

/// The arguments of a flow with its defaults, which are evaluated here.
///
/// # Errors
/// The failure of a default, as a finding.
pub fn complete(
    values: Vec<Option<Value>>,
    flow: &FlowCode,
    worker: &mut dyn Worker,
    code: &Code,
    names: &Names,
) -> Result<Vec<Value>, Box<Finding>> {
    let mut complete = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let default = flow.parameter_defaults.get(index).copied().flatten();
        complete.push(match (value, default) {
            (Some(value), _) => value,
            (None, Some(default)) => worker
                .evaluate(default, &mut Vec::new())
                .map_err(|failure| Box::new(RunFailure::new(failure, code, names).finding(&code.sources)))?,
            (None, None) => Value::None,
        });
    }
    Ok(complete)
}

/// The arguments of a flow: one for each parameter, none where its default shall be taken.
///
/// # Errors
/// Everything that does not fit, each a [`cli::ARGUMENT`].
pub fn read(
    given: &[String],
    flow: &FlowCode,
    code: &Code,
    currency: Option<Currency>,
) -> Result<Vec<Option<Value>>, Vec<Finding>> {
    let reader = Reader { code, currency };
    let mut values: Vec<Option<Value>> = vec![None; flow.parameters.len()];
    let mut findings = Vec::new();
    let finding = |message: String| Finding::without_place(&cli::ARGUMENT, message);
    let names = || flow.parameters.iter().map(|name| name.as_str());
    let takes = || match flow.parameters.as_slice() {
        [] => format!("`{}` takes no arguments", flow.name),
        _ => format!("`{}` takes {}", flow.name, listed(names())),
    };
    for (position, text) in given.iter().enumerate() {
        let (index, text) = match named(text, flow) {
            Some((index, value)) => (index, value),
            None if position < flow.parameters.len() => match unknown_name(text) {
                Some(name) => {
                    let finding = finding(format!("the flow has no parameter `{name}`"));
                    findings.push(match nearest(name, names()) {
                        Some(near) => finding.help(format!("did you mean `{near}`?")),
                        None => finding.help(takes()),
                    });
                    continue;
                }
                None => (position, text.as_str()),
            },
            None => {
                findings.push(finding(format!("there is no parameter for `{text}`")).help(takes()));
                continue;
            }
        };
        let (Some(slot), Some(name)) = (values.get_mut(index), flow.parameters.get(index)) else { continue };
        if slot.is_some() {
            findings.push(finding(format!("`{name}` is given twice")));
            continue;
        }
        let ty = flow.parameter_types.get(index).unwrap_or(&Type::Unknown);
        match reader.value(text, ty) {
            Ok(value) => *slot = Some(value),
            Err(reason) => {
                // What was given and does not fit is not missing as well.
                *slot = Some(Value::None);
                findings.push(finding(format!("`{name}`: {reason}")));
            }
        }
    }
    for (index, (value, name)) in values.iter().zip(&flow.parameters).enumerate() {
        let has_default = flow.parameter_defaults.get(index).is_some_and(Option::is_some);
        if value.is_none() && !has_default {
            let example = flow.parameter_types.get(index).map(|ty| reader.example(ty)).unwrap_or_default();
            let help = format!("write `{name}={example}`");
            findings.push(finding(format!("`{}` needs `{name}`", flow.name)).help(help));
        }
    }
    if findings.is_empty() { Ok(values) } else { Err(findings) }
}

/// `name=value` with the name of a parameter.
fn named<'t>(text: &'t str, flow: &FlowCode) -> Option<(usize, &'t str)> {
    let (name, value) = text.split_once('=')?;
    let index = flow.parameters.iter().position(|parameter| parameter == name)?;
    Some((index, value))
}

/// What looks like a name before a `=`. A text that begins so is given with the name of its parameter.
fn unknown_name(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    let mut chars = name.chars();
    let fits =
        chars.next().is_some_and(|first| first.is_alphabetic()) && chars.all(|c| c.is_alphanumeric() || c == '_');
    fits.then_some(name)
}

fn listed<'t>(names: impl Iterator<Item = &'t str>) -> String {
    let quoted: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".to_string(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Reads values of any type.
struct Reader<'p> {
    code: &'p Code,
    currency: Option<Currency>,
}

impl Reader<'_> {
    fn value(&self, text: &str, ty: &Type) -> Result<Value, String> {
        let said = |error: ParseError| error.to_string();
        match ty {
            Type::Text => Ok(Value::from(text)),
            Type::Bool => parse::bool(text).map(Value::from).map_err(said),
            Type::Int => parse::int(text, Numbers::Point).map(Value::from).map_err(said),
            Type::Decimal => parse::decimal(text, Numbers::Point).map(Value::from).map_err(said),
            Type::Percent => parse::percent(text, Numbers::Point).map(Value::Percent).map_err(said),
            Type::Money(known) => {
                let money = parse::money(text, Numbers::Point, known.or(self.currency)).map_err(said)?;
                match known {
                    Some(known) if *known != money.currency => Err(format!("`{text}` is not in {known}")),
                    _ => Ok(Value::from(money)),
                }
            }
            Type::Date => parse::date(text, None).map(Value::from).map_err(said),
            Type::Time => parse::time(text).map(Value::from).map_err(said),
            Type::Instant => parse::instant(text).map(Value::from).map_err(said),
            Type::Duration => parse::duration(text).map(Value::from).map_err(said),
            Type::Enum(id) => {
                let Some(ty) = self.code.enums.get(id.0 as usize) else { return Err("unknown type".to_string()) };
                match ty.members.iter().position(|member| member == text) {
                    Some(member) => Ok(Value::member(*id, u16::try_from(member).unwrap_or(u16::MAX))),
                    None => Err(format!("`{text}` is none of {}", listed(ty.members.iter().map(|each| each.as_str())))),
                }
            }
            Type::Optional(inner) => match text {
                "" | "none" => Ok(Value::None),
                text => self.value(text, inner),
            },
            Type::Reference(id) => match self.record(*id).and_then(|record| record.fields.get(record.key?)) {
                Some(key) => Ok(Value::reference(*id, self.value(text, &key.ty)?)),
                None => Err("unknown type".to_string()),
            },
            Type::List(_) | Type::Map(..) | Type::Record(_) => {
                let json: Json = serde_json::from_str(text)
                    .map_err(|error| format!("this is written as JSON, such as `{}`: {error}", self.example(ty)))?;
                self.json(&json, ty)
            }
            _ => Err("a value of this type can't be written down".to_string()),
        }
    }

    fn json(&self, json: &Json, ty: &Type) -> Result<Value, String> {
        match (ty, json) {
            (Type::Optional(_), Json::Null) => Ok(Value::None),
            (Type::Optional(inner), json) => self.json(json, inner),
            (Type::List(inner), Json::Array(items)) => {
                items.iter().map(|item| self.json(item, inner)).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
            (Type::Map(key, value), Json::Object(entries)) => {
                let entry = |(name, json): (&String, &Json)| Ok((self.value(name, key)?, self.json(json, value)?));
                entries.iter().map(entry).collect::<Result<Vec<_>, String>>().map(Value::map)
            }
            (Type::Record(id), Json::Object(entries)) => {
                let Some(record) = self.record(*id) else { return Err("unknown type".to_string()) };
                if let Some(name) = entries.keys().find(|name| record.fields.iter().all(|field| field.name != **name)) {
                    return Err(format!("`{}` has no field `{name}`", record.name));
                }
                let field = |field: &crate::check::program::Field| match entries.get(field.name.as_str()) {
                    Some(json) => self.json(json, &field.ty).map_err(|reason| format!("`{}`: {reason}", field.name)),
                    None if matches!(field.ty, Type::Optional(_)) => Ok(Value::None),
                    None => Err(format!("`{}` needs the field `{}`", record.name, field.name)),
                };
                let fields = record.fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::record(*id, fields))
            }
            (Type::List(_) | Type::Map(..) | Type::Record(_), json) => {
                Err(format!("`{json}` is written as JSON such as `{}`", self.example(ty)))
            }
            (ty, Json::String(text)) => self.value(text, ty),
            // `12.5` stands for itself; its text is what was written.
            (Type::Int | Type::Decimal | Type::Bool | Type::Money(_), Json::Number(_) | Json::Bool(_)) => {
                self.value(&json.to_string(), ty)
            }
            (ty, json) => Err(format!("`{json}` is not written like `{}`", self.example(ty))),
        }
    }

    fn record(&self, id: crate::value::RecordId) -> Option<&RecordType> {
        self.code.records.get(id.0 as usize)
    }

    /// How a value of the type may be written.
    fn example(&self, ty: &Type) -> String {
        let text = match ty {
            Type::Text => "…",
            Type::Bool => "yes",
            Type::Int => "42",
            Type::Decimal => "1.5",
            Type::Percent => "15%",
            Type::Money(_) => "99.90 EUR",
            Type::Date => "2026-11-22",
            Type::Time => "06:00",
            Type::Instant => "2026-11-22T06:00Z",
            Type::Duration => "3 days",
            Type::Enum(id) => {
                let member = self.code.enums.get(id.0 as usize).and_then(|ty| ty.members.first());
                member.map_or("…", |member| member.as_str())
            }
            Type::Optional(inner) => return self.example(inner),
            Type::List(_) => "[…]",
            Type::Map(..) | Type::Record(_) => "{…}",
            _ => "…",
        };
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::program::{Effect, EnumType, Field};
    use crate::compile::code::ChunkId;
    use crate::text::Span;
    use crate::value::{EnumId, NoNames, RecordId, display};

    fn code() -> Code {
        let field = |name: &str, ty: Type| Field {
            name: name.into(),
            ty,
            label: None,
            unique: false,
            index: false,
            default: None,
            documentation: Default::default(),
            span: Span::default(),
        };
        Code {
            enums: vec![EnumType {
                name: "Tier".into(),
                members: vec!["gold".into(), "silver".into()],
                documentation: Default::default(),
                span: Span::default(),
            }],
            records: vec![RecordType {
                name: "Row".into(),
                fields: vec![field("sku", Type::Text), field("price", Type::Optional(Type::Money(None).into()))],
                key: Some(0),
                documentation: Default::default(),
                span: Span::default(),
            }],
            ..Code::default()
        }
    }

    fn reader(code: &Code) -> Reader<'_> {
        Reader { code, currency: None }
    }

    fn shown(text: &str, ty: Type) -> String {
        let code = code();
        reader(&code).value(text, &ty).map_or_else(|error| error, |value| display(&value, &NoNames))
    }

    #[test]
    fn values_are_read_by_their_type() {
        assert_eq!(shown("a=b", Type::Text), "a=b");
        assert_eq!(shown("12 EUR", Type::Money(None)), "12.00 EUR");
        assert_eq!(shown("12", Type::Money(Some(Currency::EUR))), "12.00 EUR");
        assert_eq!(shown("12 USD", Type::Money(Some(Currency::EUR))), "`12 USD` is not in EUR");
        assert_eq!(shown("none", Type::Optional(Type::Int.into())), "none");
        assert_eq!(shown("[1, 2]", Type::List(Type::Int.into())), "[1, 2]");
        assert_eq!(
            shown(r#"{"a": "3 days"}"#, Type::Map(Type::Text.into(), Type::Duration.into())),
            r#"{"a": 3 days}"#
        );
        assert_eq!(
            shown(r#"{"sku": "A1", "price": "5 EUR"}"#, Type::Record(RecordId(0))),
            r#"?(?: "A1", ?: 5.00 EUR)"#
        );
        assert_eq!(shown("c1", Type::Reference(RecordId(0))), r#"?("c1")"#);
        let code = code();
        let member = reader(&code).value("silver", &Type::Enum(EnumId(0)));
        assert_eq!(member, Ok(Value::member(EnumId(0), 1)));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let said = [
            shown("bronze", Type::Enum(EnumId(0))),
            shown("[1", Type::List(Type::Int.into())),
            shown("5", Type::List(Type::Int.into())),
            shown("[\"x\"]", Type::List(Type::Int.into())),
            shown("[1.5]", Type::List(Type::Int.into())),
            shown("{}", Type::Record(RecordId(0))),
            shown(r#"{"sku": "A1", "prize": 1}"#, Type::Record(RecordId(0))),
            shown(r#"{"sku": "A1", "price": 1}"#, Type::Record(RecordId(0))),
            shown(r#"{"sku": [1]}"#, Type::Record(RecordId(0))),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        `bronze` is none of `gold` and `silver`
        this is written as JSON, such as `[…]`: EOF while parsing a list at line 1 column 2
        `5` is written as JSON such as `[…]`
        `x` is not a whole number such as 42
        `1.5` is not a whole number such as 42: it has a fraction
        `Row` needs the field `sku`
        `Row` has no field `prize`
        `price`: `1` is not an amount such as 99.90 EUR: the currency is missing
        `sku`: `[1]` is not written like `…`
        ");
    }

    fn flow(name: &str, instructions: Vec<FlowInstruction>) -> FlowCode {
        FlowCode {
            name: name.into(),
            parameters: vec!["path".into(), "times".into()],
            parameter_types: vec![Type::Text, Type::Int],
            parameter_defaults: vec![None, Some(ChunkId(0))],
            hidden: Default::default(),
            result: Type::Nothing,
            frame: 0,
            key: None,
            at_most: None,
            priority: None,
            deadline: None,
            instructions,
            spans: Vec::new(),
            steps: Vec::new(),
            effect: Effect::Pure,
            span: Span::default(),
        }
    }

    #[test]
    fn the_flow_that_no_other_runs_is_the_first() {
        let run = |flow| FlowInstruction::Run(flow, ChunkId(0));
        let chosen = |flows: Vec<FlowCode>, wanted| {
            let mut code = Code { flows, ..Code::default() };
            code.sources.add(crate::text::Source::new("a.rpa", ""));
            choose(&code, wanted)
                .map_err(|finding| format!("{} ({})", finding.message, finding.help.unwrap_or_default()))
        };
        let two = || vec![flow("part", vec![]), flow("whole", vec![run(0), run(1)])];
        assert_eq!(chosen(two(), None), Ok(1));
        assert_eq!(chosen(two(), Some("part")), Ok(0));
        let said = [
            chosen(two(), Some("prat")),
            chosen(vec![flow("a", vec![]), flow("b", vec![])], None),
            chosen(vec![flow("a", vec![run(1)]), flow("b", vec![run(0)])], None),
            chosen(vec![], None),
        ];
        let said: Vec<_> = said.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        the script has no flow `prat` (did you mean `part`?)
        the script has several flows: `a` and `b` (name one: `--flow a`)
        the script has several flows: `a` and `b` (name one: `--flow a`)
        the script has no flow (`rpa run` runs a flow: `flow name() { … }`)
        ");
    }

    fn given(arguments: &[&str]) -> Result<Vec<Option<Value>>, String> {
        let given: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        read(&given, &flow("import", Vec::new()), &code(), None).map_err(|findings| {
            let lines =
                findings.iter().map(|each| format!("{} ({})", each.message, each.help.as_deref().unwrap_or("")));
            lines.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn arguments_stand_in_order_or_by_name() {
        let path = Some(Value::from("a.csv"));
        assert_eq!(given(&["a.csv"]), Ok(vec![path.clone(), None]));
        assert_eq!(given(&["a.csv", "3"]), Ok(vec![path.clone(), Some(Value::Int(3))]));
        assert_eq!(given(&["times=3", "path=a.csv"]), Ok(vec![path, Some(Value::Int(3))]));
    }

    #[test]
    fn arguments_that_do_not_fit_are_all_said() {
        let said = [
            given(&[]).unwrap_err(),
            given(&["a.csv", "many", "more"]).unwrap_err(),
            given(&["paht=a.csv"]).unwrap_err(),
            given(&["a.csv", "path=b.csv"]).unwrap_err(),
        ];
        insta::assert_snapshot!(said.join("\n--\n"), @r"
        `import` needs `path` (write `path=…`)
        --
        `times`: `many` is not a whole number such as 42 ()
        there is no parameter for `more` (`import` takes `path` and `times`)
        --
        the flow has no parameter `paht` (did you mean `path`?)
        `import` needs `path` (write `path=…`)
        --
        `path` is given twice ()
        ");
    }
}
