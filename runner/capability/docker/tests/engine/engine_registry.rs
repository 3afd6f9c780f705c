//! Pushes and pulls.

use std::sync::Arc;
use std::time::Duration;

use windlass_capability_docker::DockerConfig;
use windlass_gate::CallError;
use windlass_gate::api::Value;
use windlass_gate::api::docker::{ContainerSpec, Credentials, Pull, Push, Run, Tag};
use windlass_journal::Stream;

use crate::common::{BASE, World, bollard, engine, engine_with, error, registry_config, shell, wanted};

fn grants(registry: &str) -> String {
    format!(
        "{{ docker = {{ tag = [\"{registry}/*\"], push = [\"{registry}/*\"], pull = [\"{registry}/*\"], run = [\"windlass-test/*\", \"{registry}/*\"] }}, secrets = [\"registry\", \"wrong\"] }}"
    )
}

fn given(user: &str, secret: &str) -> Option<Credentials> {
    Some(Credentials { username: user.into(), password: Value::Secret(secret.into()) })
}

/// An image of the base that is this world's alone.
async fn tagged(world: &World, registry: &str) -> String {
    let reference = format!("{registry}/{}:1", world.run);
    world.host(20).call(&Tag { image: BASE.into(), reference: reference.clone() }).await.expect("tagged");
    reference
}

async fn forget(reference: &str) {
    let _ = bollard().remove_image(reference, None::<bollard::query_parameters::RemoveImageOptions>, None).await;
}

#[test]
fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    engine(|world| async move {
        let registry = wanted("WINDLASS_REGISTRY");
        let reference = tagged(&world, &registry).await;
        let mut step = world.step(&grants(&registry));
        let pushed = step.call(&Push { reference: reference.clone(), credentials: None }).await.expect("pushed");
        assert_eq!(pushed.reference, reference);
        assert!(pushed.digest.starts_with("sha256:") && pushed.digest.len() == 71, "{pushed:?}");
        assert_eq!(pushed.pinned, format!("{registry}/{}@{}", world.run, pushed.digest));
        let again = step.call(&Push { reference: reference.clone(), credentials: None }).await.expect("pushed");
        assert_eq!(again, pushed, "pushed twice is pushed");
        let progress = world.log(Stream::Progress).await;
        assert!(progress.contains("Pushed") || progress.contains("already exists"), "{progress}");
        assert!(progress.lines().count() < 20, "ticks of progress are no lines: {progress}");

        forget(&reference).await;
        let pulled =
            step.call(&Pull { reference: reference.clone(), credentials: None, platform: None }).await.expect("pulled");
        assert_eq!(pulled, pushed);
        forget(&reference).await;
        let by_digest = step
            .call(&Pull { reference: pushed.pinned.clone(), credentials: None, platform: None })
            .await
            .expect("pulled");
        assert_eq!((by_digest.digest, by_digest.pinned.clone()), (pushed.digest, pushed.pinned.clone()));
        let spec = ContainerSpec { image: pushed.pinned.clone(), ..shell("echo it runs") };
        assert_eq!(step.call(&Run { spec, timeout_ms: None }).await.expect("it ran").stdout_tail, "it runs\n");
        forget(&pushed.pinned).await;
    });
}

#[test]
fn credentials_that_are_given_are_used() {
    engine(|world| async move {
        let registry = wanted("WINDLASS_TEST_REGISTRY_AUTH");
        let reference = tagged(&world, &registry).await;
        let mut step = world.step(&grants(&registry));
        let login = given("windlass", "registry");
        let pushed =
            step.call(&Push { reference: reference.clone(), credentials: login.clone() }).await.expect("pushed");
        forget(&reference).await;
        let pulled = step
            .call(&Pull { reference: reference.clone(), credentials: login, platform: None })
            .await
            .expect("pulled");
        assert_eq!(pulled.digest, pushed.digest);
        forget(&reference).await;
    });
}

#[test]
fn the_login_of_dockers_own_tools_is_used() {
    let registry = wanted("WINDLASS_TEST_REGISTRY_AUTH");
    let (_folder, config) = registry_config(&registry, "windlass-test");
    engine_with(config, |world| async move {
        let reference = tagged(&world, &registry).await;
        world.host(1).call(&Push { reference: reference.clone(), credentials: None }).await.expect("pushed");
        forget(&reference).await;
    });
}

#[test]
fn credentials_that_are_missing_or_wrong_say_where_to_look() {
    let registry = wanted("WINDLASS_TEST_REGISTRY_AUTH");
    let (_folder, config) = registry_config(&registry, "outdated");
    engine_with(config, |world| async move {
        let reference = tagged(&world, &registry).await;
        let mut step = world.step(&grants(&registry));
        for (credentials, hint) in
            [(None, "config.json"), (given("windlass", "wrong"), "the step gives the user `windlass`")]
        {
            let push = error(step.call(&Push { reference: reference.clone(), credentials: credentials.clone() }).await);
            let pull = error(step.call(&Pull { reference: reference.clone(), credentials, platform: None }).await);
            for error in [push, pull] {
                assert!(
                    matches!(&error, CallError::Unauthorized(text) if text.contains(&registry) && text.contains(hint)),
                    "{error:?}"
                );
            }
        }
        forget(&reference).await;
    });
    engine(|world| async move {
        let registry = wanted("WINDLASS_TEST_REGISTRY_AUTH");
        let reference = tagged(&world, &registry).await;
        let error = error(world.host(1).call(&Push { reference: reference.clone(), credentials: None }).await);
        assert!(matches!(&error, CallError::Unauthorized(text) if text.contains("docker login")), "{error:?}");
        forget(&reference).await;
    });
}

#[test]
fn what_the_registry_does_not_have_is_named() {
    engine(|world| async move {
        let registry = wanted("WINDLASS_REGISTRY");
        let reference = format!("{registry}/absent-{}:1", world.run);
        let mut host = world.host(1);
        let pull = error(host.call(&Pull { reference: reference.clone(), credentials: None, platform: None }).await);
        assert!(matches!(&pull, CallError::NotFound(text) if text.contains(&reference)), "{pull:?}");
        let push = error(host.call(&Push { reference: reference.clone(), credentials: None }).await);
        assert!(matches!(&push, CallError::NotFound(text) if text.contains(&reference)), "{push:?}");
    });
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    engine(|world| async move {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("an address").port();
        for registry in [format!("localhost:{free}"), "registry.invalid".to_owned()] {
            let reference = tagged(&world, &registry).await;
            let mut host = world.host(1);
            let push = error(host.call(&Push { reference: reference.clone(), credentials: None }).await);
            let pull =
                error(host.call(&Pull { reference: reference.clone(), credentials: None, platform: None }).await);
            for error in [push, pull] {
                assert!(
                    matches!(&error, CallError::RegistryUnavailable(text) if text.contains(&registry)),
                    "{error:?}"
                );
            }
            forget(&reference).await;
        }
    });
}

/// It accepts connections and says nothing: without a limit of our own a push would never end.
#[test]
fn a_registry_that_hangs_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let registry = format!("localhost:{}", silent.local_addr().expect("an address").port());
    let config = DockerConfig { idle: Duration::from_millis(1_500), ..DockerConfig::at(wanted("DOCKER_HOST")) };
    engine_with(config, |world: Arc<World>| async move {
        let reference = tagged(&world, &registry).await;
        let mut host = world.host(1);
        let push = error(host.call(&Push { reference: reference.clone(), credentials: None }).await);
        let pull = error(host.call(&Pull { reference: reference.clone(), credentials: None, platform: None }).await);
        for error in [push, pull] {
            assert!(
                matches!(&error, CallError::TimedOut(text) if text.contains(&registry) && text.contains("1.5s")),
                "{error:?}"
            );
        }
        forget(&reference).await;
    });
}
