//! Builds, by both builders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use windlass_capability_docker::DockerConfig;
use windlass_gate::CallError;
use windlass_gate::api::NamedValue;
use windlass_gate::api::Value;
use windlass_gate::api::docker::{Build, BuildSpec, Builder, Built, InspectImage, Run};
use windlass_journal::Stream;

use crate::common::{
    ALL, BASE, World, bollard, build, engine, engine_with, error, pair, registry_config, secret, shell, wanted,
};

/// Runs a test with each builder.
fn both<F: Future<Output = ()>>(body: impl Fn(Arc<World>) -> F) {
    for builder in [Builder::Buildkit, Builder::Classic] {
        engine_with(with(builder), &body);
    }
}

fn with(builder: Builder) -> DockerConfig {
    DockerConfig { builder: Some(builder), ..DockerConfig::at(wanted("DOCKER_HOST")) }
}

async fn built(world: &World, spec: BuildSpec) -> Built {
    let untagged = spec.tags.is_empty();
    let made = world.step(ALL).call(&Build { spec }).await.expect("built");
    if untagged {
        world.forget_image(&made.id);
    }
    made
}

async fn failed(world: &World, dockerfile: &str) -> CallError {
    world.file("Dockerfile", dockerfile);
    error(world.step(ALL).call(&Build { spec: build(".") }).await)
}

/// What a container of the image prints.
async fn prints(world: &World, image: &str, line: &str) -> String {
    let spec = windlass_gate::api::docker::ContainerSpec { image: image.to_owned(), ..shell(line) };
    world.host(50).call(&Run { spec, timeout_ms: None }).await.expect("it ran").stdout_tail
}

async fn forget(image: &str) {
    let options = bollard::query_parameters::RemoveImageOptionsBuilder::default().force(true).build();
    bollard().remove_image(image, Some(options), None).await.expect("removed");
}

#[test]
fn an_image_is_what_the_files_say() {
    both(|world| async move {
        world.file(
            "app/docker/Dockerfile",
            &format!("FROM {BASE} AS first\nARG WORD=none\nRUN echo said $WORD > /word\nFROM first AS second\nCOPY . /context\nLABEL own=1\nEXPOSE 8080\nFROM first\nRUN false\n"),
        );
        world.file("app/.dockerignore", "*.log\n!keep.log\nnode_modules\n");
        for path in ["a.txt", "b.log", "keep.log", "node_modules/x.js", "sub/c.log"] {
            world.file(&format!("app/{path}"), path);
        }
        let tag = format!("windlass-test/{}:1", world.run);
        let spec = BuildSpec {
            dockerfile: Some("docker/Dockerfile".into()),
            tags: vec![tag.clone()],
            args: vec![pair("WORD", "two words & \"more\"")],
            labels: vec![pair("team", "shop=1")],
            target: Some("second".into()),
            ..build("app")
        };
        let made = built(&world, spec.clone()).await;
        assert_eq!(made.tags, std::slice::from_ref(&tag));
        let image = world.step(ALL).call(&InspectImage { reference: tag.clone() }).await.expect("there");
        assert_eq!(image.id, made.id);
        assert_eq!(image.labels, [pair("own", "1"), pair("team", "shop=1")]);
        assert_eq!(image.exposed_ports, ["8080/tcp"]);
        let found = prints(&world, &tag, "cat /word; cd /context; find . -type f | sort").await;
        assert_eq!(
            found,
            "said two words & \"more\"\n./.dockerignore\n./a.txt\n./docker/Dockerfile\n./keep.log\n./sub/c.log\n"
        );
        let again = built(&world, spec).await;
        assert_eq!(again.id, made.id, "a build that is repeated is the same");
        forget(&tag).await;
    });
}

#[test]
fn output_flows_into_the_log_plainly() {
    both(|world| async move {
        let text = format!(
            "FROM {BASE}\nRUN printf '\\033[31mred\\033[0m {}\\n' && echo err >&2\nRUN printf 'no end'\n",
            world.run
        );
        world.file("Dockerfile", &text);
        built(&world, build(".")).await;
        let log = world.log(Stream::Stdout).await;
        let lines: Vec<_> = log.lines().collect();
        for line in [&format!("red {}", world.run), "err", "no end"] {
            assert!(lines.contains(&line), "{line} in {log}");
        }
        assert!(lines.iter().any(|line| line.contains("RUN printf")), "{log}");
    });
}

#[test]
fn a_failure_names_the_line_and_shows_the_last_lines() {
    both(|world| async move {
        for (text, place, why) in [
            (format!("FROM {BASE}\nRUN true\nFOO bar\n"), "line 3 `FOO bar`", "unknown instruction"),
            (format!("FROM {BASE}\nCOPY --nope a b\n"), "line 2 `COPY --nope a b`", "nknown flag"),
            (
                format!("FROM {BASE}\n\nRUN echo about to && \\\n  exit 3\n"),
                "line 3 `RUN echo about to && exit 3`",
                "3; the last lines:\nabout to",
            ),
            (format!("FROM {BASE}\nCOPY absent.txt /\n"), "line 2 `COPY absent.txt /`", "absent.txt"),
            (format!("FROM {BASE}\nRUN [\"/absent\"]\n"), "line 2 `RUN [\"/absent\"]`", "/absent"),
            (String::new(), "Dockerfile", "cannot be empty"),
        ] {
            let error = failed(&world, &text).await;
            assert!(matches!(&error, CallError::BuildFailed(_)), "{text}: {error:?}");
            let message = error.message();
            assert!(message.starts_with("cannot build `.` (Dockerfile)"), "{message}");
            assert!(message.contains(place) && message.contains(why), "{text}: {message}");
        }
    });
}

#[test]
fn a_base_that_cannot_be_had_says_why() {
    both(|world| async move {
        let registry = wanted("WINDLASS_REGISTRY");
        let closed = wanted("WINDLASS_TEST_REGISTRY_AUTH");
        let error = failed(&world, &format!("FROM {registry}/absent-{}:1\n", world.run)).await;
        assert!(
            matches!(&error, CallError::BuildFailed(text) if text.contains("line 1 `FROM ") && text.contains("not found")),
            "{error:?}"
        );
        let error = failed(&world, &format!("FROM {BASE}\nFROM {closed}/x:1\n")).await;
        assert!(
            matches!(&error, CallError::Unauthorized(text) if text.contains("line 2") && text.contains("docker login")),
            "{error:?}"
        );
        // Port 9 is nobody's.
        let error = failed(&world, "FROM localhost:9/x:1\n").await;
        assert!(
            matches!(&error, CallError::RegistryUnavailable(text) if text.contains("line 1") && text.contains("localhost:9")),
            "{error:?}"
        );
    });
}

#[test]
fn a_base_is_pulled_with_the_login_that_there_is() {
    let registry = wanted("WINDLASS_TEST_REGISTRY_AUTH");
    for builder in [Builder::Buildkit, Builder::Classic] {
        let (_folder, config) = registry_config(&registry, "windlass-test");
        engine_with(DockerConfig { builder: Some(builder), ..config }, |world| {
            let registry = registry.clone();
            async move {
                use windlass_gate::api::docker::{Push, Tag};
                let base = format!("{registry}/{}:1", world.run);
                let mut host = world.host(1);
                host.call(&Tag { image: BASE.into(), reference: base.clone() }).await.expect("tagged");
                host.call(&Push { reference: base.clone(), credentials: None }).await.expect("pushed");
                forget(&base).await;
                world.file("Dockerfile", &format!("FROM {base}\nRUN true\n"));
                host.call(&Build { spec: BuildSpec { pull: true, ..build(".") } }).await.expect("built");
            }
        });
    }
}

#[test]
fn a_missing_dockerfile_is_named_by_its_path() {
    engine(|world| async move {
        world.file("app/x", "");
        let error = error(world.step(ALL).call(&Build { spec: build("app") }).await);
        let path = world.workspace().join("app/Dockerfile");
        assert!(matches!(&error, CallError::NotFound(text) if text.contains(&path.display().to_string())), "{error:?}");
    });
}

#[test]
fn a_context_outside_is_refused() {
    engine(|world| async move {
        std::os::unix::fs::symlink("/etc", world.workspace().join("link")).expect("linked");
        for context in ["link", "..", ".windlass"] {
            let error = error(world.host(1).call(&Build { spec: build(context) }).await);
            assert!(matches!(error, CallError::Denied(_)), "{context}: {error:?}");
        }
    });
}

#[test]
fn secrets_are_there_for_the_step_and_nowhere_else() {
    engine_with(with(Builder::Buildkit), |world| async move {
        world.file("Dockerfile", &format!("FROM {BASE}\nRUN --mount=type=secret,id=key wc -c < /run/secrets/key && cat /run/secrets/key && echo {}\n", world.run));
        let tag = format!("windlass-test/{}:1", world.run);
        let spec =
            BuildSpec { secrets: vec![secret("key", "token")], tags: vec![tag.clone()], no_cache: true, ..build(".") };
        built(&world, spec).await;
        let log = world.log(Stream::Stdout).await;
        assert!(log.contains(&format!("{}\n***{}\n", crate::common::SECRET.1.len(), world.run)), "{log}");
        assert_eq!(prints(&world, &tag, "ls -A /run/secrets 2>/dev/null").await, "");
        forget(&tag).await;
    });
}

#[test]
fn secrets_need_buildkit() {
    engine_with(with(Builder::Classic), |world| async move {
        world.file("Dockerfile", &format!("FROM {BASE}\n"));
        let spec = BuildSpec {
            secrets: vec![NamedValue { name: "key".into(), value: Value::Plain("x".into()) }],
            ..build(".")
        };
        let error = error(world.step(ALL).call(&Build { spec }).await);
        assert!(
            matches!(&error, CallError::Invalid(text) if text.contains("BuildKit") && text.contains("DOCKER_BUILDKIT")),
            "{error:?}"
        );
    });
}

#[test]
fn cache_mounts_outlive_a_build() {
    engine_with(with(Builder::Buildkit), |world| async move {
        let line = format!(
            "RUN --mount=type=cache,target=/cache,id={} echo x >> /cache/x; echo lines $(wc -l < /cache/x) $BUILD",
            world.run
        );
        world.file("Dockerfile", &format!("FROM {BASE}\nARG BUILD\n{line}\n"));
        for number in ["first", "second"] {
            built(&world, BuildSpec { args: vec![pair("BUILD", number)], ..build(".") }).await;
        }
        let log = world.log(Stream::Stdout).await;
        assert!(log.contains("lines 1 first\n") && log.contains("lines 2 second\n"), "{log}");
    });
}

#[test]
fn a_frontend_that_cannot_be_had_says_what_to_do() {
    engine_with(with(Builder::Buildkit), |world| async move {
        let error = failed(&world, &format!("# syntax=localhost:9/frontend:1\nFROM {BASE}\n")).await;
        assert!(
            matches!(&error, CallError::BuildFailed(text) if text.contains("line 1") && text.contains("localhost:9/frontend:1") && text.contains("without that line")),
            "{error:?}"
        );
    });
}

#[test]
fn a_large_context_is_streamed_whole() {
    both(|world| async move {
        let chunk: String =
            (0..1 << 20).map(|index| char::from(b'a' + u8::try_from(index % 23).unwrap_or(0))).collect();
        for index in 0..24 {
            world.file(&format!("data/{index}"), &chunk);
        }
        world.file("Dockerfile", &format!("FROM {BASE}\nCOPY data /data\n"));
        let tag = format!("windlass-test/{}:1", world.run);
        built(&world, BuildSpec { tags: vec![tag.clone()], ..build(".") }).await;
        let found = prints(&world, &tag, "cat /data/* | wc -c").await;
        assert_eq!(found.trim(), (24 << 20).to_string());
        forget(&tag).await;
    });
}

#[test]
fn a_file_that_cannot_be_packed_is_named() {
    both(|world| async move {
        use std::os::unix::ffi::OsStrExt as _;
        world.file("Dockerfile", &format!("FROM {BASE}\nCOPY . /all\n"));
        let name = std::ffi::OsStr::from_bytes(b"no\xfftext");
        std::fs::write(world.workspace().join(name), "").expect("written");
        let error = error(world.step(ALL).call(&Build { spec: build(".") }).await);
        assert!(matches!(&error, CallError::Invalid(text) if text.contains("no text")), "{error:?}");
    });
}

/// A build that is dropped is given up by the engine, too.
#[test]
fn a_cancelled_build_ends() {
    both(|world| async move {
        world.file("Dockerfile", &format!("FROM {BASE}\nRUN echo begun-{0} && sleep 600\n", world.run));
        let mut step = world.step(ALL);
        let request = Build { spec: build(".") };
        let mut building = Box::pin(step.call(&request));
        let begun = format!("\nbegun-{}", world.run);
        let seen = async {
            while !format!("\n{}", world.log(Stream::Stdout).await).contains(&begun) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = &mut building => panic!("it ended: {answer:?}"),
            () = seen => {}
        }
        drop(building);
        let sleeping = || {
            let processes = std::fs::read_dir("/proc").expect("the processes");
            let lines = processes.flatten().filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
            lines.filter(|line| String::from_utf8_lossy(line).contains(&format!("echo begun-{}", world.run))).count()
        };
        let given_up = async {
            while sleeping() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), given_up).await.expect("the engine gave the build up");
    });
}

#[test]
fn the_builder_is_told() {
    let builders: BTreeMap<_, _> = [("buildkit", Builder::Buildkit), ("classic", Builder::Classic)].into();
    for builder in builders.into_values() {
        engine_with(with(builder.clone()), |world| async move {
            world.file("Dockerfile", &format!("FROM {BASE}\n"));
            assert_eq!(built(&world, build(".")).await.builder, builder);
        });
    }
    engine(|world| async move {
        world.file("Dockerfile", &format!("FROM {BASE}\n"));
        assert_eq!(built(&world, build(".")).await.builder, Builder::Buildkit, "BuildKit is the default");
    });
}
