//! Images: build, push, and each way in which that fails.

use windlass_tests::{Engine, Finished, Workspace};

fn unique() -> String {
    let folder = tempfile::Builder::new().prefix("wl").rand_bytes(8).tempdir().unwrap();
    folder.path().file_name().unwrap().to_string_lossy().to_lowercase()
}

fn image(with: &str, grants: &str) -> Workspace {
    Workspace::new(&format!(
        "[pipeline]\nname = \"images\"\n[secrets]\npassword = {{ env = \"REGISTRY_PASSWORD\" }}\n[stages.build]\n[[stages.build.steps]]\nname = \"image\"\nuses = \"builtin:image\"\nwith = {with}\ngrants = {grants}\n"
    ))
    .busybox()
}

#[track_caller]
fn leaves_nothing(workspace: &Workspace, finished: Finished) -> Finished {
    assert_eq!(Engine::get().left_by(&workspace.run_id()), Vec::<String>::new());
    finished
}

#[test]
fn what_is_pushed_has_the_digest_that_the_registry_reports() {
    let engine = Engine::get();
    let (name, registry) = (unique(), &engine.registry);
    let workspace = image(
        &format!("{{ context = \"box\", tag = \"{registry}/{name}:1\", push = true }}"),
        &format!("{{ docker = {{ build = [\"box\"], push = [\"{registry}/{name}\"] }} }}"),
    );
    let finished = workspace.run(&["run"]).exits(0);
    let digest = engine.digest_of(&name, "1").expect("the registry has it");
    let _ = leaves_nothing(&workspace, finished.says(&digest));
}

#[test]
fn a_push_without_its_grant_exits_3_and_says_what_to_add_where() {
    let engine = Engine::get();
    let registry = &engine.registry;
    let name = unique();
    let workspace = image(
        &format!("{{ context = \"box\", tag = \"{registry}/{name}:1\", push = true }}"),
        &format!(
            "{{ docker = {{ build = [\"box\"], tag = [\"{registry}/{name}\"], push = [\"{registry}/elsewhere\"] }} }}"
        ),
    );
    let finished =
        workspace.run(&["run"]).exits(3).says(&format!("push = [\"{registry}/{name}\"]")).says("grants.docker");
    let _ = leaves_nothing(&workspace, finished.says("docker.push"));
    assert_eq!(engine.digest_of(&name, "1"), None);
    assert!(workspace.show(&["--calls"]).contains("docker.push"));
}

#[test]
fn a_dockerfile_with_an_error_at_a_line() {
    let workspace =
        image("{ context = \"bad\", tag = \"bad:1\" }", "{ docker = { build = [\"bad\"], tag = [\"bad\"] } }")
            .file("bad/Dockerfile", "FROM scratch\n\nCOPPY a b\n");
    let finished = workspace.run(&["run"]).exits(1).says("COPPY").says("3");
    let _ = leaves_nothing(&workspace, finished);
}

#[test]
fn a_command_that_fails_in_the_build_shows_its_last_lines() {
    let workspace = image(
        "{ context = \"box\", dockerfile = \"Failing\", tag = \"bad:2\" }",
        "{ docker = { build = [\"box\"], tag = [\"bad\"] } }",
    )
    .file("box/Failing", "FROM scratch\nCOPY busybox /bin/sh\nRUN echo the reason why && exit 7\n");
    let finished = workspace.run(&["run"]).exits(1).says("the reason why").says("7");
    let _ = leaves_nothing(&workspace, finished);
}

#[test]
fn a_missing_dockerfile_is_named() {
    let workspace =
        image("{ context = \"none\", tag = \"bad:3\" }", "{ docker = { build = [\"none\"], tag = [\"bad\"] } }")
            .file("none/x", "");
    let _ = workspace.run(&["run"]).exits(1).says("Dockerfile");
}

#[test]
fn a_registry_that_is_not_there_exits_4() {
    let workspace = image(
        "{ context = \"box\", tag = \"localhost:1/nothing:1\", push = true }",
        "{ docker = { build = [\"box\"], push = [\"localhost:1/nothing\"] } }",
    );
    let finished = workspace.run(&["run"]).exits(4).says("localhost:1");
    let _ = leaves_nothing(&workspace, finished);
}

#[test]
fn bad_credentials_exit_4_and_good_ones_are_never_shown() {
    let registry = Engine::get().registry_with_password();
    let name = unique();
    let with = format!(
        "{{ context = \"box\", tag = \"{registry}/{name}:1\", push = true, credentials = {{ username = \"windlass\", password = {{ secret = \"password\" }} }} }}"
    );
    let grants =
        format!("{{ docker = {{ build = [\"box\"], push = [\"{registry}/{name}\"] }}, secrets = [\"password\"] }}");
    let workspace = image(&with, &grants).env("REGISTRY_PASSWORD", "not-the-password");
    let finished = workspace.run(&["run"]).exits(4).says(&registry);
    assert!(!finished.all().contains("not-the-password"), "{}", finished.all());

    let workspace = image(&with, &grants).env("REGISTRY_PASSWORD", "windlass-test");
    let finished = workspace.run(&["run"]).exits(0);
    assert!(!finished.all().contains("windlass-test"), "{}", finished.all());
    for entry in std::fs::read_dir(workspace.path().join(".windlass")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(13).any(|window| window == b"windlass-test"), "{}", path.display());
        }
    }
}

#[test]
fn docker_that_is_not_there_exits_4_and_names_its_address() {
    let workspace =
        image("{ context = \"box\", tag = \"bad:4\" }", "{ docker = { build = [\"box\"], tag = [\"bad\"] } }")
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let _ = workspace.run(&["run"]).exits(4).says("/nowhere/docker.sock");
}
