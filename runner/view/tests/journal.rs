//! The whole way: a run is written to a real journal, rendered live, and read again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use windlass_journal::{
    Journal, Record, RunStarted, StageIndex, Status, StepIndex, Stream, Writer, WriterOptions, now_micros,
};
use windlass_view::{Format, LiveOptions, LogsOptions, ShowOptions, Style, ViewError, live, logs, runs, show, summary};

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const STEP: StepIndex = StepIndex(0);

fn start(dir: &Path, output: &Output) -> Writer {
    let started = RunStarted {
        run: windlass_journal::new_run_id(),
        pipeline: "storefront".to_owned(),
        file: "pipeline.toml".to_owned(),
        workspace: "/src".to_owned(),
        source: "[pipeline]".into(),
        facts: Default::default(),
        plugins: Vec::new(),
        versions: Default::default(),
        stages: 1,
        steps: 1,
        flags: Default::default(),
    };
    let observer = live(LiveOptions::default(), Box::new(output.clone()));
    let options = WriterOptions { observer: Some(observer), ..WriterOptions::default() };
    let writer = Journal::open_or_create(dir).unwrap().start_run(options, started).unwrap();
    writer.append(Record::StageStarted { stage: StageIndex(0), name: "build".into(), environment: None });
    writer.append(Record::StepStarted { step: STEP, attempt: 1, stage: StageIndex(0), name: "image".into() });
    writer.log(STEP, 1, Stream::Stdout, b"hello \x1b[2Jwor", 1 << 20);
    writer.log(STEP, 1, Stream::Stderr, b"a warning\n", 1 << 20);
    writer.log(STEP, 1, Stream::Stdout, b"ld\n", 1 << 20);
    writer
}

async fn end(writer: &Writer) {
    let (failure, outputs) = (None, Default::default());
    writer.append(Record::StepEnded { step: STEP, attempt: 1, status: Status::Succeeded, failure, outputs });
    writer.append(Record::StageEnded { stage: StageIndex(0), name: "build".into(), status: Status::Succeeded });
    writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await.unwrap();
}

fn printed(with: impl FnOnce(&mut dyn Write) -> Result<(), ViewError>) -> String {
    let mut out = Vec::new();
    with(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_run_is_seen_by_every_reader() {
    let dir = tempfile::tempdir().unwrap();
    let output = Output::default();
    let writer = start(dir.path(), &output);
    end(&writer).await;
    let text = output.text();
    assert!(text.contains("build/image | a warning\n"), "all of it is there when `close` returns: {text}");
    assert!(text.contains("build/image | hello world\n"), "{text}");

    let reader = Journal::open(dir.path()).unwrap();
    let run = reader.resolve(None).unwrap();
    let text = printed(|out| summary(&reader, &run, Style::default(), Format::Human, out));
    assert!(text.starts_with(&format!("run {} of storefront: succeeded after ", run.id)), "{text}");
    let text = printed(|out| show(&reader, &run, ShowOptions { calls: true, ..ShowOptions::default() }, out));
    assert!(text.contains("status     succeeded, exit code 0\n"), "{text}");
    let text = printed(|out| runs(std::slice::from_ref(&run), Style::default(), Format::Human, now_micros(), out));
    assert!(text.contains("\nsucceeded    "), "{text}");
    let text = printed(|out| runs(std::slice::from_ref(&run), Style::default(), Format::Json, now_micros(), out));
    assert!(text.contains(r#""state":"succeeded""#), "{text}");
}

#[tokio::test]
async fn logs_of_a_run_a_stage_and_a_step() {
    let dir = tempfile::tempdir().unwrap();
    let writer = start(dir.path(), &Output::default());
    end(&writer).await;
    let reader = Journal::open(dir.path()).unwrap();
    let run = reader.resolve(None).unwrap();
    let get = |options: LogsOptions| {
        let mut out = Vec::new();
        logs(&reader, &run, &options, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    let all = get(LogsOptions::default()).unwrap();
    assert!(all.contains("build/image | hello world\n"), "{all}");
    for step in ["build", "build/image"] {
        assert_eq!(get(LogsOptions { step: Some(step.to_owned()), ..LogsOptions::default() }).unwrap(), all);
    }
    let step = Some("build/image".to_owned());
    let style = Style { live: true, ..Style::default() };
    let text = get(LogsOptions { step: step.clone(), style, ..LogsOptions::default() }).unwrap();
    assert!(text.contains("hello world\n") && !text.contains('|'), "{text}");
    let text = get(LogsOptions { step: step.clone(), raw: true, ..LogsOptions::default() }).unwrap();
    assert!(text.contains("\x1b[2J"), "{text:?}");
    let text = get(LogsOptions { format: Format::Json, ..LogsOptions::default() }).unwrap();
    assert!(text.contains(r#""path":"build/image","attempt":1,"stream":"stderr","text":"a warning"}"#), "{text}");
    assert_eq!(get(LogsOptions { step, attempt: Some(2), ..LogsOptions::default() }).unwrap(), "");

    let error = get(LogsOptions { step: Some("bild".to_owned()), ..LogsOptions::default() }).unwrap_err();
    assert_eq!(error.to_string(), format!("run `{}` has no step `bild`; it has started build/image", run.id));
}

#[tokio::test]
async fn logs_are_followed_while_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let writer = start(dir.path(), &Output::default());
    writer.flush().await.unwrap();
    let output = Output::default();
    let (mut theirs, path) = (output.clone(), dir.path().to_owned());
    let follower = std::thread::spawn(move || {
        let reader = Journal::open(&path).unwrap();
        let run = reader.resolve(None).unwrap();
        logs(&reader, &run, &LogsOptions { follow: true, ..LogsOptions::default() }, &mut theirs).unwrap();
    });
    // What is there is shown although the run goes on.
    for _ in 0..500 {
        if output.text().contains("hello world") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(output.text().contains("hello world"));
    writer.log(STEP, 1, Stream::Stdout, b"the last line", 1 << 20);
    end(&writer).await;
    follower.join().unwrap();
    assert!(output.text().ends_with("build/image | the last line\n"), "{}", output.text());
}
