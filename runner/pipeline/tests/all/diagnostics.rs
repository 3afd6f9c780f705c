//! Every class of mistake, as a person sees it.
//!
//! `tests/cases/*.toml` hold pipelines with mistakes, several to a file, with `#----` between them. One that does not
//! begin with `# plain` gets a `[pipeline]` and some `[plugins]` behind it.

use windlass_pipeline::{decode, diagnostic::codes};

use crate::support::{report, stages, step};

#[test]
#[expect(clippy::disallowed_methods, reason = "the cases are files")]
fn reports() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let cases = std::fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let reports: Vec<String> = cases
            .split("#----\n")
            .map(|case| if case.starts_with("# plain") { report(case) } else { report(&stages(case)) })
            .collect();
        assert!(reports.iter().all(|report| !report.is_empty()), "{name}: a case without a mistake");
        insta::assert_snapshot!(name, reports.join("\n----\n\n"));
    }
}

#[test]
fn generated_reports() {
    let long = "a".repeat(64);
    insta::assert_snapshot!("long_name", report(&stages(&format!("[[stages.{long}.steps]]\nuses = \"x\"\n"))));

    let ring = |at: u32| format!("[stages.s{at}]\nneeds = [\"s{}\"]\nsteps = [{{ uses = \"x\" }}]\n", (at + 1) % 30);
    insta::assert_snapshot!("long_cycle", report(&stages(&(0..30).map(ring).collect::<String>())));

    let deep = format!("x = {}{}\n[{}y]\n", "[".repeat(100), "]".repeat(100), "a.".repeat(100));
    insta::assert_snapshot!("deep", report(&format!("{deep}[pipeline]\nname = \"p\"\n")));

    let double = |at: u32| format!("v{at} = \"${{vars.v{0}}}${{vars.v{0}}}\"\n", at - 1);
    let doubles: String = (1..13).map(double).collect();
    let text = format!("[vars]\nv0 = \"{}\"\n{doubles}[[stages.a.steps]]\nuses = \"x\"\n", "x".repeat(1000));
    insta::assert_snapshot!("long_text", report(&stages(&text)));
}

#[test]
fn what_is_no_text() {
    let report = |bytes: &[u8]| decode("pipeline.toml", bytes).unwrap_err().render(false);
    insta::assert_snapshot!("decode_empty", report(b" \n"));
    insta::assert_snapshot!("decode_utf8", report(b"[pipeline]\nname = \"a\xff\"\n"));
    insta::assert_snapshot!("decode_large", report(&vec![b'a'; windlass_pipeline::MAX_BYTES + 1]));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let source = decode("pipeline.toml", b"\xEF\xBB\xBFname = 1\n").unwrap();
    assert_eq!(source.text, "name = 1\n");
}

#[test]
fn text_of_the_file_cannot_act_on_the_terminal() {
    let shown = report(&step("uses = \"\\u001b[2J\\n::error::\"\n\"\\u202Ex\" = 1"));
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    assert!(!shown.contains("\n::error::"), "{shown}");
    let shown = report(&step("uses = \"x\"\nwith = { a = 2026-11-x\u{1b}[2J }\nenv = { \"A\\u001b\" = 1 }"));
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn codes_are_documented_and_unique() {
    let mut names: Vec<&str> = codes::ALL.iter().map(|(name, _)| *name).collect();
    assert!(codes::ALL.iter().all(|(_, meaning)| meaning.trim().ends_with('.') || meaning.trim().ends_with(')')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), codes::ALL.len());
}
