//! Runs to completion.

use windlass_gate::CallError;
use windlass_gate::api::docker::{ContainerSpec, List, Mount, MountSource, Restart, Run};
use windlass_journal::Stream;

use crate::common::{ALL, SECRET, World, engine, error, plain, secret, shell, spec};

async fn run(world: &World, spec: ContainerSpec) -> windlass_gate::api::docker::Exit {
    world.step(ALL).call(&Run { spec, timeout_ms: None }).await.expect("it ran")
}

#[test]
fn output_and_exit_code_come_back_and_nothing_stays() {
    engine(|world| async move {
        let exit = run(&world, shell("echo out; echo err >&2; exit 3")).await;
        assert_eq!((exit.code, exit.oom_killed), (3, false));
        assert_eq!((exit.stdout_tail.as_str(), exit.stderr_tail.as_str()), ("out\n", "err\n"));
        assert_eq!(
            (world.log(Stream::Stdout).await.as_str(), world.log(Stream::Stderr).await.as_str()),
            ("out\n", "err\n")
        );
        let calls = world.calls().await;
        let calls: Vec<_> = calls.iter().map(String::as_str).filter(|name| !name.contains("image")).collect();
        assert_eq!(calls, ["docker.create", "docker.start-created", "docker.wait", "docker.remove-created"]);
        assert_eq!(world.host(1).call(&List {}).await.expect("listed"), []);
    });
}

#[test]
fn long_output_is_whole_in_the_log_and_cut_in_the_answer() {
    engine(|world| async move {
        let exit = run(&world, shell("i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done")).await;
        assert_eq!(exit.code, 0);
        assert!(exit.stdout_tail.len() <= 64 * 1024 && exit.stdout_tail.ends_with("line 19999\n"));
        assert!(exit.stdout_tail.starts_with("line "), "it begins with a line: {:?}", &exit.stdout_tail[..20]);
        let log = world.log(Stream::Stdout).await;
        assert_eq!(log.lines().count(), 20000);
    });
}

#[test]
fn secrets_reach_the_container_and_nobody_else() {
    engine(|world| async move {
        let spec = ContainerSpec {
            env: vec![secret("TOKEN", "token"), plain("PLAIN", "a=b c")],
            ..shell("echo \"$TOKEN\" | wc -c; echo \"$TOKEN\" \"$PLAIN\"")
        };
        let exit = run(&world, spec).await;
        assert_eq!(exit.stdout_tail, format!("{}\n*** a=b c\n", SECRET.1.len() + 1));
        assert!(!world.log(Stream::Stdout).await.contains(SECRET.1));
    });
}

#[test]
fn the_defaults_hold() {
    engine(|world| async move {
        let line = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; grep NoNewPrivs /proc/self/status; cat /proc/1/comm";
        let exit = run(&world, shell(line)).await;
        let lines: Vec<_> = exit.stdout_tail.lines().collect();
        assert_eq!(lines[..2], ["1073741824", "1024"]);
        assert!(lines[2].ends_with('1') && lines[3].contains("init"), "{lines:?}");
    });
}

#[test]
fn too_much_memory_is_told_apart_from_a_kill() {
    engine(|world| async move {
        // On a busy machine the kernel's notice is lost on its way to Docker now and then; Docker has no other.
        let mut told = false;
        for _ in 0..10 {
            let spec = ContainerSpec { memory: Some(8 << 20), ..shell("tail -c 200m /dev/zero") };
            let exit = run(&world, spec).await;
            assert_ne!(exit.code, 0, "{exit:?}");
            told |= exit.oom_killed;
            if told {
                break;
            }
        }
        assert!(told, "memory was never the reason");
        let exit = run(&world, shell("kill -9 $$")).await;
        assert!(!exit.oom_killed && exit.code == 137, "{exit:?}");
        assert!(world.log(Stream::Log).await.contains("try a higher `memory`"));
    });
}

#[test]
fn a_run_that_takes_too_long_is_stopped_and_removed() {
    engine(|world| async move {
        let answer = world.step(ALL).call(&Run { spec: shell("echo begun; sleep 600"), timeout_ms: Some(700) }).await;
        let error = error(answer);
        assert!(
            matches!(&error, CallError::TimedOut(text) if text.contains("700ms") && text.contains("begun")),
            "{error}"
        );
        assert_eq!(world.host(1).call(&List {}).await.expect("listed"), []);
    });
}

#[test]
fn a_program_that_is_not_there_is_named() {
    engine(|world| async move {
        let exit = run(&world, spec(&["no-such-program"])).await;
        assert_eq!(exit.code, 127);
        assert!(exit.stderr_tail.contains("no-such-program"), "{exit:?}");
    });
}

#[test]
fn a_container_that_cannot_be_started_leaves_nothing() {
    engine(|world| async move {
        let spec = ContainerSpec { user: Some("nobody-here".into()), ..shell("true") };
        let error = error(world.step(ALL).call(&Run { spec, timeout_ms: None }).await);
        assert!(error.message().contains("nobody-here") && error.message().contains("cannot start"), "{error:?}");
        assert_eq!(world.host(1).call(&List {}).await.expect("listed"), []);
        assert!(world.calls().await.iter().any(|call| call == "docker.remove-created"));
    });
}

#[test]
fn an_image_that_is_not_there_says_so() {
    engine(|world| async move {
        let spec = ContainerSpec { image: "windlass-test/absent:1".into(), ..shell("true") };
        let error = error(world.step(ALL).call(&Run { spec, timeout_ms: None }).await);
        assert!(
            matches!(&error, CallError::NotFound(text) if text.contains("windlass-test/absent:1") && text.contains("docker.pull")),
            "{error:?}"
        );
    });
}

#[test]
fn folders_and_memory_are_mounted() {
    engine(|world| async move {
        world.file("data/in.txt", "from the host\n");
        let mount = |source, target: &str, writable| Mount { source, target: target.into(), writable };
        let spec = ContainerSpec {
            mounts: vec![
                mount(MountSource::Folder("data".into()), "/data", true),
                mount(MountSource::Folder("data/in.txt".into()), "/etc/one", false),
                mount(MountSource::Tmpfs(1 << 20), "/scratch", true),
            ],
            read_only_root: true,
            ..shell(
                "cat /data/in.txt /etc/one && echo made > /data/out.txt && echo x > /scratch/x && ! echo x > /etc/one && ! echo x > /root-file",
            )
        };
        let exit = run(&world, spec).await;
        assert_eq!((exit.code, exit.stdout_tail.as_str()), (0, "from the host\nfrom the host\n"), "{exit:?}");
        assert_eq!(std::fs::read_to_string(world.workspace().join("data/out.txt")).expect("written"), "made\n");
    });
}

#[test]
fn the_records_of_runs_are_hidden_in_a_mount() {
    engine(|world| async move {
        let whole = Mount { source: MountSource::Folder(".".into()), target: "/work".into(), writable: true };
        world.file("seen.txt", "");
        let spec =
            ContainerSpec { mounts: vec![whole], ..shell("ls -A /work /work/.windlass; ! touch /work/.windlass/x") };
        let exit = run(&world, spec).await;
        assert_eq!(exit.stdout_tail, "/work:\n.windlass\nseen.txt\n\n/work/.windlass:\n");
        assert_eq!(exit.code, 0, "{exit:?}");
    });
}

#[test]
fn mounts_that_lead_elsewhere_are_refused() {
    engine(|world| async move {
        std::os::unix::fs::symlink("/etc", world.workspace().join("link")).expect("linked");
        for (folder, word) in [("link", "outside"), (".windlass", "records"), ("absent", "does not exist")] {
            let spec = ContainerSpec {
                mounts: vec![Mount {
                    source: MountSource::Folder(folder.into()),
                    target: "/x".into(),
                    writable: false,
                }],
                ..shell("true")
            };
            let error = error(world.host(1).call(&Run { spec, timeout_ms: None }).await);
            assert!(error.message().contains(word), "{folder}: {error:?}");
        }
    });
}

#[test]
fn what_cannot_be_is_refused_before_the_engine_is_asked() {
    engine(|world| async move {
        for wrong in [
            ContainerSpec { restart: Restart::Always, ..shell("true") },
            ContainerSpec { memory: Some(1), ..shell("true") },
            ContainerSpec { networks: vec!["x".into()], ..shell("true") },
            ContainerSpec { image: "windlass-test/../x".into(), ..shell("true") },
            ContainerSpec { labels: vec![crate::common::pair("windlass.run", "x")], ..shell("true") },
        ] {
            let error = error(world.host(1).call(&Run { spec: wrong, timeout_ms: None }).await);
            assert!(matches!(error, CallError::Invalid(_)), "{error:?}");
        }
    });
}

#[test]
fn a_cancelled_run_is_found_again() {
    engine(|world| async move {
        use windlass_gate::api::docker::{Leftovers, Sweep};
        let mut step = world.step(ALL);
        let long = Run { spec: shell("echo begun; sleep 600"), timeout_ms: None };
        let mut running = Box::pin(step.call(&long));
        // It is cancelled once it is known to run: when its output is in the log.
        let begun = async {
            while !world.log(Stream::Stdout).await.contains("begun") {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = &mut running => panic!("it ended: {answer:?}"),
            () = begun => {}
        }
        drop(running);
        world.gate.settled().await;
        let mut host = world.host(1);
        let left = host.call(&Leftovers { kept_too: false, of_attempt: None }).await.expect("asked");
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].name, "of release/deploy");
        for leftover in left {
            host.call(&Sweep { leftover: leftover.clone() }).await.expect("swept");
            host.call(&Sweep { leftover }).await.expect("swept twice is swept");
        }
        assert_eq!(host.call(&Leftovers { kept_too: true, of_attempt: None }).await.expect("asked"), []);
    });
}
