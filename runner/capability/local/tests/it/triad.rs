//! Each function works when it is allowed, and is denied when the plugin does not ask or nobody grants it.

use windlass_capability_local::{Artifacts, Timer};
use windlass_capability_testing::{World, denied};
use windlass_gate::api::artifacts::{Get, List, Put};
use windlass_gate::api::timer::Sleep;
use windlass_journal::Record;

use crate::process::{run, world};

#[tokio::test]
async fn process_run() {
    let world = world();
    let granted = r#"{ process = ["touch"] }"#;
    let command = run("touch", &["made"]);

    assert_eq!(world.step(&["process"], granted).call(&command).await.expect("allowed").code, 0);
    let made = world.workspace().join("made");
    assert!(made.exists());
    assert!(
        matches!(&world.entries().await[1].record, Record::CallStarted { function, .. } if &**function == "process.run"),
        "it is an effect"
    );

    std::fs::remove_file(&made).expect("removed");
    denied(world.step(&["docker"], granted).call(&command).await, &["process.run", "does not ask for `process`"]);
    denied(
        world.step(&["process"], r#"{ process = ["true"] }"#).call(&command).await,
        &["`touch`", "`grants.process`", "`notify`", "`release`"],
    );
    // The name is granted, not whatever file it may stand for.
    let path = run("/usr/bin/touch", &["made"]);
    denied(world.step(&["process"], granted).call(&path).await, &["`/usr/bin/touch`"]);
    assert!(!made.exists(), "what is denied is not done");
}

#[tokio::test]
async fn artifacts_put_and_get() {
    let world = World::new(|gate| gate.with(Artifacts));
    let granted = r#"{ artifacts = { read = ["reports/*"], write = ["reports/*"] } }"#;
    let put = |name: &str| Put { name: name.to_owned(), content: b"content".to_vec() };
    let get = |name: &str| Get { name: name.to_owned() };

    world.step(&["artifacts"], granted).call(&put("reports/unit")).await.expect("allowed");
    assert_eq!(world.step(&["artifacts"], granted).call(&get("reports/unit")).await.expect("allowed").0, b"content");

    denied(world.step(&[], granted).call(&put("reports/unit")).await, &["does not ask for `artifacts`"]);
    denied(world.step(&[], granted).call(&get("reports/unit")).await, &["does not ask for `artifacts`"]);
    denied(
        world.step(&["artifacts"], granted).call(&put("other")).await,
        &["`other`", "write = [\"other\"]", "`grants.artifacts`"],
    );
    denied(world.step(&["artifacts"], granted).call(&get("other")).await, &["`other`", "read = [\"other\"]"]);
    denied(world.step(&["artifacts"], r#"{ artifacts = { read = ["**"] } }"#).call(&put("x")).await, &["`x`"]);
}

#[tokio::test]
async fn artifacts_list() {
    let world = World::new(|gate| gate.with(Artifacts));
    let granted = r#"{ artifacts = { read = ["**"] } }"#;
    assert_eq!(world.step(&["artifacts"], granted).call(&List {}).await.expect("allowed"), []);
    denied(world.step(&[], granted).call(&List {}).await, &["does not ask for `artifacts`"]);
    denied(world.step(&["artifacts"], "{}").call(&List {}).await, &["artifacts"]);
}

/// Waiting needs neither; it is there for everybody.
#[tokio::test]
async fn timer_sleep() {
    let world = World::new(|gate| gate.with(Timer));
    world.step(&[], "{}").call(&Sleep { milliseconds: 1 }).await.expect("always allowed");
    assert_eq!(world.calls().await, ["timer.sleep"]);
}
