//! Whether a call is allowed: the plugin's description asks for it, and `pipeline.toml` grants it.

use std::fmt::Write as _;

use windlass_pipeline::{Grants, Rule};

use crate::{Authority, CallError, Function, Need, Session};

impl Session {
    /// The grant that allows the call, in words; or the denial.
    pub(crate) fn authorise(&self, function: Function, args: &str) -> Result<Option<String>, CallError> {
        let row = function.row();
        self.asked_for(function)?;
        let needs =
            (row.needs)(args).map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", row.name)))?;
        let Authority::Step(authority) = &self.authority else { return Ok(None) };
        let mut allowed = String::new();
        for need in &needs {
            if need.owned_as.as_ref().is_some_and(|key| self.made.contains(key)) {
                continue;
            }
            match need.any_of.iter().find_map(|want| want.allowed_by(&authority.grants)) {
                Some(rule) => describe(&mut allowed, rule),
                None => return Err(denial(row.name, need, &authority.stage, &authority.step)),
            }
        }
        Ok((!allowed.is_empty()).then_some(allowed))
    }

    /// Whether the plugin's description asks for the capability at all.
    pub(crate) fn asked_for(&self, function: Function) -> Result<(), CallError> {
        let row = function.row();
        match &self.authority {
            Authority::Step(step)
                if !row.asked_as.is_empty() && !step.asked.iter().any(|asked| asked == row.asked_as) =>
            {
                Err(CallError::Denied(format!(
                    "{} was called, but the plugin's description does not ask for `{}`; its author has to say so: by `requires` or `can_use` in Rust, by `uses` in other languages",
                    row.name, row.asked_as
                )))
            }
            _ => Ok(()),
        }
    }
}

fn describe(text: &mut String, rule: &Rule) {
    if !text.is_empty() {
        text.push_str("; ");
    }
    let _ = write!(
        text,
        "{}.{} {:?} at {}:{}",
        rule.capability, rule.verb, rule.text, rule.location.line, rule.location.column
    );
}

fn denial(function: &str, need: &Need, stage: &str, step: &str) -> CallError {
    CallError::Denied(match need.any_of.first() {
        Some(want) if want.verb.is_empty() => format!(
            "{function} is not granted: add `{}` to `grants` of step `{step}` in stage `{stage}`",
            want.capability
        ),
        Some(want) if want.capability == "approval" => {
            format!("{function} is not granted: {}", Grants::denial_hint(&want.demand(), stage, step))
        }
        Some(want) => format!(
            "{function} is not granted for `{}`: {}",
            want.resource,
            Grants::denial_hint(&want.demand(), stage, step)
        ),
        None => format!("{function} is for what the step made itself, and it made nothing of this id"),
    })
}
