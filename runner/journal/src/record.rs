//! What the journal holds: one typed record for everything that happens in a run.
//!
//! Records of parallel steps interleave as they happen. Order within a step is total and is given
//! by the ordinals of its calls, so a reader never depends on the interleaving.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A step's place in the plan; [`StepIndex::HOST`] stands for the host itself as an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepIndex(pub u32);

impl StepIndex {
    /// The host as an actor: services, clean-up and publishing that the engine does itself.
    pub const HOST: Self = Self(u32::MAX);
}

/// A stage's place in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageIndex(pub u32);

/// Which call: the same in every run of the same plan, however parallel steps interleave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    /// The step that made the call.
    pub step: StepIndex,
    /// Which attempt of the step, from 1.
    pub attempt: u32,
    /// Which call of the attempt, from 0.
    pub ordinal: u32,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It did what it was asked for.
    Succeeded,
    /// It did not.
    Failed,
    /// It was never started, because something it needs failed or the run was cancelled.
    Skipped,
    /// A person, a signal or a failing sibling ended it.
    Cancelled,
}

/// Why something failed, by who has to act; the command line turns it into its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The work itself failed: a build error, a failing check, a plugin's own verdict.
    Failed,
    /// A call was not granted, or would have been unsafe.
    Denied,
    /// The world is not there: no Docker, no registry.
    Unavailable,
    /// The plugin broke: a trap, out of memory, out of fuel, too many calls.
    Plugin,
    /// A time limit passed.
    TimedOut,
    /// Windlass itself could not go on: the journal's disk is full, say.
    Host,
}

/// What went wrong, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who has to act.
    pub kind: FailureKind,
    /// What failed and why.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Where a log chunk came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// The plugin's own log, and messages of the host about the step.
    Log,
    /// Standard output of a container, a process or the plugin.
    Stdout,
    /// Standard error of the same.
    Stderr,
    /// Progress of a build, pull or push.
    Progress,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Record {
    /// The first record of a run.
    RunStarted(Box<RunStarted>),
    /// A stage's first step is about to start.
    StageStarted {
        /// Its place in the plan.
        stage: StageIndex,
        /// Its name.
        name: Arc<str>,
    },
    /// A stage is over, or was never begun (`Skipped`).
    StageEnded {
        /// Its place in the plan.
        stage: StageIndex,
        /// Its name.
        name: Arc<str>,
        /// How it ended.
        status: Status,
    },
    /// An attempt of a step begins.
    StepStarted {
        /// Its place in the plan.
        step: StepIndex,
        /// Which attempt, from 1.
        attempt: u32,
        /// The stage it belongs to.
        stage: StageIndex,
        /// Its name.
        name: Arc<str>,
    },
    /// An attempt of a step is over.
    StepEnded {
        /// Its place in the plan.
        step: StepIndex,
        /// Which attempt, from 1.
        attempt: u32,
        /// How it ended.
        status: Status,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// What it gives to later steps.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outputs: BTreeMap<String, serde_json::Value>,
    },
    /// An effect is about to happen; durable before it does.
    CallStarted {
        /// Which call.
        call: CallId,
        /// The function, as `docker.push`.
        function: Arc<str>,
        /// Its arguments as JSON text, secrets as references.
        args: String,
        /// The grant that allows it, and where it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
    },
    /// An effect has happened, or has failed.
    CallEnded {
        /// Which call.
        call: CallId,
        /// The answer as JSON text, redacted: `{"ok":...}` or `{"err":...}`.
        answer: String,
    },
    /// A call that changes nothing outside, a denial included: one record, after the fact.
    CallRecorded {
        /// Which call.
        call: CallId,
        /// The function, as `docker.inspect`.
        function: Arc<str>,
        /// Its arguments as JSON text, secrets as references.
        args: String,
        /// The grant that allows it, and where it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<String>,
        /// The answer as JSON text, redacted.
        answer: String,
        /// How long it took, in microseconds.
        took: u64,
    },
    /// What an attempt of a step could see besides its calls; only where it could see anything.
    StepInputs {
        /// The step.
        step: StepIndex,
        /// Which attempt, from 1.
        attempt: u32,
        /// The host's environment variables that it was granted.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        env: BTreeMap<String, String>,
        /// The folders that it was granted to read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        folders: Vec<FolderInput>,
    },
    /// A process goes on with a run that another one left.
    RunResumed(Box<RunResumed>),
    /// A person said what became of a call whose end is not known. With `Repeat` it begins again, with
    /// a [`Record::CallStarted`] of its own.
    InDoubtAnswered {
        /// Which call.
        call: CallId,
        /// What to do about it.
        answer: InDoubtAnswer,
        /// Who said so.
        by: String,
    },
    /// A secret's value was read for the first time, or is another one than before.
    SecretRead {
        /// Its name.
        name: String,
        /// Enough of the value's digest to notice a change, and too little to guess the value from.
        check: String,
    },
    /// A stretch of log bytes in the run's log file.
    Log {
        /// The step it belongs to.
        step: StepIndex,
        /// Which attempt, from 1.
        attempt: u32,
        /// Where it came from.
        stream: Stream,
        /// Where its bytes begin in the log file.
        offset: u64,
        /// How many bytes there are.
        len: u64,
    },
    /// The step's log reached its bound; what comes after is drained and dropped.
    LogCut {
        /// The step it belongs to.
        step: StepIndex,
        /// Which attempt, from 1.
        attempt: u32,
        /// The bound in bytes.
        limit: u64,
    },
    /// A measurement that a plugin reported.
    Metric {
        /// Which call reported it.
        call: CallId,
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
        /// Its unit, by UCUM where there is one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        unit: String,
        /// What it is about.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: BTreeMap<String, String>,
    },
    /// Something a person should know that belongs to the run: what was cleaned up, what was left behind.
    Notice {
        /// The step it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepIndex>,
        /// What to know.
        message: String,
    },
    /// A person or a signal asked the run to end.
    CancelRequested {
        /// Who or what: `SIGINT`, say.
        by: String,
    },
    /// The last record of a run.
    RunEnded {
        /// How it ended.
        status: Status,
        /// The exit code of the command.
        exit_code: u8,
    },
}

/// What a run is pinned to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunStarted {
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file it was read from, as the person named it.
    pub file: String,
    /// The folder that relative paths of grants refer to.
    pub workspace: String,
    /// The text of `pipeline.toml`. Stored once per content.
    #[serde(skip)]
    pub source: Arc<str>,
    /// What the plan was made from: git, environment and variables, secrets as references.
    pub facts: BTreeMap<String, String>,
    /// Every plugin of the plan, in the plan's order.
    pub plugins: Vec<PluginPin>,
    /// Versions that a resume must find again: windlass, gate, each WIT package, wasmtime.
    pub versions: BTreeMap<String, String>,
    /// How many stages and steps there are.
    pub stages: u32,
    /// How many steps there are.
    pub steps: u32,
    /// How the run was asked to go about it.
    #[serde(default, skip_serializing_if = "RunFlags::is_default")]
    pub flags: RunFlags,
}

/// What was asked for on the command line, so that a resume goes about it in the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RunFlags {
    /// Leave what a failed run made.
    pub keep: bool,
    /// Go on with stages that do not need the one that failed.
    pub keep_going: bool,
    /// How many stages may run at a time, if it was said.
    pub jobs: Option<u32>,
    /// The run whose recorded answers this one was given instead of the world's.
    pub offline: Option<String>,
}

impl RunFlags {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a resumed run goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunResumed {
    /// As in [`RunStarted::versions`], of who resumes.
    pub versions: BTreeMap<String, String>,
    /// Every plugin of the plan, in the plan's order, as it is now.
    pub plugins: Vec<PluginPin>,
    /// The steps whose attempts so far are left behind, and which begin anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarted: Vec<StepIndex>,
}

/// What became of a call whose end is not known, as a person has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InDoubtAnswer {
    /// It was done.
    Done,
    /// It was not, or may be done again.
    Repeat,
}

/// A folder as a step saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FolderInput {
    /// The folder, as the grant names it.
    pub folder: String,
    /// `sha256:...` of its content.
    pub digest: String,
    /// How many files it has.
    pub files: u64,
    /// How large they are together.
    pub bytes: u64,
    /// Whether the content is kept, so that a replay can see it again.
    pub kept: bool,
}

/// A plugin, pinned by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginPin {
    /// Where it comes from, as `builtin:image`.
    pub source: String,
    /// `sha256:...` of the component's bytes.
    pub digest: String,
}

/// A record with its place and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the run, from 1, without gaps.
    pub seq: u64,
    /// When it happened, in microseconds since the Unix epoch.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
}
