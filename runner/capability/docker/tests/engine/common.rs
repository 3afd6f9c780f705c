//! A world per test: its own run, pipeline and workspace; what it made in the engine goes at its end.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use windlass_capability_docker::{Docker, DockerConfig};
use windlass_gate::api::docker::{
    Build, BuildSpec, ContainerSpec, InspectImage, Leftovers, Lifetime, Restart, Start, Sweep,
};
use windlass_gate::api::{NamedValue, Pair, Value};
use windlass_gate::{
    Authority, CallError, Gate, RunContext, SecretStore, Secrets, Session, SessionOptions, StepAuthority, Stop,
};
use windlass_journal::{Journal, Record, RunStarted, StepIndex, Stream, WriterOptions, new_run_id};
use windlass_pipeline::{Description, Facts, Grants, Source};

/// The image that tests run: busybox, and nothing else. It stays, as a pulled image would.
pub(crate) const BASE: &str = "windlass-test/base:1";

/// Allows everything that a test of something else needs.
pub(crate) const ALL: &str = r#"{ docker = { build = ["."], tag = ["windlass-test/*"], run = { images = ["windlass-test/*"], mounts-write = ["."] }, containers = ["*"], networks = ["*"], volumes = ["*"] }, health = ["*"], secrets = ["token"] }"#;

/// The one secret of every world, and its value.
pub(crate) const SECRET: (&str, &str) = ("token", "s3cret-of-the-tests");

struct Given;

impl SecretStore for Given {
    fn read(&self, name: &str) -> Result<String, String> {
        match name {
            "token" => Ok(SECRET.1.to_owned()),
            "registry" => Ok("windlass-test".to_owned()),
            "wrong" => Ok("not-the-password".to_owned()),
            _ => Err(format!("there is no secret `{name}`")),
        }
    }
}

/// A run of its own.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) run: String,
    pub(crate) pipeline: String,
    pub(crate) gate: Arc<Gate>,
    images: Mutex<Vec<String>>,
}

/// An environment variable that `cargo xtask test` sets.
pub(crate) fn wanted(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests by `cargo xtask test`"))
}

/// Runs a test against the real engine and cleans up after it, however it ends.
pub(crate) fn engine<F: Future<Output = ()>>(body: impl FnOnce(Arc<World>) -> F) {
    engine_with(DockerConfig::at(wanted("DOCKER_HOST")), body);
}

/// The same, with other settings.
pub(crate) fn engine_with<F: Future<Output = ()>>(config: DockerConfig, body: impl FnOnce(Arc<World>) -> F) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = Arc::new(World::new(config));
        world.base().await;
        let result = AssertUnwindSafe(body(Arc::clone(&world))).catch_unwind().await;
        world.clean_up().await;
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

impl World {
    /// A world whose engine may be anywhere.
    pub(crate) fn new(config: DockerConfig) -> Self {
        let run = new_run_id();
        let pipeline = format!("test-{run}");
        Self::of(run, pipeline, config)
    }

    /// A world of another run of this world's pipeline.
    pub(crate) fn next_run(&self) -> Self {
        Self::of(new_run_id(), self.pipeline.clone(), DockerConfig::at(wanted("DOCKER_HOST")))
    }

    fn of(run: String, pipeline: String, config: DockerConfig) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = folder.path().canonicalize().expect("there");
        let gate = open(&workspace, &run, &pipeline, config);
        Self { folder, run, pipeline, gate, images: Mutex::default() }
    }

    /// The same run after a crash: another process, which makes the same calls again and knows of them only what the
    /// engine knows.
    pub(crate) fn after_a_crash(&self) -> Self {
        Self::of(self.run.clone(), self.pipeline.clone(), DockerConfig::at(wanted("DOCKER_HOST")))
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("there")
    }

    /// Writes a file into the workspace.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.workspace().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// A session of a step that asks for Docker and health, with these grants.
    pub(crate) fn step(&self, grants: &str) -> Session {
        self.asking(&["docker", "health"], grants)
    }

    /// A session of a step that asks for these capabilities.
    pub(crate) fn asking(&self, asked: &[&str], grants: &str) -> Session {
        let authority = StepAuthority {
            stage: "release".into(),
            environment: None,
            step: "deploy".into(),
            grants: granted(grants),
            asked: asked.iter().map(|asked| (*asked).to_owned()).collect(),
        };
        self.session(StepIndex(0), Authority::Step(Arc::new(authority)), 1)
    }

    /// A session of a step of this environment.
    pub(crate) fn step_in(&self, environment: &str, step: u32, grants: &str) -> Session {
        let authority = StepAuthority {
            stage: environment.into(),
            environment: Some(environment.into()),
            step: "deploy".into(),
            grants: granted(grants),
            asked: Arc::new(["docker".to_owned(), "health".to_owned()]),
        };
        self.session(StepIndex(step), Authority::Step(Arc::new(authority)), 1)
    }

    /// A session of another step, so that its calls have other identities.
    pub(crate) fn other_step(&self, grants: &str) -> Session {
        let authority = StepAuthority {
            stage: "release".into(),
            environment: None,
            step: "other".into(),
            grants: granted(grants),
            asked: Arc::new(["docker".to_owned(), "health".to_owned()]),
        };
        self.session(StepIndex(1), Authority::Step(Arc::new(authority)), 1)
    }

    /// A session of the host itself.
    pub(crate) fn host(&self, attempt: u32) -> Session {
        self.session(StepIndex::HOST, Authority::Host, attempt)
    }

    fn session(&self, step: StepIndex, authority: Authority, attempt: u32) -> Session {
        let options = SessionOptions {
            step,
            attempt,
            authority,
            max_calls: 1000,
            max_log: 4 << 20,
            playback: None,
            repeat_in_doubt: false,
        };
        Session::new(Arc::clone(&self.gate), options)
    }

    /// The functions in the journal, in their order.
    pub(crate) async fn calls(&self) -> Vec<String> {
        self.gate.journal().flush().await.expect("flushed");
        let reader = Journal::open(&self.workspace().join(".windlass")).expect("a reader");
        let run = reader.resolve(Some(&self.run)).expect("the run");
        let name = |record| match record {
            Record::CallStarted { function, .. } | Record::CallRecorded { function, .. } => Some(function.to_string()),
            _ => None,
        };
        reader.entries(&run, 0).expect("entries").filter_map(|entry| name(entry.expect("an entry").record)).collect()
    }

    /// What was written to a stream of the log.
    pub(crate) async fn log(&self, wanted: Stream) -> String {
        self.gate.journal().flush().await.expect("flushed");
        let reader = Journal::open(&self.workspace().join(".windlass")).expect("a reader");
        let run = reader.resolve(Some(&self.run)).expect("the run");
        let mut text = Vec::new();
        for entry in reader.entries(&run, 0).expect("entries") {
            if let Record::Log { stream, offset, len, .. } = entry.expect("an entry").record
                && stream == wanted
            {
                text.extend(reader.log_bytes(&run, offset, len).expect("bytes").bytes);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Starts a container that waits until it is stopped.
    pub(crate) async fn running(&self, session: &mut Session, name: &str) -> windlass_gate::api::docker::Container {
        let spec = ContainerSpec { no_network: true, ..spec(&["sleep", "600"]) };
        session.call(&Start { name: name.to_owned(), spec, lifetime: Lifetime::Run }).await.expect("started")
    }

    async fn base(&self) {
        let mut host = self.host(90);
        if host.call(&InspectImage { reference: BASE.to_owned() }).await.is_ok() {
            return;
        }
        let busybox = std::env::var("WINDLASS_TEST_BUSYBOX").unwrap_or_else(|_| "/bin/busybox".to_owned());
        std::fs::create_dir_all(self.workspace().join("base")).expect("made");
        std::fs::copy(&busybox, self.workspace().join("base/busybox"))
            .unwrap_or_else(|error| panic!("{busybox}: {error}"));
        self.file(
            "base/Dockerfile",
            "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\nENTRYPOINT []\nCMD [\"sh\"]\n",
        );
        let spec = BuildSpec { tags: vec![BASE.to_owned()], ..build("base") };
        host.call(&Build { spec }).await.expect("the base image is built");
        std::fs::remove_dir_all(self.workspace().join("base")).expect("removed");
    }

    /// Has an image removed at the end.
    pub(crate) fn forget_image(&self, id: &str) {
        self.images.lock().expect("whole").push(id.to_owned());
    }

    async fn clean_up(&self) {
        let mut host = self.host(99);
        let Ok(leftovers) = host.call(&Leftovers { kept_too: true, of_attempt: None }).await else { return };
        for leftover in leftovers {
            host.call(&Sweep { leftover }).await.expect("swept");
        }
        let images = std::mem::take(&mut *self.images.lock().expect("whole"));
        for image in images {
            // One that another image is built on stays until that one goes.
            let _ = bollard().remove_image(&image, None::<bollard::query_parameters::RemoveImageOptions>, None).await;
        }
    }
}

fn open(workspace: &Path, run: &str, pipeline: &str, config: DockerConfig) -> Arc<Gate> {
    let state = workspace.join(".windlass");
    let started = RunStarted {
        run: run.to_owned(),
        pipeline: pipeline.to_owned(),
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
    let context = RunContext {
        run: run.to_owned(),
        pipeline: pipeline.to_owned(),
        workspace: workspace.to_owned(),
        state,
        env: BTreeMap::new(),
        secrets: Secrets::new(Given),
    };
    Arc::new(Gate::new(writer, context).with(Docker::new(config)))
}

fn granted(grants: &str) -> Arc<Grants> {
    let text = format!(
        "[pipeline]\nname = \"p\"\n[secrets]\ntoken = {{ env = \"T\" }}\nregistry = {{ env = \"R\" }}\nwrong = {{ env = \"W\" }}\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./x.wasm\"\ngrants = {grants}\n"
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

/// The error that a call answered with.
pub(crate) fn error<T: std::fmt::Debug>(answer: Result<T, Stop>) -> CallError {
    match answer {
        Err(Stop::Error(error)) => error,
        other => panic!("expected an error of the call, got {other:?}"),
    }
}

/// A container of the base image that runs this.
pub(crate) fn spec(command: &[&str]) -> ContainerSpec {
    ContainerSpec {
        image: BASE.to_owned(),
        command: Some(command.iter().map(|word| (*word).to_owned()).collect()),
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

/// A container that runs a line of shell, without a network: that is quicker.
pub(crate) fn shell(line: &str) -> ContainerSpec {
    ContainerSpec { no_network: true, ..spec(&["sh", "-c", line]) }
}

/// A build of this folder.
pub(crate) fn build(context: &str) -> BuildSpec {
    BuildSpec {
        context: context.to_owned(),
        dockerfile: None,
        tags: Vec::new(),
        args: Vec::new(),
        target: None,
        labels: Vec::new(),
        platform: None,
        no_cache: false,
        pull: false,
        secrets: Vec::new(),
    }
}

pub(crate) fn pair(name: &str, value: &str) -> Pair {
    Pair { name: name.to_owned(), value: value.to_owned() }
}

pub(crate) fn secret(name: &str, of: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: Value::Secret(of.to_owned()) }
}

pub(crate) fn plain(name: &str, value: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: Value::Plain(value.to_owned()) }
}

/// The engine without the capability, to look at what it made.
pub(crate) fn bollard() -> bollard::Docker {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    let host = wanted("DOCKER_HOST");
    let path = host
        .strip_prefix("unix://")
        .unwrap_or_else(|| panic!("the tests look at the engine by a unix socket, not {host}"));
    let client = Client::builder(TokioExecutor::new()).build(Connector(path.into()));
    bollard::Docker::connect_with_custom_transport(
        move |request: bollard::BollardRequest| {
            let client = client.clone();
            Box::pin(async move { client.request(request).await.map_err(|error| std::io::Error::other(error).into()) })
        },
        Some("http://docker"),
        60,
        bollard::API_DEFAULT_VERSION,
    )
    .expect("a client")
}

#[derive(Clone)]
struct Connector(PathBuf);

impl tower_service::Service<hyper::Uri> for Connector {
    type Response = hyper_util::rt::TokioIo<tokio::net::UnixStream>;
    type Error = std::io::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let path = self.0.clone();
        Box::pin(async move { Ok(hyper_util::rt::TokioIo::new(tokio::net::UnixStream::connect(path).await?)) })
    }
}

/// Settings whose login for a registry is that of `docker login` with the user `windlass`.
pub(crate) fn registry_config(registry: &str, password: &str) -> (tempfile::TempDir, DockerConfig) {
    use base64::Engine as _;
    let folder = tempfile::tempdir().expect("a folder");
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("windlass:{password}"));
    let text = serde_json::json!({ "auths": { registry: { "auth": auth } } }).to_string();
    std::fs::write(folder.path().join("config.json"), text).expect("written");
    let config =
        DockerConfig { config_folder: Some(folder.path().to_owned()), ..DockerConfig::at(wanted("DOCKER_HOST")) };
    (folder, config)
}
