//! How many tests ran, and how many of them against the real engine and registry.

/// A test of which a module, a binary or the name itself begins so acts on the real world.
const ENGINE: &str = "engine_";

/// The count of one run, or of all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) engine: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.engine += other.engine;
    }

    fn count(&mut self, path: &str, passed: bool) {
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
        self.engine += usize::from(is_engine(path));
    }
}

fn is_engine(path: &str) -> bool {
    path.split("::").any(|segment| segment.trim().starts_with(ENGINE))
}

/// Counts the test cases of nextest's JUnit report. Everything that a test printed is escaped
/// there, so a tag is a tag.
pub(super) fn junit(xml: &str) -> Tally {
    let mut tally = Tally::default();
    for case in xml.split("<testcase ").skip(1) {
        let (head, rest) = case.split_once('>').unwrap_or((case, ""));
        let body = if head.ends_with('/') { "" } else { rest.split("</testcase>").next().unwrap_or("") };
        if body.contains("<skipped") {
            continue;
        }
        let path = [attribute(head, "classname"), attribute(head, "name")].join("::");
        tally.count(&path, !body.contains("<failure") && !body.contains("<error"));
    }
    tally
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let start = format!("{name}=\"");
    let value = tag.match_indices(&start).find(|(at, _)| *at == 0 || tag[..*at].ends_with(char::is_whitespace));
    value.and_then(|(at, _)| tag[at + start.len()..].split('"').next()).unwrap_or("")
}

/// Counts what `windlass plugin test --format json` prints, line by line.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    pub(super) tally: Tally,
}

impl Cases {
    /// Takes in a line. Gives what is to be told of it: a case that did not pass.
    pub(crate) fn line(&mut self, line: &str) -> Option<String> {
        let case: serde_json::Value = serde_json::from_str(line).ok()?;
        let status = case["status"].as_str()?;
        let passed = status == "passed";
        self.tally.count("", passed);
        (!passed).then(|| format!("{status}: {line}"))
    }

    /// How many passed, and how many did not.
    pub(crate) fn totals(&self) -> (usize, usize) {
        (self.tally.passed, self.tally.failed)
    }
}

/// Counts what `cargo test` prints, line by line. The totals come from its closing lines, since
/// a test that prints without a line's end can swallow its own line.
#[derive(Debug, Default)]
pub(super) struct Libtest {
    pub(super) tally: Tally,
}

impl Libtest {
    pub(super) fn line(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            let number = |word: &str| {
                let part = counts.split(['.', ';']).find_map(|p| p.trim().strip_suffix(word));
                part.and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(0)
            };
            self.tally.passed += number("passed");
            self.tally.failed += number("failed");
        } else if let Some((path, result)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... ")) {
            let ran = result.starts_with("ok") || result.starts_with("FAILED");
            self.tally.engine += usize::from(ran && is_engine(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_nextest() {
        let xml = r#"<testsuites name="x" tests="4" failures="1">
            <testsuite name="windlass-tests::e2e">
            <testcase name="engine_push::digest" classname="windlass-tests::e2e" time="1">
            </testcase>
            <testcase name="plan::order" classname="windlass-pipeline" time="0.1">
                <failure type="x">&lt;testcase name="y"></failure></testcase>
            <testcase name="retried" classname="windlass-view"><flakyFailure/></testcase>
            <testcase name="build" classname="windlass-capability-docker::engine_build" time="2"/>
            </testsuite></testsuites>"#;
        assert_eq!(junit(xml), Tally { passed: 3, failed: 1, engine: 2 });
    }

    #[test]
    fn a_segment_counts_and_a_crate_does_not() {
        assert!(is_engine("windlass-tests::e2e::engine_push::works") && is_engine("engine_x"));
        assert!(!is_engine("windlass-engine::order::an_engine_starts"));
    }

    #[test]
    fn cases_are_counted_and_those_that_failed_are_told() {
        let mut cases = Cases::default();
        assert_eq!(cases.line(r#"{"file":"a.toml","status":"passed"}"#), None);
        assert!(cases.line(r#"{"file":"b.toml","status":"failed"}"#).is_some_and(|told| told.contains("b.toml")));
        assert!(cases.line(r#"{"file":"c.toml","status":"bad"}"#).is_some());
        assert_eq!(cases.line(r#"{"cases":3,"passed":1,"failed":1,"bad":1}"#), None);
        assert_eq!((cases.tally.passed, cases.tally.failed), (1, 2));
    }

    #[test]
    fn the_output_of_cargo_test() {
        let mut reader = Libtest::default();
        for line in [
            "running 3 tests",
            "test engine_push::works ... ok",
            "test src/lib.rs - a (line 3) ... FAILED",
            "test engine_old ... ignored",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            reader.line(line);
        }
        assert_eq!(reader.tally, Tally { passed: 1, failed: 1, engine: 1 });
    }
}
