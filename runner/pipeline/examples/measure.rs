//! Times the way from text to plan for a generated pipeline, and says how much memory it took.
//!
//! `cargo run --release -p windlass-pipeline --example measure -- [WIDE] [DEEP]` (100 and 100 unless told).

#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use windlass_pipeline::{
    CapabilityUse, Description, Descriptions, Facts, OutputKind, OutputSpec, PluginSource, decode, parse, plan,
};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let wide = arguments.next().unwrap_or(100);
    let deep = arguments.next().unwrap_or(100);
    println!("before: peak {}", peak());
    let (descriptions, facts) = (descriptions(), Facts { run_id: "r1".into(), ..Facts::default() });
    let mut best = [f64::MAX; 3];
    for round in 0..20 {
        let bytes = generate(wide, deep).into_bytes();
        if round == 0 {
            println!("{} stages, {:.2} MB", wide * deep, bytes.len() as f64 / 1e6);
        }
        let start = Instant::now();
        let Ok(source) = decode("pipeline.toml", bytes) else { return println!("not text") };
        let pipeline = match parse(&source) {
            Ok(pipeline) => pipeline,
            Err(problems) => return println!("{problems}"),
        };
        let parsed = start.elapsed();
        let plan = match plan(&pipeline, &source, &facts, &descriptions) {
            Ok(plan) => plan,
            Err(problems) => return println!("{problems}"),
        };
        let all = start.elapsed();
        for (best, this) in best.iter_mut().zip([parsed, all - parsed, all]) {
            *best = best.min(this.as_secs_f64() * 1e3);
        }
        if round == 0 {
            println!("first: parse {parsed:?}, plan {:?}, peak {}", all - parsed, peak());
        }
        assert_eq!(plan.steps.len(), wide * deep);
    }
    println!("best of 20: parse {:.2} ms, plan {:.2} ms, both {:.2} ms; peak {}", best[0], best[1], best[2], peak());
}

/// Layers of stages, each of which needs two of the layer before.
fn generate(wide: usize, deep: usize) -> String {
    let mut text = String::from(
        "[pipeline]\nname = \"generated\"\n\n[vars]\nwho = \"world\"\n\n[plugins]\necho = \"plugins/echo.wasm\"\n",
    );
    for layer in 0..deep {
        for at in 0..wide {
            let _ = writeln!(text, "\n[stages.s-{layer:03}-{at:03}]");
            if layer > 0 {
                let (above, other) = (layer - 1, (at + 1) % wide);
                let _ = writeln!(text, "needs = [\"s-{above:03}-{at:03}\", \"s-{above:03}-{other:03}\"]");
            }
            let _ = write!(text, "[[stages.s-{layer:03}-{at:03}.steps]]\nuses = \"echo\"\n");
            let _ = writeln!(text, "with = {{ message = \"step {at} of layer {layer}\" }}");
            let _ = writeln!(text, "grants = {{ files = {{ read = [\"src\"] }} }}");
        }
    }
    text
}

fn descriptions() -> Descriptions {
    let echo = Description {
        name: "echo".into(),
        version: "1.0.0".into(),
        documentation: String::new(),
        with_schema: serde_json::json!({
            "type": "object",
            "properties": { "message": { "type": "string" } },
            "required": ["message"],
            "additionalProperties": false,
        }),
        capabilities: vec![CapabilityUse { capability: "files".into(), required: false, reason: String::new() }],
        outputs: vec![OutputSpec { name: "text".into(), kind: OutputKind::String, documentation: String::new() }],
    };
    BTreeMap::from([(PluginSource::Path("plugins/echo.wasm".into()), Arc::new(echo))])
}

#[expect(clippy::disallowed_methods, reason = "the process asks the system about itself")]
/// The most memory that the process ever held, as Linux says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}
