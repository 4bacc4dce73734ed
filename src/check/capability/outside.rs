//! Other systems and secrets: those that a script names, held against those that the project knows.

use super::Look;
use crate::check::boundaries::Boundaries;
use crate::check::host::{Refusal, refusal};
use crate::check::program::{Expr, ExprKind, Program};
use crate::finding::{Finding, catalogue::config};
use crate::library::Operation;
use crate::text::nearest;
use crate::value::Value;
use ecow::EcoString;
use std::collections::BTreeSet;

/// What one call reaches beyond of what is allowed and declared.
pub(super) fn beyond(
    look: &Look<'_>,
    operation: Operation,
    arguments: &[Expr],
    boundaries: &Boundaries,
    findings: &mut Vec<Finding>,
) {
    use Operation as O;
    match operation {
        O::HttpGet | O::HttpPost | O::HttpPut | O::HttpPatch | O::HttpDelete => {
            findings.extend(host(look, arguments, boundaries));
        }
        O::Secret => findings.extend(secret(arguments, boundaries)),
        _ => {}
    }
}

/// A host that may not be called. One that is only known at run time is held to the same there.
fn host(look: &Look<'_>, arguments: &[Expr], boundaries: &Boundaries) -> Option<Finding> {
    let (hosts, url) = (boundaries.hosts.as_ref()?, arguments.first()?);
    let address = look.address(url)?;
    let Refusal { why, help } = refusal(&address, hosts)?;
    let finding = Finding::new(&config::REACH, url.span, format!("`{address}` may not be called: {why}"))
        .at("would be refused at run time");
    Some(if boundaries.is_project {
        finding.help(help)
    } else {
        finding.help(format!(
            "a script calls nobody without a project that allows it: write `[reach]` and `hosts = [\"{address}\"]` into \
             an rpa.toml beside it"
        ))
    })
}

/// A secret that the project does not declare, or whose name is not known before the run.
fn secret(arguments: &[Expr], boundaries: &Boundaries) -> Option<Finding> {
    let name = arguments.first()?;
    let Some(known) = literal(name) else {
        return Some(
            Finding::new(&config::MISSING, name.span, "which secret is asked for is not known before the run")
                .at("is no plain text")
                .note("so nobody could say whether it is there before a flow begins")
                .help("write the name itself: `secret(\"crm_token\")`"),
        );
    };
    let declared = boundaries.secrets.as_ref()?;
    if declared.contains(known) {
        return None;
    }
    let finding = Finding::new(&config::MISSING, name.span, format!("the project declares no secret `{known}`"))
        .at("not declared");
    let variable = known.to_uppercase();
    let declare = format!(
        "say in rpa.toml where it is, under `[secrets]`: `{known} = {{ env = \"{variable}\" }}`; what it is stands in \
         no file of the project"
    );
    // No fix: the secret of another system must not go there because its name is near.
    Some(match nearest(known, declared.iter().map(EcoString::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`? If not, {declare}")),
        None => finding.help(declare),
    })
}

fn literal(name: &Expr) -> Option<&EcoString> {
    match &name.kind {
        ExprKind::Value(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// The names of the secrets that a program asks for.
pub fn secrets_of(program: &Program) -> BTreeSet<EcoString> {
    let mut names = BTreeSet::new();
    for body in program.bodies() {
        body.each_expression(&mut |expr| {
            expr.walk(&mut |inner| {
                if let ExprKind::Perform(Operation::Secret, arguments) = &inner.kind {
                    names.extend(arguments.first().and_then(literal).cloned());
                }
            });
        });
    }
    names
}

/// The names of the secrets that a flow asks for, with all that it calls and runs.
pub fn flow_secrets(program: &Program, flow: &str) -> BTreeSet<EcoString> {
    let all = secrets_of(program);
    if all.is_empty() {
        return all;
    }
    let reaches = super::all_reaches(program);
    let mut names = BTreeSet::new();
    let mut seen: BTreeSet<EcoString> = BTreeSet::from([flow.into()]);
    let mut waiting: Vec<EcoString> = vec![flow.into()];
    // Rules may fire in whatever a flow does.
    for rule in &program.reactions {
        let reach = super::reach_of(program, &rule.parts(), &reaches);
        names.extend(reach.secrets);
        waiting.extend(reach.flows.into_iter().filter(|flow| seen.insert(flow.clone())));
    }
    while let Some(name) = waiting.pop() {
        for flow in program.flows.iter().filter(|flow| flow.name == name) {
            let reach = super::reach_of(program, &flow.parts(), &reaches);
            names.extend(reach.secrets);
            waiting.extend(reach.flows.into_iter().filter(|flow| seen.insert(flow.clone())));
        }
    }
    names
}
