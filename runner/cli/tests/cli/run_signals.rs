//! `windlass run` and Ctrl-C.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::run::host;
use crate::support::Folder;

/// Waits until the run has printed this.
pub(crate) fn until(child: &mut Child, text: &str) {
    let out = child.stdout.take().unwrap();
    let mut lines = BufReader::new(out).lines();
    assert!(lines.any(|line| line.unwrap().contains(text)), "it never said `{text}`");
    // Whatever follows has to go somewhere.
    std::thread::spawn(move || lines.count());
}

pub(crate) fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn the_first_signal_ends_the_run_in_good_order() {
    for (name, by) in [("-INT", "SIGINT"), ("-TERM", "SIGTERM")] {
        let folder = Folder::with(&host(r#"["sh", "-c", "echo ready; sleep 60"]"#, "sh"));
        let mut child = folder.start(&["run"]);
        until(&mut child, "| ready");
        signal(&child, name);
        folder.wait(child).exits(130).says("stopping: ");
        folder.windlass(&["show"]).exits(0).says("cancelled, exit code 130").says(by);
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    // The program takes its time to end, so the run is still being cleaned up.
    let folder = Folder::with(&host(r#"["sh", "-c", "trap '' INT TERM; echo ready; sleep 60; sleep 60"]"#, "sh"));
    let mut child = folder.start(&["run"]);
    until(&mut child, "| ready");
    let begin = Instant::now();
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "-INT");
    let done = folder.wait(child).exits(130);
    assert!(begin.elapsed() < Duration::from_secs(3), "it took {:?}", begin.elapsed());
    if done.err.contains("was ended before it was cleaned up") {
        assert!(done.err.contains(&format!("label=windlass.run={}", folder.runs()[0])), "{}", done.err);
        folder.windlass(&["show"]).exits(0).says("interrupted");
    }
}

#[test]
fn signals_at_the_same_time_are_one_request() {
    let folder = Folder::with(&host(r#"["sh", "-c", "echo ready; sleep 60"]"#, "sh"));
    let mut child = folder.start(&["run"]);
    until(&mut child, "| ready");
    // As GNU `timeout` sends them: to the process, and to its group.
    for name in ["-TERM", "-CONT", "-INT", "-TERM"] {
        signal(&child, name);
    }
    let done = folder.wait(child).exits(130).says("stopping: ");
    assert!(!done.err.contains("was ended before it was cleaned up"), "{}", done.err);
    folder.windlass(&["show"]).exits(0).says("cancelled, exit code 130");
}
