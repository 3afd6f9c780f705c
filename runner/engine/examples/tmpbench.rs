//! Temporary stand-in for the command line.
#![allow(
    clippy::all,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "temporary"
)]
use std::sync::Arc;
use std::time::Instant;
use windlass_engine::*;
use windlass_gate::{Gate, RunContext, SecretStore, Secrets};
use windlass_journal::{Journal, PluginPin, RunStarted, WriterOptions, new_run_id};
use windlass_pipeline::*;
use windlass_sandbox::*;
struct No;
impl SecretStore for No {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("no".into())
    }
}
fn rss() -> String {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
        .map(|l| l.replace('\t', " "))
        .collect::<Vec<_>>()
        .join(" ")
}
fn main() {
    let t = Instant::now();
    let log = std::env::var_os("T").is_some();
    let mark = |what: &str| {
        if log {
            eprintln!("{:8.3} ms  {what}  {}", t.elapsed().as_secs_f64() * 1e3, rss())
        }
    };
    let file = std::env::args().nth(1).unwrap();
    let jobs: usize = std::env::args().nth(2).map_or(2, |j| j.parse().unwrap());
    let cache = std::env::var("WINDLASS_CACHE_DIR").unwrap();
    mark("start");
    let bytes = std::fs::read(&file).unwrap();
    let source = decode(file.clone(), &bytes).unwrap();
    drop(bytes);
    let workspace = std::path::Path::new(&file).parent().unwrap().canonicalize().unwrap();
    mark("read");
    let small = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    mark("small runtime");
    let pipeline = parse_tolerant(&source);
    mark("parsed");
    let run = new_run_id();
    let facts = Facts { run_id: run.clone(), workspace: workspace.display().to_string(), ..Facts::default() };
    let mut descriptions = Descriptions::default();
    let mut plugins = Vec::new();
    let sandbox = Sandbox::new(&SandboxOptions { slots: jobs as u32, cache: cache.into() }).unwrap();
    mark("sandbox");
    for (source, _) in pipeline.plugin_sources() {
        let PluginSource::Path(path) = &source else { panic!() };
        let component = Component::from_bytes(path.clone(), std::fs::read(workspace.join(path)).unwrap());
        let plugin = small.block_on(sandbox.load(component)).unwrap();
        descriptions.insert(source, Arc::clone(plugin.description()));
        plugins.push(Arc::new(plugin));
    }
    mark("plugins");
    let plan = match plan(&pipeline, &source, &facts, &descriptions) {
        Ok(p) => p,
        Err(e) => panic!("{e}"),
    };
    drop(pipeline);
    mark("plan");
    let state = workspace.join(".windlass");
    let journal = Journal::open_or_create(&state).unwrap();
    mark("journal open");
    let pins = plan.plugins.iter().zip(&plugins);
    let started = RunStarted {
        run: run.clone(),
        pipeline: plan.name.clone(),
        file,
        workspace: facts.workspace.clone(),
        source: source.text.as_str().into(),
        facts: Default::default(),
        plugins: pins
            .map(|(source, plugin)| PluginPin { source: source.to_string(), digest: plugin.digest().to_owned() })
            .collect(),
        versions: Default::default(),
        stages: plan.stages.len() as u32,
        steps: plan.steps.len() as u32,
    };
    let writer = journal.start_run(WriterOptions::default(), started).unwrap();
    mark("run started");
    let context = RunContext {
        run,
        pipeline: plan.name.clone(),
        workspace,
        state,
        env: Default::default(),
        secrets: Secrets::new(No),
    };
    let gate = Gate::new(writer, context);
    let runtime = if plan.steps.len() == 1 {
        small
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2.min(jobs)).enable_all().build().unwrap()
    };
    let engine = Run {
        plan: Arc::new(plan),
        plugins,
        gate: Arc::new(gate),
        options: RunOptions { jobs, ..RunOptions::default() },
    };
    let ended = if std::env::var_os("SPAWN").is_some() {
        runtime.block_on(async { tokio::spawn(engine.execute(Cancel::new())).await.unwrap() })
    } else {
        runtime.block_on(engine.execute(Cancel::new()))
    };
    mark("ended");
    std::mem::forget((runtime, sandbox));
    if ended.exit_code != 0 {
        eprintln!("{ended:?}")
    }
    mark("out");
    std::process::exit(ended.exit_code.into());
}
