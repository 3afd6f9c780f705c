//! Grants as the gate asks them.

use windlass_pipeline::grants::vocabulary::{self, AMBIENT, Kind, METHODS, VOCABULARY};
use windlass_pipeline::{Demand, Grants, Pattern};

fn grants(text: &str) -> Grants {
    Grants::parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn allows(grants: &Grants, capability: &str, verb: &str, resource: &str) -> bool {
    grants.allows(&Demand::new(capability, verb, resource)).is_some()
}

#[test]
fn everything_that_can_be_granted() {
    let all = grants(
        r#"
        docker = { build = ["."], tag = ["a"], push = ["localhost:5000/storefront"], pull = ["nginx"], containers = ["db-*"], networks = ["back"], volumes = ["data"], run = { images = ["postgres:16"], mounts = ["config"], mounts-write = ["out"], ports = ["8080", "0.0.0.0:80"] } }
        http = ["GET,HEAD http://127.0.0.1:*/**", "POST https://api.example/v1/*"]
        health = ["storefront", "http://127.0.0.1:*/**", "tcp://127.0.0.1:5432"]
        process = ["cargo", "/usr/bin/git"]
        files = { read = ["src"], write = ["dist"] }
        artifacts = { read = ["in/*"], write = ["report"] }
        secrets = ["token"]
        env = ["PATH", "CARGO_*"]
        "#,
    );
    for (capability, verb, resource) in [
        ("docker", "build", "."),
        ("docker", "build", "web/app"),
        ("docker", "push", "localhost:5000/storefront:1"),
        ("docker", "pull", "docker.io/library/nginx:latest"),
        ("docker", "run", "postgres:16"),
        ("docker", "mount", "config/a"),
        ("docker", "mount-write", "out"),
        ("docker", "port", "127.0.0.1:8080"),
        ("docker", "port", "127.0.0.1:80"),
        ("docker", "container", "db-1"),
        ("docker", "network", "back"),
        ("docker", "volume", "data"),
        ("http", "GET", "http://127.0.0.1:9000/health?x=1"),
        ("http", "HEAD", "http://127.0.0.1:9000/"),
        ("http", "POST", "https://api.example/v1/x"),
        ("health", "check", "storefront"),
        ("health", "check", "http://127.0.0.1:80/healthz"),
        ("health", "check", "tcp://127.0.0.1:5432"),
        ("process", "run", "cargo"),
        ("process", "run", "/usr/bin/git"),
        ("files", "read", "src/main.rs"),
        ("files", "write", "dist"),
        ("artifacts", "read", "in/a"),
        ("artifacts", "write", "report"),
        ("secrets", "use", "token"),
        ("env", "read", "CARGO_HOME"),
    ] {
        assert!(allows(&all, capability, verb, resource), "{capability} {verb} {resource}");
    }
    for (capability, verb, resource) in [
        ("docker", "push", "localhost:5000/other"),
        ("docker", "run", "nginx"),
        ("docker", "run", "postgres:17"),
        ("docker", "mount-write", "config"),
        ("docker", "port", "0.0.0.0:8080"),
        ("docker", "container", "web"),
        ("docker", "prune", "x"),
        ("http", "DELETE", "http://127.0.0.1:9000/"),
        ("http", "get", "http://127.0.0.1:9000/"),
        ("http", "request", "http://127.0.0.1:9000/"),
        ("http", "POST", "https://api.example/v1/x/y"),
        ("health", "check", "https://127.0.0.1:80/"),
        ("process", "run", "git"),
        ("files", "read", "dist"),
        ("files", "write", "src"),
        ("artifacts", "write", "in/a"),
        ("secrets", "use", "tok*"),
        ("env", "read", "HOME"),
        ("traffic", "shift", "storefront"),
    ] {
        assert!(!allows(&all, capability, verb, resource), "{capability} {verb} {resource}");
    }
}

#[test]
fn more_includes_less_and_nothing_else() {
    let push = grants("docker = { push = [\"a\"], run = { mounts-write = [\"out\"] } }");
    assert!(allows(&push, "docker", "tag", "a:1"));
    assert!(allows(&push, "docker", "mount", "out/x"));
    assert!(!allows(&push, "docker", "pull", "a:1"));
    assert!(!allows(&push, "docker", "run", "a:1"));
    let tag = grants("docker = { tag = [\"a\"] }");
    assert!(!allows(&tag, "docker", "push", "a:1"));
}

#[test]
fn short_forms() {
    assert!(allows(&grants("docker = { run = [\"a\"] }"), "docker", "run", "a:1"));
    let both = grants("artifacts = [\"report\"]");
    assert!(allows(&both, "artifacts", "read", "report") && allows(&both, "artifacts", "write", "report"));
}

#[test]
fn the_rule_says_what_was_written_where() {
    let grants = grants("docker = { push = [\"a\", \"localhost:5000/storefront\"] }");
    let rule = grants.allows(&Demand::new("docker", "tag", "localhost:5000/storefront:1")).unwrap();
    assert_eq!(
        (rule.capability, rule.verb, &*rule.text, rule.location.column),
        ("docker", "push", "localhost:5000/storefront", 25)
    );
    assert!(grants.grants_capability("docker") && !grants.grants_capability("http") && grants.grants_capability("log"));
    assert_eq!(grants.of("docker", "push").count(), 2);
}

#[test]
fn a_denial_says_what_to_write_where() {
    let hints: Vec<String> = [
        ("docker", "push", "localhost:5000/storefront:1@sha256:x"),
        ("docker", "run", "nginx:1"),
        ("docker", "port", "127.0.0.1:8080"),
        ("health", "check", "storefront"),
        ("http", "GET", "https://api.example/v1?token=x"),
        ("process", "run", "rm \"-rf\""),
        ("docker", "prune", "x"),
        ("docker", "mount", "../other"),
        ("files", "write", ".windlass/runs"),
    ]
    .into_iter()
    .map(|(capability, verb, resource)| Grants::denial_hint(&Demand::new(capability, verb, resource), "build", "image"))
    .collect();
    insta::assert_snapshot!("hints", hints.join("\n"));
}

#[test]
fn what_a_hint_says_helps() {
    for (capability, verb, resource) in [
        ("docker", "push", "localhost:5000/storefront:1"),
        ("docker", "run", "nginx:1"),
        ("docker", "mount", "config"),
        ("docker", "port", "127.0.0.1:8080"),
        ("docker", "container", "db"),
        ("files", "write", "dist/a"),
        ("http", "POST", "https://api.example/v1/x"),
        ("health", "check", "http://127.0.0.1:80/healthz"),
        ("process", "run", "/usr/bin/git"),
        ("artifacts", "read", "a/b"),
        ("env", "read", "PATH"),
    ] {
        let demand = Demand::new(capability, verb, resource);
        let hint = Grants::denial_hint(&demand, "s", "t");
        let what = hint.strip_prefix("add `").unwrap().split("` to `grants.").next().unwrap();
        let row = vocabulary::verb(capability, verb).unwrap();
        let text = if row.keys.is_empty() {
            format!("{capability} = [{what}]")
        } else {
            format!("{capability} = {{ {what} }}")
        };
        assert!(grants(&text).allows(&demand).is_some(), "{hint}");
    }
}

#[test]
fn the_vocabulary_is_consistent() {
    assert!(VOCABULARY.is_sorted_by_key(|row| row.capability), "rows of a capability stand together");
    assert!(METHODS.is_sorted());
    for row in VOCABULARY {
        assert!(row.documentation.ends_with('.'), "{}", row.path());
        let text = row.example.split_once(' ').map_or(row.example, |(_, url)| url);
        assert!(Pattern::parse(row.kind, text).is_ok(), "{}", row.path());
        assert!(!AMBIENT.contains(&row.capability));
        for other in row.implied_by {
            let more = vocabulary::verb(row.capability, other).unwrap();
            assert_eq!(more.kind, row.kind, "{}", row.path());
        }
        assert_eq!(row.kind == Kind::Request, row.capability == "http");
    }
}

#[test]
fn the_vocabulary_can_be_printed() {
    insta::assert_snapshot!("vocabulary", vocabulary::markdown());
}
