//! Secrets that are not where the project says: found before a flow begins, so that none ends in the middle for it.

use super::arguments;
use crate::adapter::secrets::DeclaredSecrets;
use crate::check::capability::flow_secrets;
use crate::check::program::Program;
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::secret::UNSET;
use crate::world::{Project, SecretPlace, Secrets};
use ecow::EcoString;
use std::collections::BTreeSet;

/// The secrets that a flow needs: the one of this name, or the only one that nobody else runs.
pub fn needed(program: &Program, code: &Code, flow: Option<&str>) -> BTreeSet<EcoString> {
    let chosen = arguments::choose(code, flow).ok().and_then(|index| code.flows.get(index));
    chosen.map(|flow| flow_secrets(program, &flow.name)).unwrap_or_default()
}

/// A finding for each of these secrets that can't be had.
pub fn missing(project: &Project, names: &BTreeSet<EcoString>) -> Vec<Finding> {
    let mut secrets = Secrets::new(DeclaredSecrets::new(project.secrets.clone()));
    let mut findings = Vec::new();
    for name in names {
        let Err(error) = secrets.get(name) else { continue };
        let help = match project.secrets.get(name) {
            Some(SecretPlace::Environment(variable)) => {
                format!(
                    "set {variable} for the process that runs the script, or say in `[secrets]` of rpa.toml where it is"
                )
            }
            Some(SecretPlace::File(path)) => {
                format!("write it into {}, or say in `[secrets]` of rpa.toml where it is", path.display())
            }
            None => "say in `[secrets]` of rpa.toml where it is".to_string(),
        };
        let message = format!("the secret `{name}` is not there: {error}");
        findings.push(Finding::without_place(&UNSET, message).note("nothing was begun").help(help));
    }
    findings
}
