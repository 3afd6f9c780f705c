//! exploration
use crate::common::*;
use windlass_capability_docker::DockerConfig;
use windlass_gate::api::docker::{Build, BuildSpec, Builder};
use windlass_journal::Stream;

fn with(builder: Builder) -> DockerConfig {
    let mut config = DockerConfig::at(wanted("DOCKER_HOST"));
    config.builder = Some(builder);
    config
}

#[test]
fn explore() {
    for builder in [Builder::Buildkit, Builder::Classic] {
        let cases: Vec<(&str, String)> = vec![
            (
                "ok",
                format!(
                    "FROM {BASE}\nARG X=1\nRUN echo out $X && echo err >&2\nRUN echo second\nLABEL a=b\nEXPOSE 80\n"
                ),
            ),
            ("bad", format!("FROM {BASE}\nRUN true\nFOO bar\n")),
            ("badflag", format!("FROM {BASE}\nCOPY --nope a b\n")),
            ("failing run", format!("FROM {BASE}\nRUN true\n\nRUN echo hello && \\\n  exit 3\n")),
            ("missing copy", format!("FROM {BASE}\nCOPY nope.txt /\n")),
            ("absent base", "FROM windlass-test/nope:1\n".to_owned()),
            ("absent base in registry", "FROM localhost:5000/nope:1\n".to_owned()),
            ("unauthorized base", "FROM localhost:5001/nope:1\n".to_owned()),
            ("unreachable base", "FROM localhost:5999/nope:1\n".to_owned()),
            ("unresolvable base", "FROM nowhere.invalid/nope:1\n".to_owned()),
            ("hub base", "FROM alpine:3\n".to_owned()),
            ("syntax", format!("# syntax=docker/dockerfile:1\nFROM {BASE}\nRUN true\n")),
            ("empty", String::new()),
            ("no from", "RUN true\n".to_owned()),
            ("missing exec", format!("FROM {BASE}\nRUN [\"/nope\"]\n")),
            ("no stage", format!("FROM {BASE}\nCOPY --from=nothing /a /b\n")),
        ];
        engine_with(with(builder.clone()), |world| async move {
            for (name, text) in cases {
                world.file("Dockerfile", &text);
                world.file(".dockerignore", ".windlass");
                let before = world.log(Stream::Stdout).await.len();
                let pbefore = world.log(Stream::Progress).await.len();
                let t = std::time::Instant::now();
                let result = world
                    .host(1)
                    .call(&Build { spec: BuildSpec { args: vec![pair("X", "two words")], ..build(".") } })
                    .await;
                println!("=== {builder:?} {name} {:?}: {result:?}", t.elapsed());
                if name == "ok" || name.contains("failing") {
                    println!("--- log: {}", &world.log(Stream::Stdout).await[before..]);
                    println!("--- progress: {}", &world.log(Stream::Progress).await[pbefore..]);
                }
            }
        });
    }
}
