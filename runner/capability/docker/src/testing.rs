//! Calls for unit tests: with a real journal behind them, and nothing in front.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use windlass_gate::api::docker::{ContainerSpec, Restart};
use windlass_gate::{Authority, Call, Function, Redactor, RunContext, SecretStore, Secrets, StepAuthority, StepLog};
use windlass_journal::{CallId, Journal, RunStarted, StepIndex, WriterOptions};
use windlass_pipeline::{Description, Facts, Grants, Source};

struct NoSecrets;

impl SecretStore for NoSecrets {
    fn read(&self, name: &str) -> Result<String, String> {
        Err(format!("there is no secret `{name}`"))
    }
}

/// A call of the host in this workspace.
pub(crate) fn call_in(workspace: &Path) -> Call {
    call(workspace, Authority::Host)
}

/// A call of a step with these grants.
pub(crate) fn call_of_step(workspace: &Path, grants: &str) -> Call {
    let step = StepAuthority {
        stage: "stage".into(),
        environment: None,
        step: "step".into(),
        grants: granted(grants),
        asked: Arc::new(["docker".to_owned()]),
    };
    call(workspace, Authority::Step(Arc::new(step)))
}

fn call(workspace: &Path, authority: Authority) -> Call {
    let workspace = workspace.canonicalize().expect("the workspace exists");
    let state = workspace.join(".windlass");
    let id = windlass_journal::new_run_id();
    let started = RunStarted {
        run: id.clone(),
        pipeline: "shop".to_owned(),
        file: "pipeline.toml".to_owned(),
        workspace: workspace.display().to_string(),
        source: "".into(),
        facts: BTreeMap::new(),
        plugins: Vec::new(),
        versions: BTreeMap::new(),
        stages: 1,
        steps: 1,
        flags: Default::default(),
    };
    let journal = Journal::open_or_create(&state).expect("a journal");
    let writer = journal.start_run(WriterOptions::default(), started).expect("a writer");
    let run = RunContext {
        run: id,
        pipeline: "shop".to_owned(),
        workspace,
        state,
        env: BTreeMap::new(),
        secrets: Secrets::new(NoSecrets),
    };
    Call {
        function: Function::DockerCreate,
        id: CallId { step: StepIndex(0), attempt: 1, ordinal: 0 },
        args: "{}".into(),
        authority,
        environment: None,
        run: Arc::new(run),
        log: StepLog::new(writer, StepIndex(0), 1, 1 << 20, Redactor::default()),
        began_before: std::time::Duration::ZERO,
    }
}

fn granted(grants: &str) -> Arc<Grants> {
    let text = format!(
        "[pipeline]\nname = \"shop\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./x.wasm\"\ngrants = {{ {grants} }}\n"
    );
    let source = Source { name: "pipeline.toml".to_owned(), text };
    let pipeline = windlass_pipeline::parse(&source).unwrap_or_else(|errors| panic!("{errors}"));
    let description = Arc::new(Description {
        name: "x".to_owned(),
        version: "1.0.0".to_owned(),
        documentation: String::new(),
        with_schema: serde_json::json!({}),
        capabilities: Vec::new(),
        outputs: Vec::new(),
    });
    let described =
        pipeline.plugin_sources().into_iter().map(|(source, _)| (source, Arc::clone(&description))).collect();
    let plan = windlass_pipeline::plan(&pipeline, &source, &Facts::default(), &described)
        .unwrap_or_else(|errors| panic!("{errors}"));
    Arc::clone(&plan.steps[0].grants)
}

/// A container of this image with nothing asked for.
pub(crate) fn spec(image: &str) -> ContainerSpec {
    ContainerSpec {
        image: image.to_owned(),
        command: None,
        entrypoint: None,
        env: Vec::new(),
        user: None,
        working_directory: None,
        labels: Vec::new(),
        ports: Vec::new(),
        mounts: Vec::new(),
        networks: Vec::new(),
        aliases: Vec::new(),
        no_network: false,
        memory: None,
        cpu_millis: None,
        processes: None,
        read_only_root: false,
        restart: Restart::No,
        healthcheck: None,
    }
}
