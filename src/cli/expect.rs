//! `rpa run --expect`: a run that is held to a plan.

use super::{account, plan, world};
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::{cli, plan as codes};
use crate::flow::{Broken, Names, Worker};
use crate::plan::{Deed, Held, Plan, PlannedEffect, Refusal};
use crate::value::{EcoString, Value};
use crate::world::{EffectWatch, Project, StoreError, World};
use std::path::{Path, PathBuf};

/// How large the file of a plan may be: 256 MiB.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A plan, and what waits for the end of the run that is held to it.
pub struct Expectation {
    path: PathBuf,
    plan: Plan,
    held: Held,
}

impl Expectation {
    /// Reads a plan of a flow; from here on the world holds everything back, and refuses what the plan does not have.
    ///
    /// # Errors
    /// When there is no such file, or it is no plan, or one of another flow or version; and when the store fails.
    pub fn begin(path: &Path, code: &Code, flow: usize, world: &mut World) -> Result<Expectation, Box<Finding>> {
        let plan = read(path)?;
        let unfit = |what: String| unfit(path, &what);
        let name = code.flows.get(flow).map_or("", |flow| flow.name.as_str());
        if plan.flow != name {
            return Err(unfit(format!("is a plan of `{}`, not of `{name}`", account::clean(&plan.flow))));
        }
        if plan.version != code.version {
            return Err(unfit("was made with another version of the script".to_string()));
        }
        let held = Held::begin(world, code, Some(&plan.effects)).map_err(store_failed)?;
        Ok(Expectation { path: path.to_path_buf(), plan, held })
    }

    /// Holds the arguments against those of the plan.
    ///
    /// # Errors
    /// When they are others.
    pub fn check_arguments(&self, values: &[Value], names: &Names) -> Result<(), Box<Finding>> {
        let given = plan::shown(values, names);
        if self.plan.arguments == given {
            return Ok(());
        }
        let listed =
            |arguments: &[EcoString]| arguments.iter().map(|each| account::clean(each)).collect::<Vec<_>>().join(", ");
        let made_for = format!("was made for ({}), not for ({})", listed(&self.plan.arguments), listed(&given));
        Err(unfit(&self.path, &made_for))
    }

    /// Who hears of the effects.
    pub fn watch(&self) -> Box<dyn EffectWatch> {
        Box::new(self.held.recorder())
    }

    /// Ends the run: puts everything on disk when `ended_well` and nothing was refused, else takes all of it back.
    ///
    /// # Errors
    /// What was refused, and when the store or a file fails.
    pub fn settle(
        &self,
        ended_well: bool,
        worker: &mut dyn Worker,
        project: &Project,
        script: &str,
    ) -> Result<(), Box<Finding>> {
        if let Some(refusal) = self.held.refused() {
            self.held.take_back(worker).map_err(store_failed)?;
            return Err(Box::new(told(&refusal, &self.held.recorder().calls(), script)));
        }
        if !ended_well {
            return self.held.take_back(worker).map(|_| ()).map_err(store_failed);
        }
        self.held.keep(worker, &mut *world::files(project)).map_err(store_failed)
    }
}

fn read(path: &Path) -> Result<Plan, Box<Finding>> {
    let unreadable = |what: &dyn std::fmt::Display| {
        let message = format!("the plan `{}` can't be read: {what}", path.display());
        Box::new(Finding::without_place(&cli::INPUT, message))
    };
    if std::fs::metadata(path).map_err(|error| unreadable(&error))?.len() > LARGEST {
        return Err(unreadable(&"it is larger than 256 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| unfit(path, &format!("is no plan: {error}")))?;
    if plan.plan != Plan::FORM {
        let what = format!("has form {} of plans; this is rpa for form {}", plan.plan, Plan::FORM);
        return Err(unfit(path, &what));
    }
    Ok(plan)
}

fn unfit(path: &Path, what: &str) -> Box<Finding> {
    let help = "make one with `rpa plan SCRIPT --format json > plan.json`, with the same flow and arguments";
    Box::new(Finding::without_place(&codes::UNFIT, format!("`{}` {what}", path.display())).help(help))
}

fn store_failed(error: StoreError) -> Box<Finding> {
    Box::new(Broken::from(error).finding())
}

/// The effect that the plan did not have, beside what it had for the same record.
fn told(refusal: &Refusal, calls: &[PlannedEffect], script: &str) -> Finding {
    let effect = &refusal.effect;
    let finding = Finding::without_place(&codes::UNEXPECTED, format!("the plan did not have this: {}", words(effect)));
    let finding = match &refusal.planned {
        Some(planned) if planned == effect => finding.note("the plan has it, but not so often"),
        Some(planned) => finding.note(format!("the plan had: {}", words(planned))),
        None => finding,
    };
    let stays = match calls {
        [] => "nothing of this run was done".to_string(),
        calls => {
            let calls = calls.iter().map(words).collect::<Vec<_>>().join("; ");
            format!(
                "nothing of this run was kept, but these calls were made by then, and nobody takes them back: {calls}"
            )
        }
    };
    finding
        .note(stays)
        .help(format!("see what has changed with `rpa plan {script}`, and make a new plan if that is what you want"))
}

/// `change Product LAMP, stock: 5 → 3`
fn words(effect: &PlannedEffect) -> String {
    let head = match effect.deed {
        Deed::Mail => format!("mail to {}: {}", effect.what, effect.which),
        Deed::Move => format!("move {} to {}", effect.what, effect.which),
        Deed::Call => format!("call of {}: {}", effect.what, effect.which),
        deed => format!("{} {} {}", deed.word(), effect.what, effect.which),
    };
    let fields = effect.fields.iter().map(|field| format!(", {}", crate::plan::change(field)));
    account::clean(&std::iter::once(head.trim_end().to_string()).chain(fields).collect::<String>())
}
