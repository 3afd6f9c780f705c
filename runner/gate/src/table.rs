//! The table of all functions: what each needs, and how the gate treats it.
//!
//! A function that is not here cannot be called. A test holds the table against the WIT.

use std::borrow::Cow;

use windlass_pipeline::{Demand, Grants, Rule};

use crate::demands;

/// How the gate treats a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing outside the run: one record after the fact, nothing waits.
    Record,
    /// Changes nothing outside the run, and takes its time: its beginning is recorded, too, so that a resume knows
    /// how much of it is left. Nothing waits for the record.
    Wait,
    /// Changes the world: `Start` is durable before, `End` follows.
    Effect(InDoubt),
    /// Is made of other functions of this table; those are journaled, it is not.
    Composite,
}

/// What a resume does about an effect whose `Start` has no `End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubt {
    /// Do it again: twice is the same as once.
    Repeat,
    /// Look for what was made, and take it.
    Adopt,
    /// Stop and ask a person.
    Fail,
}

/// What a call needs: one of several demands, each of which a grant may meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Any one of these is enough; the first is the one that a denial names.
    pub any_of: Vec<Want>,
    /// A name or id under which the step itself may have made the thing; then no grant is needed.
    pub owned_as: Option<String>,
}

/// One thing that a grant may allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The capability.
    pub capability: &'static str,
    /// The verb; empty where any grant of the capability is enough.
    pub verb: Cow<'static, str>,
    /// What it is wanted for.
    pub resource: String,
}

impl Want {
    /// The demand that the grants know.
    pub fn demand(&self) -> Demand<'_> {
        Demand::new(self.capability, &self.verb, self.resource.as_str())
    }

    /// The rule that allows it.
    pub fn allowed_by<'a>(&self, grants: &'a Grants) -> Option<&'a Rule> {
        if self.verb.is_empty() {
            grants.rules().iter().find(|rule| rule.capability == self.capability)
        } else {
            grants.allows(&self.demand())
        }
    }
}

/// A row of the table.
pub struct Row {
    /// The function.
    pub function: Function,
    /// Its name, as `docker.push`.
    pub name: &'static str,
    /// The capability that performs it.
    pub capability: &'static str,
    /// The capability that the plugin's description has to ask for.
    pub asked_as: &'static str,
    /// Whether a plugin can call it; the others are primitives of composites, or the host's own.
    pub exported: bool,
    /// How the gate treats it.
    pub kind: Kind,
    /// What a call with these arguments needs. An error says what is wrong with the arguments.
    pub needs: fn(&str) -> Result<Vec<Need>, serde_json::Error>,
}

/// What the sandbox observes on a plugin's behalf has no arguments.
#[derive(serde::Deserialize)]
struct NoArgs {}

fn decode<A: serde::de::DeserializeOwned>(
    args: &str,
    needs: fn(A) -> Vec<Need>,
) -> Result<Vec<Need>, serde_json::Error> {
    serde_json::from_str::<A>(args).map(needs)
}

macro_rules! table {
    ($($function:ident $name:literal $capability:literal $asked:literal $exported:ident $kind:expr, $args:ty => $needs:path;)*) => {
        /// A function of the gate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Function {
            $(
                #[doc = concat!("`", $name, "`")]
                $function,
            )*
        }

        static ROWS: &[Row] = &[$(Row {
            function: Function::$function,
            name: $name,
            capability: $capability,
            asked_as: $asked,
            exported: table!(@ $exported),
            kind: $kind,
            needs: |args| decode::<$args>(args, $needs),
        },)*];
    };
    (@ plugin) => { true };
    (@ host) => { false };
}

use InDoubt::{Adopt, Fail, Repeat};
use Kind::{Composite, Effect, Record, Wait};

use crate::api::{approval, artifacts, docker, files, health, http, metrics, process, query, timer, traffic};

table! {
    DockerBuild "docker.build" "docker" "docker" plugin Effect(Repeat), docker::Build => demands::docker_build;
    DockerTag "docker.tag" "docker" "docker" plugin Effect(Repeat), docker::Tag => demands::docker_tag;
    DockerPush "docker.push" "docker" "docker" plugin Effect(Repeat), docker::Push => demands::docker_push;
    DockerPull "docker.pull" "docker" "docker" plugin Effect(Repeat), docker::Pull => demands::docker_pull;
    DockerInspectImage "docker.inspect-image" "docker" "docker" plugin Record, docker::InspectImage => demands::docker_inspect_image;
    DockerListImages "docker.list-images" "docker" "docker" plugin Record, docker::ListImages => demands::docker_list_images;
    DockerRun "docker.run" "docker" "docker" plugin Composite, docker::Run => demands::nothing;
    DockerStart "docker.start" "docker" "docker" plugin Composite, docker::Start => demands::nothing;
    DockerCreate "docker.create" "docker" "docker" host Effect(Adopt), docker::Create => demands::docker_create;
    DockerStartCreated "docker.start-created" "docker" "docker" host Effect(Adopt), docker::StartCreated => demands::docker_start_created;
    DockerWait "docker.wait" "docker" "docker" host Wait, docker::Wait => demands::docker_wait;
    DockerRemoveCreated "docker.remove-created" "docker" "docker" host Effect(Repeat), docker::RemoveCreated => demands::docker_remove_created;
    DockerExec "docker.exec" "docker" "docker" plugin Composite, docker::Exec => demands::nothing;
    DockerExecCreate "docker.exec-create" "docker" "docker" host Effect(Adopt), docker::ExecCreate => demands::docker_exec_create;
    DockerExecStart "docker.exec-start" "docker" "docker" host Effect(Adopt), docker::ExecStart => demands::docker_exec_start;
    DockerInspect "docker.inspect" "docker" "docker" plugin Record, docker::Inspect => demands::docker_inspect;
    DockerList "docker.list" "docker" "docker" plugin Record, docker::List => demands::docker_list;
    DockerLogs "docker.logs" "docker" "docker" plugin Record, docker::Logs => demands::docker_logs;
    DockerStats "docker.stats" "docker" "docker" plugin Record, docker::Stats => demands::docker_stats;
    DockerWaitHealthy "docker.wait-healthy" "docker" "docker" plugin Wait, docker::WaitHealthy => demands::docker_wait_healthy;
    DockerStartAgain "docker.start-again" "docker" "docker" plugin Effect(Repeat), docker::StartAgain => demands::docker_start_again;
    DockerStop "docker.stop" "docker" "docker" plugin Effect(Repeat), docker::Stop => demands::docker_stop;
    DockerRemove "docker.remove" "docker" "docker" plugin Effect(Repeat), docker::Remove => demands::docker_remove;
    DockerCreateNetwork "docker.create-network" "docker" "docker" plugin Effect(Adopt), docker::CreateNetwork => demands::docker_create_network;
    DockerRemoveNetwork "docker.remove-network" "docker" "docker" plugin Effect(Repeat), docker::RemoveNetwork => demands::docker_remove_network;
    DockerCreateVolume "docker.create-volume" "docker" "docker" plugin Effect(Adopt), docker::CreateVolume => demands::docker_create_volume;
    DockerRemoveVolume "docker.remove-volume" "docker" "docker" plugin Effect(Repeat), docker::RemoveVolume => demands::docker_remove_volume;
    DockerLocate "docker.locate" "docker" "health" host Record, docker::Locate => demands::docker_locate;
    DockerProbeCommand "docker.probe-command" "docker" "health" host Effect(Repeat), docker::ProbeCommand => demands::docker_probe_command;
    DockerProbeHealth "docker.probe-health" "docker" "health" host Record, docker::ProbeHealth => demands::docker_probe_health;
    DockerLeftovers "docker.leftovers" "docker" "docker" host Record, docker::Leftovers => demands::host_only;
    DockerSweep "docker.sweep" "docker" "docker" host Effect(Repeat), docker::Sweep => demands::host_only;
    ProcessRun "process.run" "process" "process" plugin Effect(Fail), process::Run => demands::process_run;
    HealthCheck "health.check" "health" "health" plugin Composite, health::Check => demands::nothing;
    HealthWait "health.wait" "health" "health" plugin Composite, health::Wait => demands::nothing;
    HttpSend "http.send" "http" "http" plugin Effect(Fail), http::Send => demands::http_send;
    HttpProbe "http.probe" "http" "health" host Record, http::Probe => demands::http_probe;
    HttpProbeTcp "http.probe-tcp" "http" "health" host Record, http::ProbeTcp => demands::http_probe_tcp;
    ArtifactsPut "artifacts.put" "artifacts" "artifacts" plugin Effect(Repeat), artifacts::Put => demands::artifacts_put;
    ArtifactsGet "artifacts.get" "artifacts" "artifacts" plugin Record, artifacts::Get => demands::artifacts_get;
    ArtifactsList "artifacts.list" "artifacts" "artifacts" plugin Record, artifacts::List => demands::artifacts_list;
    ApprovalWait "approval.wait" "approval" "approval" plugin Wait, approval::Wait => demands::approval_wait;
    LogLog "log.log" "log" "" plugin Record, NoArgs => demands::nothing;
    FilesPublish "files.publish" "files" "" host Effect(Repeat), files::Publish => demands::files_publish;
    MetricsEmit "metrics.emit" "metrics" "" plugin Record, metrics::Emit => demands::nothing;
    QueryPrometheus "query.prometheus" "http" "query" plugin Record, query::Prometheus => demands::query_prometheus;
    TrafficRead "traffic.read" "traffic" "traffic" plugin Record, traffic::Read => demands::traffic_read;
    TrafficBegin "traffic.begin" "traffic" "traffic" plugin Effect(Repeat), traffic::Begin => demands::traffic_begin;
    TrafficSetReplicas "traffic.set-replicas" "traffic" "traffic" plugin Composite, traffic::SetReplicas => demands::nothing;
    TrafficSetEndpoints "traffic.set-endpoints" "traffic" "traffic" host Effect(Repeat), traffic::SetEndpoints => demands::traffic_set_endpoints;
    TrafficShift "traffic.shift" "traffic" "traffic" plugin Effect(Repeat), traffic::Shift => demands::traffic_shift;
    TrafficHold "traffic.hold" "traffic" "traffic" plugin Effect(Repeat), traffic::Hold => demands::traffic_hold;
    TrafficRelease "traffic.release" "traffic" "traffic" plugin Effect(Repeat), traffic::Release => demands::traffic_release;
    TrafficDrain "traffic.drain" "traffic" "traffic" plugin Effect(Repeat), traffic::Drain => demands::traffic_drain;
    TrafficTakeDown "traffic.take-down" "traffic" "traffic" plugin Effect(Repeat), traffic::TakeDown => demands::traffic_take_down;
    TrafficCommit "traffic.commit" "traffic" "traffic" plugin Effect(Repeat), traffic::Commit => demands::traffic_commit;
    TrafficAbort "traffic.abort" "traffic" "traffic" plugin Composite, traffic::Abort => demands::nothing;
    TrafficRestore "traffic.restore" "traffic" "traffic" host Effect(Repeat), traffic::Restore => demands::traffic_restore;
    TrafficRetire "traffic.retire" "traffic" "traffic" plugin Effect(Repeat), traffic::Retire => demands::traffic_retire;
    TrafficFinish "traffic.finish" "traffic" "traffic" plugin Effect(Repeat), traffic::Finish => demands::traffic_finish;
    TrafficMeasure "traffic.measure" "traffic" "traffic" plugin Record, traffic::Measure => demands::traffic_measure;
    TrafficJudge "traffic.judge" "traffic" "traffic" plugin Record, traffic::Judge => demands::traffic_judge;
    TrafficOpen "traffic.open" "traffic" "traffic" host Record, traffic::Open => demands::host_only;
    TrafficPlaced "traffic.placed" "traffic" "traffic" host Record, traffic::Placed => demands::host_only;
    TimerSleep "timer.sleep" "timer" "" plugin Wait, timer::Sleep => demands::nothing;
    WasiWallClock "wasi.wall-clock" "wasi" "" host Record, NoArgs => demands::nothing;
    WasiMonotonicClock "wasi.monotonic-clock" "wasi" "" host Record, NoArgs => demands::nothing;
    WasiRandomSeed "wasi.random-seed" "wasi" "" host Record, NoArgs => demands::nothing;
    WasiPoll "wasi.poll" "wasi" "" host Record, NoArgs => demands::nothing;
    WasiWaitBegun "wasi.wait-begun" "wasi" "" host Record, NoArgs => demands::nothing;
}

impl Function {
    /// Every function there is.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.function)
    }

    /// Its row in the table.
    pub fn row(self) -> &'static Row {
        // The rows stand in the order of the enum, because one macro writes both.
        &ROWS[self as usize]
    }

    /// Its name, as `docker.push`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The function of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.function)
    }

    /// How this call of the function is treated: an HTTP request that is safe to repeat is one.
    pub fn kind(self, args: &str) -> Kind {
        match (self, self.row().kind) {
            (Self::HttpSend, kind) => demands::http_kind(args).unwrap_or(kind),
            (_, kind) => kind,
        }
    }
}
