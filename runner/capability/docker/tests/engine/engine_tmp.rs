use crate::common::*;
use windlass_capability_docker::DockerConfig;
use windlass_gate::api::docker::*;
#[tokio::test(flavor = "multi_thread")]
async fn sigterm() {
    let world = World::new(DockerConfig::at("unix:///tmp/dk2/d.sock"));
    let mut step = world.step(ALL);
    let line = std::env::var("LINE").unwrap_or_else(|_| "sleep 600".into());
    let t = std::time::Instant::now();
    println!("RESULT {:?} {:?}", step.call(&Run { spec: shell(&line), timeout_ms: None }).await, t.elapsed());
}
