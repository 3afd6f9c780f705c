//! Each function works when it is allowed, and is denied when the plugin does not ask or nobody grants it.

use windlass_capability_testing::denied;
use windlass_gate::api::health::{Check, HttpProbe, Policy, Target, UrlHttp, Wait};

use crate::script::Script;

const URL: &str = "http://shop.example:8080/health?full=1";
const GRANTED: &str = r#"{ health = ["http://shop.example:8080/health"] }"#;

fn target() -> Target {
    Target::Url(UrlHttp { url: URL.to_owned(), probe: HttpProbe::default() })
}

#[tokio::test]
async fn check() {
    let script = Script::seeing(&[true]);
    let world = script.world();
    let check = Check { target: target(), timeout_ms: 500 };

    let report = world.step(&["health"], GRANTED).call(&check).await.expect("allowed");
    assert_eq!((report.healthy, report.attempts, &*report.last), (true, 1, "HTTP 200"));
    assert_eq!(world.calls().await, ["http.probe"], "the composite itself is not journaled");

    denied(world.step(&["http"], GRANTED).call(&check).await, &["does not ask for `health`"]);
    let other = r#"{ health = ["http://shop.example:8080/other"], http = ["GET http://shop.example:8080/**"] }"#;
    denied(
        world.step(&["health"], other).call(&check).await,
        &["http://shop.example:8080/health", "`grants.health`", "`notify`", "`release`"],
    );
    assert_eq!(script.made().len(), 1, "what is denied is not done");
}

#[tokio::test]
async fn wait() {
    let script = Script::seeing(&[false, true]);
    let world = script.world();
    let policy = Policy { interval_ms: 250, timeout_ms: 500, retries: 3, start_period_ms: 0, success_threshold: 1 };
    let wait = Wait { target: target(), policy };

    let report = world.step(&["health"], GRANTED).call(&wait).await.expect("allowed");
    assert_eq!((report.healthy, report.attempts), (true, 2));
    assert_eq!(world.calls().await, ["http.probe", "timer.sleep", "http.probe"]);

    denied(world.step(&[], GRANTED).call(&wait).await, &["does not ask for `health`"]);
    denied(world.step(&["health"], "{}").call(&wait).await, &["`grants.health`"]);
    assert_eq!(script.made().len(), 3, "what is denied is not done");
}
