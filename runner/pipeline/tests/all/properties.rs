//! What holds for every input.

use std::collections::HashMap;

use proptest::prelude::*;
use windlass_pipeline::grants::vocabulary::Kind;
use windlass_pipeline::{MAX_BYTES, Pattern, decode, parse, parse_tolerant, plan};

use crate::support::{descriptions, facts, report, source, stages};

/// Everything that can be done with a text, and with what comes of it.
fn everything(bytes: &[u8]) {
    let Ok(source) = decode("pipeline.toml", bytes) else { return };
    let pipeline = parse_tolerant(&source);
    let sound = parse(&source).is_ok();
    assert_eq!(sound, pipeline.is_sound());
    pipeline.plugin_sources();
    match plan(&pipeline, &source, &facts(), &descriptions()) {
        Ok(plan) => {
            assert!(sound);
            serde_json::to_string(&plan).unwrap();
            for step in &plan.steps {
                step.permissions().for_each(drop);
                let _ = step.with.fill(&mut |_| None);
            }
            plan.warnings.render(true);
        }
        Err(problems) => {
            assert!(problems.has_errors());
            assert!(!problems.to_string().is_empty());
            problems.render(false);
            problems.render(true);
            serde_json::to_string(&problems).unwrap();
            for one in &problems {
                assert!(one.line > 0 && one.column > 0);
                assert!(source.text.is_char_boundary(one.span.start) && source.text.is_char_boundary(one.span.end));
            }
        }
    }
}

/// A valid pipeline with all that one can have.
const SEED: &str = r#"[pipeline]
name = "storefront"
timeout = "1h"
[vars]
image = "${env.REGISTRY:-localhost}/storefront"
[secrets]
token = { env = "TOKEN" }
[plugins]
image = "builtin:image"
[stages.build]
[[stages.build.steps]]
uses = "image"
timeout = "5m"
limits = { memory = "256MiB", calls = 1_000 }
with = { context = ".", tag = "${vars.image}:${git.short}", push = true, labels = { "a.b" = 'c' } }
grants = { docker = { build = ["."], push = ["${vars.image}"], run = { images = ["nginx:1"], ports = ["8080"] } } }
[stages.test]
needs = ["build"] # after it
required = false
steps = [{ uses = "builtin:command", with.size = "${stages.build.steps.image.outputs.size}", env = { A = "x ${stages.build.steps.image.outputs.ref}" }, grants = { files = { write = ["dist"] }, http = ["GET,HEAD https://*.example/**"], secrets = ["token"], process = ["cargo"], health = ["tcp://127.0.0.1:1"] } }]
"#;

#[test]
fn the_seed_is_valid() {
    assert_eq!(report(SEED), "");
}

/// Pieces that a pipeline is made of, so that chance finds more than syntax errors.
fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "[pipeline]",
        "[stages.a]",
        "[[stages.a.steps]]",
        "[stages]",
        "[stages.a.steps]",
        "[vars]",
        "[plugins]",
        "[secrets]",
        "[stages.a.steps.with]",
        "[stages.a.steps.grants]",
        "[[stages.b.steps]]",
        "name",
        "uses",
        "with",
        "grants",
        "needs",
        "env",
        "limits",
        "timeout",
        "required",
        "on-crash",
        "docker",
        "push",
        "run",
        "images",
        "files",
        "write",
        "http",
        "a",
        "b.c",
        "\"a b\"",
        "=",
        "=",
        "=",
        " ",
        ".",
        ",",
        "\n",
        "\n",
        "\n",
        "[",
        "]",
        "{",
        "}",
        "[[",
        "]]",
        "\"builtin:image\"",
        "\"builtin:command\"",
        "\"a\"",
        "\"${vars.a}\"",
        "\"${stages.a.steps.image.outputs.ref}\"",
        "\"${env.X:-y}\"",
        "'${'",
        "\"\\u00e9${vars.x}\"",
        "\"\"\"\n${git.short}\n\"\"\"",
        "1",
        "-1",
        "1.5",
        "inf",
        "true",
        "1979-05-27",
        "0x1f",
        "\"5m\"",
        "\"GET https://a.example/**\"",
        "\"..\"",
        "\"*\"",
        "# c",
        "é",
        "\r\n",
        "\t",
    ];
    prop_oneof![9 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

/// Any value that TOML has.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
        "[ -~]{0,12}".prop_map(|text| format!("{text:?}").replace("\\'", "'")),
        Just("\"${vars.a} ${stages.a.steps.x.outputs.text}\"".to_owned()),
        Just("1979-05-27".to_owned()),
        Just("nan".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "a", "name", "uses", "with", "grants", "docker", "push", "run", "files", "read", "write", "images", "http",
            "env", "path", "needs", "steps", "limits",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::hash_map(key, inner, 0..4).prop_map(|map: HashMap<_, _>| {
                let entries: Vec<String> = map.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        everything(&bytes);
    }

    #[test]
    fn no_pieces_panic(pieces in prop::collection::vec(piece(), 0..60)) {
        everything(pieces.concat().as_bytes());
        everything(pieces.join(" ").as_bytes());
    }

    #[test]
    fn no_mutation_panics(
        changes in prop::collection::vec((0..SEED.len(), 0..30_usize, piece()), 1..6),
    ) {
        let mut text = SEED.to_owned();
        for (at, length, piece) in changes {
            let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (floor(at), floor(at + length));
            text.replace_range(start..end.max(start), &piece);
        }
        everything(text.as_bytes());
    }

    #[test]
    fn no_tree_panics(pipeline in value(), vars in value(), secrets in value(), plugins in value(), steps in value(), stage in value()) {
        everything(format!("pipeline = {pipeline}\nvars = {vars}\nsecrets = {secrets}\nplugins = {plugins}\nstages = {{ a = {{ steps = {steps} }}, b = {stage} }}").as_bytes());
    }

    #[test]
    fn no_step_panics(step in value(), with in value(), grants in value(), env in value(), limits in value()) {
        everything(stages(&format!("[stages.a]\nsteps = [{step}, {{ uses = \"x\", with = {with}, grants = {grants}, env = {env}, limits = {limits} }}]\n")).as_bytes());
    }

    #[test]
    fn the_order_is_stable_and_topological(needs in prop::collection::vec(prop::collection::btree_set(0_usize..12, 0..4), 1..12)) {
        let stage = |(at, needs): (usize, &std::collections::BTreeSet<usize>)| {
            let needs: Vec<String> = needs.iter().filter(|need| **need < at).map(|need| format!("\"s{need}\"")).collect();
            format!("[stages.s{at}]\nneeds = [{}]\nsteps = [{{ uses = \"x\" }}]\n", needs.join(", "))
        };
        // In the file the last comes first, so that the order has something to do.
        let text: String = needs.iter().enumerate().rev().map(stage).collect();
        let source = source(&stages(&text));
        let make = || {
            let pipeline = parse(&source).unwrap();
            plan(&pipeline, &source, &facts(), &descriptions()).unwrap()
        };
        let (first, second) = (make(), make());
        prop_assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&second).unwrap());
        for (at, stage) in first.stages.iter().enumerate() {
            prop_assert!(stage.needs.iter().all(|need| (*need as usize) < at));
            for need in &stage.needs {
                prop_assert!(first.stages[*need as usize].dependents.contains(&(at as u32)));
            }
            prop_assert!(stage.needs.is_sorted() && stage.dependents.is_sorted());
            prop_assert!(first.steps_of(stage).iter().all(|step| step.stage == at as u32));
        }
        // Of two stages that could both be next, the one that stands first in the file is.
        for pair in first.stages.windows(2) {
            let free = !pair[1].needs.iter().any(|need| *first.stages[*need as usize].name == *pair[0].name);
            prop_assert!(!free || pair[0].location < pair[1].location);
        }
    }

    #[test]
    fn a_folder_never_covers_what_is_outside(folder in "[ab./]{1,8}", resource in "[ab./]{0,10}") {
        let Ok(pattern) = Pattern::parse(Kind::Folder, &folder) else { return Ok(()) };
        let resolve = |path: &str| {
            let mut parts: Vec<String> = Vec::new();
            for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
                if part == ".." {
                    parts.pop()?;
                } else {
                    parts.push(part.to_owned());
                }
            }
            Some((path.starts_with('/'), parts))
        };
        if pattern.matches(&resource) {
            let (Some((a, granted)), Some((b, wanted))) = (resolve(&folder), resolve(&resource)) else {
                return Err(TestCaseError::fail("matched what leads outside"));
            };
            prop_assert_eq!(a, b);
            prop_assert!(wanted.starts_with(&granted));
        }
    }

    #[test]
    fn a_repository_never_covers_another(grant in "[ab]{1,3}(/[ab*]{1,2}){0,2}(:[ab])?", resource in "[ab]{1,3}(/[ab]{1,2}){0,2}(:[ab])?(@sha256:[0-9a-f]{64})?") {
        let Ok(pattern) = Pattern::parse(Kind::Repository, &grant) else { return Ok(()) };
        if pattern.matches(&resource) {
            let bare = |text: &str| text.split('@').next().unwrap().split(':').next().unwrap().to_owned();
            let base = bare(&grant);
            let base = base.trim_end_matches('*');
            if grant.contains('*') {
                prop_assert!(bare(&resource).starts_with(base));
            } else {
                let full = |name: &str| name.strip_prefix("library/").unwrap_or(name).to_owned();
                prop_assert_eq!(full(&bare(&resource)), full(base));
            }
            if let Some((_, tag)) = grant.split_once(':') {
                prop_assert!(resource.split_once(':').is_some_and(|(_, found)| found == tag));
            }
        }
    }

    #[test]
    fn a_url_never_covers_another_host_or_scheme(
        host in "[ab]{1,2}\\.(test|\\*)", path in "(/[ab*]{0,3}){1,3}",
        other in "[ab]{1,2}(\\.[ab]{1,4}){0,2}", tail in "([/?#@:\\\\.%2fe]|[ab]){0,10}", scheme in "https?",
    ) {
        let Ok(pattern) = Pattern::parse(Kind::Request, &format!("https://{host}{path}")) else { return Ok(()) };
        let resource = format!("{scheme}://{other}{tail}");
        if pattern.matches(&resource) {
            let url = url::Url::parse(&resource).unwrap();
            prop_assert_eq!(url.scheme(), "https");
            let found = url.host_str().unwrap();
            prop_assert_eq!(found.split('.').count(), 2);
            prop_assert_eq!(found.split('.').next(), host.split('.').next());
            prop_assert_eq!(url.port_or_known_default(), Some(443));
            let literal = path.split('*').next().unwrap();
            prop_assert!(url.path().starts_with(literal));
        }
    }

    #[test]
    fn any_pattern_and_any_resource_are_safe(kind in 0..8_usize, pattern in any::<String>(), resource in any::<String>()) {
        let kinds = [Kind::Folder, Kind::Repository, Kind::Port, Kind::Name, Kind::Artifact, Kind::Request, Kind::Target, Kind::Program];
        if let Ok(pattern) = Pattern::parse(kinds[kind], &pattern) {
            pattern.matches(&resource);
        }
    }
}

#[test]
fn hostile_shapes_end_quickly() {
    let big = 200_000;
    for text in [
        "[".repeat(big),
        "{".repeat(big),
        "a.".repeat(big / 2),
        "a = ".to_owned() + &"[".repeat(big),
        "a = ".to_owned() + &"{a=".repeat(big / 3),
        "\"".repeat(big),
        "'''".repeat(big / 3),
        "x\n".repeat(big / 2),
        "=\n".repeat(big / 2),
        "[a]\n".repeat(big / 4),
        "[[a]]\n".repeat(big / 6),
        "[[a.b]]\n".repeat(big / 8),
        format!("a = \"{}\"", "${".repeat(big / 2)),
        format!("[vars]\na = \"{}\"", "${vars.a}".repeat(big / 9)),
        format!("a = [{}]", "1,".repeat(big / 2)),
        "#".repeat(big),
        "\n".repeat(big),
        (0..big / 16).map(|n| format!("k{n:08} = 1\n")).collect(),
        format!("[stages.a]\nneeds = [{}]", "\"a\",".repeat(big / 4)),
        format!("[stages.a]\nsteps = [{}]", "{},".repeat(big / 3)),
        format!(
            "[stages.a]\nsteps = [{{ uses = \"builtin:image\", with = {{ {} }} }}]",
            (0..big / 12).map(|n| format!("k{n} = 1,")).collect::<String>()
        ),
        format!(
            "[stages.a]\nsteps = [{{ uses = \"builtin:command\", grants = {{ files = {{ write = [\"{}\"] }} }} }}]",
            "a/".repeat(big / 2)
        ),
        format!("[stages.a]\nsteps = [{{ grants = {{ process = [{}] }} }}]", "\"a b\",".repeat(big / 6)),
    ] {
        everything(text.as_bytes());
    }
}

#[test]
fn the_largest_file_is_read() {
    let head = "[pipeline]\nname = \"p\"\n[[stages.a.steps]]\nuses = \"builtin:command\"\n[stages.a.steps.with]\n";
    let mut text = format!("{head}script = '''\n");
    let tail = "'''\n";
    text.extend(std::iter::repeat_n('x', MAX_BYTES - text.len() - tail.len()));
    text.push_str(tail);
    assert_eq!(text.len(), MAX_BYTES);
    assert_eq!(report(&text), "");
}
