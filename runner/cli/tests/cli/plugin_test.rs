//! `windlass plugin test`.

use windlass_journal::{CallId, Journal, Record, WriterOptions};

use crate::support::{Done, Folder, settled};

/// The example of docs/plugin-tests.md, which is the first case here and so stays true.
const EXAMPLE: &str = include_str!("../../../../docs/plugin-tests.md");

/// The case that the documentation shows whole.
fn example() -> String {
    let begin = EXAMPLE.find("```toml\nname = ").expect("the page has a case") + "```toml\n".len();
    let len = EXAMPLE[begin..].find("```").expect("it has an end");
    EXAMPLE[begin..begin + len].to_owned()
}

/// A case with one thing changed.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let case = example();
    assert!(case.contains(from), "{from}\nis not in\n{case}");
    case.replacen(from, to, 1)
}

fn test(case: &str) -> Done {
    Folder::new().file("cases/push.toml", case).windlass(&["plugin", "test", "."])
}

/// As snapshots hold it, without how long it took.
fn shown(done: &Done) -> String {
    let text = done.shown();
    let lines = text.lines().map(|line| match line.rsplit_once(" in ") {
        Some((counted, took)) if took.ends_with(" ms") => format!("{counted} in [time]"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

macro_rules! snapshot {
    ($done:expr) => {{
        let _settled = settled();
        insta::assert_snapshot!(shown(&$done));
    }};
}

#[test]
fn the_documented_case_passes() {
    snapshot!(test(&example()).exits(0));
}

#[test]
fn a_changed_answer_fails_and_shows_the_difference() {
    snapshot!(test(&changed("digest = \"sha256:2\"", "digest = \"sha256:3\"")).exits(1));
}

#[test]
fn a_changed_argument_fails_and_shows_the_difference() {
    let case =
        changed("args = { reference = \"localhost:5000/app:1\" }", "args = { reference = \"localhost:5000/app:2\" }");
    snapshot!(test(&case).exits(1));
}

#[test]
fn everything_that_is_wrong_with_a_case_is_told_with_its_place() {
    let case = example()
        .replace("function = \"docker.push\"", "function = \"docker.psuh\"")
        .replace("match = \"partial\"", "mtach = \"partial\"")
        .replace("[expect]", "[expect]\nlogs = []")
        .replace("uses =", "use =");
    snapshot!(test(&case).exits(2));
}

#[test]
fn arguments_and_answers_have_to_be_of_their_form() {
    let case = example()
        .replace("args = { reference = \"localhost:5000/app:1\" }", "args = { refrence = \"localhost:5000/app:1\" }")
        .replace("tags = [\"localhost:5000/app:1\"], builder = \"buildkit\"", "tags = 1, builder = \"buildkit\"");
    snapshot!(test(&case).exits(2));
}

#[test]
fn functions_that_no_case_lists() {
    for (name, told) in [
        ("docker.run", "`docker.create`, `docker.start-created`, `docker.wait` and `docker.remove-created`"),
        ("metrics.emit", "measurements are not answered"),
        ("wasi.wall-clock", "the host's own"),
        ("docker.sweep", "the host's own"),
    ] {
        test(&changed("function = \"docker.push\"", &format!("function = \"{name}\""))).exits(2).says(told);
    }
}

#[test]
fn what_the_schema_of_the_plugin_refuses_is_told_with_its_place() {
    snapshot!(test(&changed("push = true }", "psuh = true }")).exits(2));
}

#[test]
fn a_call_that_was_not_made() {
    let once_more =
        "\n[[calls]]\nfunction = \"docker.tag\"\nargs = { image = \"sha256:1\", reference = \"a/b:1\" }\n\n[expect]";
    snapshot!(test(&changed("\n[expect]", once_more)).exits(1));
}

#[test]
fn a_call_that_is_not_expected() {
    let case = example();
    let last = case.rfind("[[calls]]").unwrap();
    let expect = case.find("[expect]").unwrap();
    snapshot!(test(&format!("{}{}", &case[..last], &case[expect..])).exits(1));
}

#[test]
fn what_no_grant_allows_is_denied_by_the_real_gate() {
    snapshot!(test(&changed("push = [\"localhost:5000/app\"]", "tag = [\"localhost:5000/app\"]")).exits(1));
}

/// A case of one call, which ends so.
fn pull(call: &str, step: &str, expect: &str) -> Done {
    test(&format!(
        "[step]\nuses = \"builtin:image\"\nwith = {{ action = \"pull\", image = \"r.example/a:1\" }}\n\
         grants = {{ docker = {{ pull = [\"r.example/a\"] }} }}\n{step}\n[[calls]]\nfunction = \"docker.pull\"\n{call}\n{expect}\n"
    ))
}

#[test]
fn every_fault() {
    for (fault, kind) in [("denied", "denied"), ("unavailable", "unavailable"), ("timeout", "timed-out")] {
        let fault = format!("fault = \"{fault}\"");
        pull(&fault, "", &format!("[expect.failure]\nkind = \"{kind}\"")).exits(0);
        pull(&fault, "", "[expect.failure]\nkind = \"plugin\"").exits(1).says("the kind of the failure is another");
        pull(&fault, "", "[expect]").exits(1).says("the step was expected to have succeeded, and failed");
    }
    let expect = "[expect.failure]\nkind = \"timed-out\"\nmessage-contains = \"more than its limit of 80ms\"";
    pull("fault = \"hang\"", "timeout = \"80ms\"", expect).exits(0);
    let probe = "[step]\nuses = \"builtin:http-check\"\nwith = { url = \"http://a.example/\" }\ntimeout = \"80ms\"\n\
                 grants = { health = [\"http://a.example/\"] }\n[[calls]]\nfunction = \"http.probe\"\nfault = \"hang\"\n";
    test(&format!("{probe}{expect}\n")).exits(0);
    pull("fault = \"hang\"", "", expect).exits(2).says("the step has none");
    pull("fault = \"denyed\"", "", expect).exits(2).says("did you mean `denied`?");
    pull("fault = \"denied\"\nanswer = { err = { other = \"x\" } }", "", expect)
        .exits(2)
        .says("an `answer` and a `fault`");
}

#[test]
fn calls_in_any_order_and_several_times() {
    let case = |order: &str| {
        let push = |tag: &str| {
            let name = format!("localhost:5000/app:{tag}");
            format!(
                "[[calls]]\nfunction = \"docker.push\"\n{order}\nargs = {{ reference = \"{name}\" }}\n\
                 answer.ok = {{ reference = \"{name}\", digest = \"sha256:2\", pinned = \"localhost:5000/app@sha256:2\" }}\n"
            )
        };
        format!(
            "[step]\nuses = \"builtin:image\"\nwith = {{ tag = [\"localhost:5000/app:1\", \"localhost:5000/app:2\"], push = true }}\n\
             grants = {{ docker = {{ build = [\".\"], push = [\"localhost:5000/app\"] }} }}\n\
             [[calls]]\nfunction = \"docker.build\"\nanswer.ok = {{ id = \"sha256:1\", tags = [], builder = \"classic\" }}\n\
             {}{}[[calls]]\nfunction = \"docker.inspect-image\"\nfault = \"unavailable\"\n[expect]\noutcome = \"succeeded\"\n",
            push("2"),
            push("1")
        )
    };
    test(&case("order = \"any\"")).exits(0);
    test(&case("")).exits(1).says("call 2 is not the one that is due");
    let twice = "times = 2\nanswer = { ok = { healthy = false, what = \"HTTP 503\" } }";
    let check = |times: &str| {
        test(&format!(
            "[step]\nuses = \"builtin:http-check\"\nwith = {{ url = \"http://a.example/\", retries = 2 }}\n\
             grants = {{ health = [\"http://a.example/\"] }}\n[[calls]]\nfunction = \"http.probe\"\n{times}\n\
             [expect.failure]\nmessage-contains = \"after 2 attempts\"\n"
        ))
    };
    check(twice).exits(0);
    check(&twice.replace('2', "3")).exits(1).says("call 1 of the case was not made");
    check(&twice.replace("times = 2", "times = 0")).exits(2).says("not a number of calls");
}

#[test]
fn log_outputs_and_measurements_are_compared() {
    test(&changed("log = [\"built sha256:1\"", "log = [\"built sha256:9\"")).exits(1).says("the log has no line");
    test(&changed("value = 1024", "value = 1025")).exits(1).says("a measurement is missing");
    let partial = changed("[expect]", "[expect]\nmatch = \"partial\"")
        .replace("tags = [\"localhost:5000/app:1\"]\nsize = 1024\n", "");
    test(&partial).exits(0);
}

#[test]
fn results_for_programs() {
    let folder = Folder::new()
        .file("cases/a.toml", example())
        .file("cases/b.toml", changed("value = 1024", "value = 1025"))
        .file("cases/c.toml", "[step]\n");
    let done = folder.windlass(&["plugin", "test", ".", "--format", "json"]).exits(2);
    let lines = done.json();
    assert_eq!(lines.len(), 4);
    assert_eq!((lines[0]["status"].as_str(), lines[0]["calls"].as_u64()), (Some("passed"), Some(3)));
    assert_eq!(
        (lines[1]["status"].as_str(), lines[1]["differences"][0]["what"].as_str()),
        (Some("failed"), Some("metric"))
    );
    assert_eq!(lines[2]["status"], "bad");
    assert_eq!(lines[2]["diagnostics"][0]["code"], "missing-key");
    assert_eq!(
        (lines[3]["passed"].as_u64(), lines[3]["failed"].as_u64(), lines[3]["bad"].as_u64()),
        (Some(1), Some(1), Some(1))
    );
}

#[test]
fn paths_that_lead_to_no_case() {
    let folder = Folder::new().file("empty/cases/note.txt", "").file("x/cases/a.toml", example());
    folder.windlass(&["plugin", "test", "empty"]).exits(2).says("empty/cases has no test cases");
    folder.windlass(&["plugin", "test", "none"]).exits(2).says("none");
    folder.windlass(&["plugin", "test"]).exits(2).says("<PATH>");
    folder.windlass(&["plugin", "test", "x/cases/a.toml", "x/cases", "x"]).exits(0).says("3 cases, 3 passed, 0 failed");
}

#[test]
fn a_component_is_tested_with_the_cases_beside_it() {
    let folder = Folder::new().file("x.wasm", wat::parse_str("(module)").unwrap()).file("cases/a.toml", example());
    folder.windlass(&["plugin", "test", "x.wasm"]).exits(2).says("x.wasm");
    let other = example().replace("builtin:image", "../other.wasm");
    Folder::new().file("cases/a.toml", other).windlass(&["plugin", "test", "."]).exits(2).says("other.wasm");
}

#[test]
fn a_case_is_recorded_from_a_run_and_passes() {
    let folder = Folder::with(crate::support::HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    let list = folder.windlass(&["plugin", "test", "--record", "latest", "--step", "no/step"]).exits(2);
    let step = list.err.split("it has ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let record = ["plugin", "test", "--record", "latest", "--step", &step, "-o", "case.toml"];
    folder.windlass(&record).exits(0).says_nothing();
    folder.windlass(&record).exits(2).says("case.toml is there already");
    folder.windlass(&["plugin", "test", "case.toml"]).exits(0).says("1 case, 1 passed, 0 failed");
    let text = std::fs::read_to_string(folder.path().join("case.toml")).unwrap();
    let other = text.replace("args = [\"hello from world\"]", "args = [\"bye\"]");
    assert_ne!(text, other, "{text}");
    std::fs::write(folder.path().join("case.toml"), other).unwrap();
    folder.windlass(&["plugin", "test", "case.toml"]).exits(1).says("-       \"bye\"");
}

#[test]
fn what_was_cut_short_is_no_case() {
    let slow = "[pipeline]\nname = \"p\"\ntimeout = \"TOP\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\n\
                timeout = \"STEP\"\nwith = { run = [\"sleep\", \"60\"] }\ngrants = { process = [\"sleep\"] }\n";
    for (run, step, why) in [("60s", "300ms", "time limit"), ("300ms", "60s", "was c")] {
        let folder = Folder::with(&slow.replace("TOP", run).replace("STEP", step));
        folder.windlass(&["run", "-q"]);
        let done = folder.windlass(&["plugin", "test", "--record", "latest", "--step", "s/t"]).exits(2).says(why);
        done.says("up to an end of its own").says("`s/t`");
    }
}

/// Copies a run's records to another folder, with the host's clean-up before the first call of each step.
fn with_clean_up(from: &Folder, to: &Folder) {
    let reader = Journal::open(&from.path().join(".windlass")).unwrap();
    let run = reader.resolve(None).unwrap();
    let mut entries = reader.entries(&run, 0).unwrap().map(|entry| entry.unwrap().record);
    let Some(Record::RunStarted(mut started)) = entries.next() else { panic!("a run starts") };
    started.source = reader.source(&run).unwrap().into();
    let journal = Journal::open_or_create(&to.path().join(".windlass")).unwrap();
    let writer = journal.start_run(WriterOptions::default(), *started).unwrap();
    for mut record in entries {
        if let Record::CallStarted { call, .. } | Record::CallEnded { call, .. } | Record::CallRecorded { call, .. } =
            &mut record
        {
            call.ordinal += 2;
        }
        let begun =
            if let Record::StepStarted { step, attempt, .. } = &record { Some((*step, *attempt)) } else { None };
        writer.append(record);
        let Some((step, attempt)) = begun else { continue };
        let call = |ordinal| CallId { step, attempt, ordinal };
        let leftover = r#"{"kind":"container","id":"a","name":"web"}"#;
        writer.append(Record::CallRecorded {
            call: call(0),
            function: "docker.leftovers".into(),
            args: r#"{"kept-too":true}"#.to_owned(),
            grant: None,
            answer: format!(r#"{{"ok":[{leftover}]}}"#),
            took: 1,
        });
        let args = format!(r#"{{"leftover":{leftover}}}"#);
        writer.append(Record::CallStarted { call: call(1), function: "docker.sweep".into(), args, grant: None });
        writer.append(Record::CallEnded { call: call(1), answer: r#"{"ok":null}"#.to_owned() });
    }
}

#[test]
fn what_the_host_does_for_a_step_that_begins_anew_is_not_in_its_case() {
    let pipeline = crate::run::host(r#"["echo", "hello"]"#, "echo");
    let (plain, cleaned) = (Folder::with(&pipeline), Folder::with(&pipeline));
    plain.windlass(&["run", "-q"]).exits(0);
    with_clean_up(&plain, &cleaned);
    cleaned.windlass(&["show", "--calls"]).exits(0).says("docker.leftovers").says("docker.sweep");
    let record = ["plugin", "test", "--record", "latest", "--step", "s/t", "-o", "case.toml"];
    cleaned.windlass(&record).exits(0);
    cleaned.windlass(&["plugin", "test", "case.toml"]).exits(0).says("1 passed");
    plain.windlass(&record).exits(0);
    let case = |folder: &Folder| std::fs::read_to_string(folder.path().join("case.toml")).unwrap();
    assert_eq!(case(&plain), case(&cleaned));
}

#[test]
fn a_failed_case_is_no_success_for_who_does_not_listen() {
    let case = changed("digest = \"sha256:2\"", "digest = \"sha256:3\"");
    let folder = Folder::new().file("cases/a.toml", &case).file("cases/b.toml", "name = 1");
    for (path, code) in [("cases/a.toml", 1), ("cases", 2)] {
        let mut child = folder.start(&["plugin", "test", path]);
        drop(child.stdout.take());
        folder.wait(child).exits(code);
    }
}

#[test]
fn a_case_that_cannot_be_read_does_not_keep_others_from_being_run() {
    let folder = Folder::new().file("cases/a.toml", "").file("cases/b.toml", vec![b'#'; 50_000_001]);
    let done = folder.file("cases/c.toml", example()).windlass(&["plugin", "test", "cases"]).exits(2);
    let done = done.says("a case needs `[step]` and `[expect]`").says("shorten the case");
    assert!(!done.err.contains("pipeline"), "{}", done.err);
    done.says("3 cases, 1 passed, 0 failed, 2 bad");
}

#[test]
fn nothing_is_left_behind() {
    let folder = Folder::new().file("cases/push.toml", example()).file("tmp/keep", "");
    let folder = {
        let tmp = folder.path().join("tmp").display().to_string();
        folder.env("TMPDIR", tmp)
    };
    folder.windlass(&["plugin", "test", "."]).exits(0);
    let left: Vec<_> = folder.path().join("tmp").read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["keep"]);
    assert!(!folder.was_run());
}
