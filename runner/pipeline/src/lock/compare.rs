//! A plan against the lock: what changed since somebody looked.

use std::fmt;

use serde::Serialize;

use super::{Entry, Granted, Lock, Pinned, entries, environment, name};
use crate::description::PluginSource;
use crate::grants::{Demand, Grants, Pattern, Rule, vocabulary};
use crate::plan::{Plan, PlanStep};
use crate::source::Location;
use crate::suggest::tame;
use crate::text;

/// A rule of a plan, as [`Difference::Wider`] tells it.
pub fn grant_of(plan: &Plan, rule: &Rule) -> String {
    Entry::of(rule, plan).to_string()
}

/// Something that is not as the lock has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Difference {
    /// The lock is that of another pipeline.
    OtherPipeline { locked: String, found: String },
    /// A plugin that the lock does not know.
    NewPlugin { plugin: PluginSource, digest: Option<String> },
    /// A plugin with other bytes.
    OtherDigest { plugin: PluginSource, locked: String, found: String },
    /// A plugin whose signature has to be verified with a key, and was not when it was locked.
    Unverified { plugin: PluginSource },
    /// A plugin that had to be signed with a key when it was locked, and no longer has to. The lock pins its very bytes,
    /// so this lets nothing new run until the plugin is updated.
    NoLongerSigned { plugin: PluginSource },
    /// What was granted to one plugin is now granted to another.
    OtherPlugin { step: String, locked: String, found: String, at: Location },
    /// A step may do what it could not do before.
    Wider { step: String, grant: String, at: Location },
    /// A step can no longer do what it could do.
    Narrower { step: String, grant: String },
    /// A plugin that the pipeline no longer has.
    Gone { plugin: PluginSource },
}

impl Difference {
    /// Whether it lets something run, or lets something be done, that nobody has looked at.
    pub fn widens(&self) -> bool {
        !matches!(self, Self::NoLongerSigned { .. } | Self::Narrower { .. } | Self::Gone { .. })
    }

    /// Where in the pipeline it stands, if it does.
    pub fn location(&self) -> Option<Location> {
        match self {
            Self::Wider { at, .. } | Self::OtherPlugin { at, .. } => Some(*at),
            _ => None,
        }
    }
}

/// In one line, with a sign before it: what is new, what changed, what is gone.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match self {
            Self::OtherPipeline { locked, found } => {
                format!("~ the lock is that of pipeline `{locked}`, and this one is `{found}`")
            }
            Self::NewPlugin { plugin, digest: Some(digest) } => {
                format!("+ plugin {plugin} is not in the lock: {}", short(digest))
            }
            Self::NewPlugin { plugin, digest: None } => format!("+ plugin {plugin} is not in the lock"),
            Self::OtherDigest { plugin, locked, found } => {
                format!("~ plugin {plugin} was {}, and is {}", short(locked), short(found))
            }
            Self::Unverified { plugin } => format!("~ plugin {plugin} was not locked as signed with its key"),
            Self::NoLongerSigned { plugin } => {
                format!("- plugin {plugin} no longer has to be signed")
            }
            Self::OtherPlugin { step, locked, found, .. } => {
                format!("~ step {step} was granted to {locked}, and is to {found}")
            }
            Self::Wider { step, grant, .. } => format!("+ step {step} may {grant}"),
            Self::Narrower { step, grant } => format!("- step {step} may no longer {grant}"),
            Self::Gone { plugin } => format!("- plugin {plugin} is no longer used"),
        };
        tame(&mut text);
        f.write_str(&text)
    }
}

/// Enough of a digest to tell two apart.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

impl Lock {
    /// What changed, the dangerous first.
    pub fn against(&self, plan: &Plan, plugins: &[Pinned]) -> Vec<Difference> {
        let mut found = self.plugins_against(plugins);
        if self.pipeline != plan.name {
            let (locked, name) = (self.pipeline.clone(), plan.name.clone());
            found.insert(0, Difference::OtherPipeline { locked, found: name });
        }
        for step in &plan.steps {
            self.step_against(plan, step, &mut found);
        }
        for known in &self.steps {
            let is_there = plan.steps.iter().any(|step| name(plan, step) == known.step);
            if !is_there {
                narrower(known, &[], &mut found);
            }
        }
        for plugin in &self.plugins {
            if !plugins.iter().any(|now| now.source == plugin.source) {
                found.push(Difference::Gone { plugin: plugin.source.clone() });
            }
        }
        found.sort_by_key(|one| !one.widens());
        found
    }

    /// What is not as the lock has it of these plugins.
    pub fn plugins_against(&self, plugins: &[Pinned]) -> Vec<Difference> {
        let of = |now: &Pinned| match self.plugin(&now.source) {
            None => Some(Difference::NewPlugin { plugin: now.source.clone(), digest: Some(now.digest.clone()) }),
            Some(locked) if locked.digest != now.digest => Some(Difference::OtherDigest {
                plugin: now.source.clone(),
                locked: locked.digest.clone(),
                found: now.digest.clone(),
            }),
            Some(locked) if now.key.is_some() && locked.key != now.key => {
                Some(Difference::Unverified { plugin: now.source.clone() })
            }
            Some(locked) if locked.key.is_some() && now.key.is_none() => {
                Some(Difference::NoLongerSigned { plugin: now.source.clone() })
            }
            Some(_) => None,
        };
        plugins.iter().filter_map(of).collect()
    }

    fn step_against(&self, plan: &Plan, step: &PlanStep, found: &mut Vec<Difference>) {
        let (full, rules) = (name(plan, step), entries(plan, step));
        let locked = self.step(&full, environment(plan, step));
        let plugin = plan.plugins.get(step.plugin as usize).map(ToString::to_string).unwrap_or_default();
        if let Some(locked) = locked.filter(|locked| locked.plugin != plugin && !rules.is_empty()) {
            let at = step.location;
            found.push(Difference::OtherPlugin {
                step: full.clone(),
                locked: locked.plugin.clone(),
                found: plugin,
                at,
            });
        }
        let known = locked.map_or(&[][..], |locked| &locked.rules);
        let mut allowed = None;
        for (entry, rule) in &rules {
            let covered = known.contains(entry) || allows(allowed.get_or_insert_with(|| grants_of(known)), entry, rule);
            if !covered {
                let at = step.granted_at(rule);
                found.push(Difference::Wider { step: full.clone(), grant: entry.to_string(), at });
            }
        }
        if let Some(locked) = locked {
            let rules: Vec<&Entry> = rules.iter().map(|(entry, _)| entry).collect();
            narrower(locked, &rules, found);
        }
    }
}

fn narrower(locked: &Granted, now: &[&Entry], found: &mut Vec<Difference>) {
    for rule in locked.rules.iter().filter(|rule| !now.contains(rule)) {
        found.push(Difference::Narrower { step: locked.step.clone(), grant: rule.to_string() });
    }
}

/// Whether locked rules allow all that a rule allows. Only for one without a `*`: what a pattern covers is compared by
/// its text alone.
fn allows(locked: &Grants, entry: &Entry, rule: &Rule) -> bool {
    let single = !entry.resource.contains('*') && text::is_plain(&entry.resource);
    single && locked.allows(&Demand::new(rule.capability, rule.verb, entry.resource.as_str())).is_some()
}

/// Locked rules, as far as they mean the same in every run, and as far as what they allow can be told from whether they
/// allow the text of another rule: a folder has all that is beneath it, a repository all of its tags.
fn grants_of(locked: &[Entry]) -> Grants {
    let rule = |entry: &Entry| {
        let (capability, verb) = entry.what.split_once('.')?;
        let row = vocabulary::verb(capability, verb).filter(|_| text::is_plain(&entry.resource))?;
        let pattern = Pattern::parse(row.kind, &entry.resource).ok()?;
        let whole = match &pattern {
            Pattern::Folder(_) | Pattern::Name(_) | Pattern::Exact(_) => true,
            Pattern::Repository(repository) => repository.has_all_tags(),
            Pattern::Port(_) | Pattern::Url(_) => false,
        };
        let text = entry.resource.as_str().into();
        let (capability, verb) = (row.capability, row.verb);
        whole.then(|| Rule { capability, verb, pattern, text, written: None, location: Location::default() })
    };
    Grants::new(locked.iter().filter_map(rule).collect(), Location::default())
}
