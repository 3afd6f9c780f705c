//! `pipeline.lock`: which plugins a pipeline runs, by digest, and what each of its steps was granted.
//!
//! The lock is what somebody has looked at. [`Lock::of`] makes it from plans, [`Lock::against`] tells what has changed
//! since: a plugin with other bytes, or a grant that allows more. What allows less is told, and is no danger.
//!
//! Grants stand in it as the pipeline has them, with its variables filled in and with facts (`${git.short}`) as they
//! are written: otherwise every commit would need a new lock.

mod compare;
mod read;
mod render;

use crate::description::PluginSource;
use crate::grants::Rule;
use crate::plan::{Plan, PlanStep, SecretSource};

pub use compare::{Difference, grant_of};

/// The version of the file's form that is read and written.
const VERSION: i64 = 1;

/// A plugin as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Where the pipeline says that it is.
    pub source: PluginSource,
    /// `sha256:...` of the component.
    pub digest: String,
    /// `sha256:...` of its manifest, for one from a registry.
    pub manifest: Option<String>,
    /// `sha256:...` of the public key with which its signature was verified, if it has to have one.
    pub key: Option<String>,
}

/// What `pipeline.lock` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The pipeline's name.
    pub pipeline: String,
    plugins: Vec<Pinned>,
    steps: Vec<Granted>,
}

/// What a step was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Granted {
    /// `stage/step`.
    step: String,
    /// In this environment; in any that has no entry of its own, without one.
    environment: Option<String>,
    /// To which plugin.
    plugin: String,
    rules: Vec<Entry>,
}

/// A rule, in the form in which it is locked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    /// `docker.push`.
    what: String,
    /// `localhost:5000/storefront`.
    resource: String,
}

impl Lock {
    /// The lock of a pipeline: what each of these plans grants, and these plugins. The plans are of the same pipeline,
    /// in its environments and without one, as far as it can be planned there.
    pub fn of(plans: &[&Plan], plugins: Vec<Pinned>) -> Self {
        let pipeline = plans.first().map(|plan| plan.name.clone()).unwrap_or_default();
        let mut lock = Self { pipeline, plugins, steps: Vec::new() };
        lock.sort();
        // Those without an environment first, so that an environment is told only where it makes a difference.
        let mut all: Vec<Granted> = plans.iter().flat_map(|plan| granted(plan)).collect();
        all.sort_by_key(|one| one.environment.is_some());
        for one in all {
            let known = lock.steps.iter().any(|known| {
                let covers = known.environment.is_none() || known.environment == one.environment;
                covers && (&known.step, &known.plugin, &known.rules) == (&one.step, &one.plugin, &one.rules)
            });
            if !known {
                lock.steps.push(one);
            }
        }
        lock.steps.sort_by(|a, b| (&a.step, &a.environment).cmp(&(&b.step, &b.environment)));
        lock
    }

    /// The lock of a pipeline of which nothing is locked yet.
    pub fn empty(pipeline: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), ..Self::default() }
    }

    /// The plugins that it has.
    pub fn plugins(&self) -> &[Pinned] {
        &self.plugins
    }

    /// What it has of a plugin.
    pub fn plugin(&self, source: &PluginSource) -> Option<&Pinned> {
        self.plugins.iter().find(|pinned| pinned.source == *source)
    }

    /// Pins one plugin, and leaves the rest as it is.
    pub fn pin(&mut self, plugin: Pinned) {
        self.plugins.retain(|known| known.source != plugin.source);
        self.plugins.push(plugin);
        self.sort();
    }

    /// Takes over from another lock what it has of these plugins: their digests, and what is granted to them.
    pub fn take(&mut self, sources: &[PluginSource], from: &Self) {
        let names: Vec<String> = sources.iter().map(ToString::to_string).collect();
        for plugin in from.plugins.iter().filter(|plugin| sources.contains(&plugin.source)) {
            self.pin(plugin.clone());
        }
        let taken: Vec<&Granted> = from.steps.iter().filter(|step| names.contains(&step.plugin)).collect();
        // What such a step was granted with another plugin goes with it.
        self.steps.retain(|step| !names.contains(&step.plugin) && !taken.iter().any(|new| new.step == step.step));
        self.steps.extend(taken.into_iter().cloned());
        self.steps.sort_by(|a, b| (&a.step, &a.environment).cmp(&(&b.step, &b.environment)));
    }

    fn sort(&mut self) {
        self.plugins.sort_by_cached_key(|plugin| plugin.source.to_string());
        self.plugins.dedup_by(|a, b| a.source == b.source);
    }

    /// What it has of a step in an environment.
    fn step(&self, name: &str, environment: Option<&str>) -> Option<&Granted> {
        let of = |environment: Option<&str>| {
            self.steps.iter().find(|step| step.step == name && step.environment.as_deref() == environment)
        };
        of(environment).or_else(|| of(None))
    }
}

/// What a plan grants, step by step.
fn granted(plan: &Plan) -> Vec<Granted> {
    let of = |step: &PlanStep| Granted {
        step: name(plan, step),
        environment: environment(plan, step).map(str::to_owned),
        plugin: plan.plugins.get(step.plugin as usize).map(ToString::to_string).unwrap_or_default(),
        rules: entries(plan, step).into_iter().map(|(entry, _)| entry).collect(),
    };
    plan.steps.iter().filter(|step| !step.grants.rules().is_empty()).map(of).collect()
}

/// `stage/step`.
fn name(plan: &Plan, step: &PlanStep) -> String {
    let stage = plan.stages.get(step.stage as usize).map_or("", |stage| &*stage.name);
    format!("{stage}/{}", step.name)
}

fn environment<'p>(plan: &'p Plan, step: &PlanStep) -> Option<&'p str> {
    plan.stages.get(step.stage as usize)?.environment.as_deref()
}

/// The rules of a step, each once.
fn entries<'p>(plan: &Plan, step: &'p PlanStep) -> Vec<(Entry, &'p Rule)> {
    let mut found: Vec<(Entry, &Rule)> = Vec::new();
    for rule in step.grants.rules() {
        let entry = Entry::of(rule, plan);
        if !found.iter().any(|(known, _)| *known == entry) {
            found.push((entry, rule));
        }
    }
    found
}

impl Entry {
    fn of(rule: &Rule, plan: &Plan) -> Self {
        let what = format!("{}.{}", rule.capability, rule.verb);
        // A name alone says nothing of what the secret is: it could be any file by tomorrow.
        let source = (rule.capability == "secrets").then(|| plan.secrets.get(&*rule.text)).flatten();
        let resource = match source {
            Some(SecretSource::Env(variable)) => format!("{} = env:{variable}", rule.written()),
            Some(SecretSource::File(path)) => format!("{} = file:{path}", rule.written()),
            None => rule.written().to_owned(),
        };
        Self { what, resource }
    }

    /// As it stands in the file.
    fn parse(text: &str) -> Option<Self> {
        let (what, resource) = text.split_once(' ')?;
        what.split_once('.')?;
        Some(Self { what: what.to_owned(), resource: resource.to_owned() })
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.what, self.resource)
    }
}
