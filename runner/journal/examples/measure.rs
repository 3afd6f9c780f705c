//! What the journal costs: 10,000 trivial steps, four records each, beside a control that only
//! appends the same bytes to a file and syncs it as often.
//!
//!     cargo run --release -p windlass-journal --example measure [folder]

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example prints what it measured, and reads the process's own figures"
)]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use windlass_journal::*;

const STEPS: u32 = 10_000;
const PRODUCERS: u32 = 2;

/// Counts commits.
struct Count(Arc<AtomicU64>);

impl Observer for Count {
    fn committed(&mut self, _: &[Entry], _: &LogView<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = root.join(format!("windlass-measure-{}", std::process::id()));
    println!("folder {}", dir.display());

    let start = Instant::now();
    let journal = Journal::open_or_create(&dir)?;
    println!("open, new folder            {:>8.0} us", micros(start));
    drop(journal);
    std::fs::remove_dir_all(&dir)?;
    for label in ["one step, new folder", "one step, again", "one step, again"] {
        let start = Instant::now();
        let journal = Journal::open_or_create(&dir)?;
        let opened = micros(start);
        let writer = journal.start_run(WriterOptions::default(), started())?;
        let began = micros(start);
        step(&writer, 0);
        writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await?;
        println!("{label:<27} {:>8.0} us (open {opened:.0}, start {:.0})", micros(start), began - opened);
    }

    for round in ["cold", "warm", "warm"] {
        let commits = Arc::new(AtomicU64::new(0));
        let options = WriterOptions { observer: Some(Box::new(Count(Arc::clone(&commits)))), ..Default::default() };
        let start = Instant::now();
        let writer = Journal::open_or_create(&dir)?.start_run(options, started())?;
        let cpu = cpu_time();
        std::thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let writer = &writer;
                scope.spawn(move || (producer..STEPS).step_by(PRODUCERS as usize).for_each(|n| step(writer, n)));
            }
        });
        let produced = start.elapsed();
        writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await?;
        let total = start.elapsed();
        let per_step = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(STEPS);
        println!(
            "{STEPS} steps, {round}         {:>8.2} us a step (producers {:.2}, cpu {:.2}), {} commits",
            per_step(total),
            per_step(produced),
            per_step(cpu_time() - cpu),
            commits.load(Ordering::Relaxed),
        );
    }
    println!("journal.db {} KiB, WAL {} KiB", size(&dir.join("journal.db")), size(&dir.join("journal.db-wal")));
    println!("peak memory {} KiB", peak_memory()?);

    effects(&dir).await?;
    reading(&dir)?;
    logs(&dir).await?;
    control(&dir)?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// 1,000 effects that wait, by 1 and by 16 tasks.
async fn effects(dir: &Path) -> Result<(), Box<dyn Error>> {
    for tasks in [1, 16] {
        let commits = Arc::new(AtomicU64::new(0));
        let options = WriterOptions { observer: Some(Box::new(Count(Arc::clone(&commits)))), ..Default::default() };
        let writer = Journal::open_or_create(dir)?.start_run(options, started())?;
        writer.flush().await?;
        let start = Instant::now();
        let mut set = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let writer = writer.clone();
            set.spawn(async move {
                for ordinal in 0..1000 / tasks {
                    let call = CallId { step: StepIndex(task), attempt: 1, ordinal };
                    let args = r#"{"image":"localhost:5000/storefront:1"}"#.to_owned();
                    let start = Record::CallStarted { call, function: "docker.push".into(), args, grant: None };
                    writer.append_durable(start).await?;
                    writer.append(Record::CallEnded { call, answer: r#"{"ok":null}"#.to_owned() });
                }
                Ok::<_, JournalError>(())
            });
        }
        while let Some(done) = set.join_next().await {
            done??;
        }
        let took = micros(start) / 1000.0;
        println!(
            "1000 effects, {tasks:>2} tasks      {took:>8.1} us an effect, {} commits",
            commits.load(Ordering::Relaxed)
        );
        writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await?;
    }
    Ok(())
}

/// Reads a run of 40,000 records.
fn reading(dir: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let reader = Journal::open(dir)?;
    println!("open for reading            {:>8.0} us", micros(start));
    let runs = reader.runs(20)?;
    println!("list {:>2} runs                {:>8.0} us", runs.len(), micros(start));
    let start = Instant::now();
    let mut count = 0;
    for entry in reader.entries(&runs[2], 0)? {
        entry?;
        count += 1;
    }
    println!("read {count} records         {:>8.2} us a record", micros(start) / f64::from(count));
    Ok(())
}

/// A burst of 256 MiB of output.
async fn logs(dir: &Path) -> Result<(), Box<dyn Error>> {
    let writer = Journal::open_or_create(dir)?.start_run(WriterOptions::default(), started())?;
    let line = [b'x'; 4096];
    let start = Instant::now();
    for _ in 0..(256 << 20) / line.len() {
        writer.log(StepIndex(0), 1, Stream::Stdout, &line, u64::MAX);
    }
    let produced = start.elapsed();
    writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await?;
    println!(
        "256 MiB of log             {:>9.0} MiB/s taken, {:.0} MiB/s durable, peak memory {} KiB",
        256.0 / produced.as_secs_f64(),
        256.0 / start.elapsed().as_secs_f64(),
        peak_memory()?
    );
    Ok(())
}

/// The disk alone: append 4 KiB and `fdatasync`.
fn control(dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::create(dir.join("control"))?;
    let start = Instant::now();
    for _ in 0..200 {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    println!("control: append + fdatasync {:>8.0} us", micros(start) / 200.0);
    Ok(())
}

fn started() -> RunStarted {
    RunStarted {
        run: new_run_id(),
        pipeline: "measure".to_owned(),
        file: "pipeline.toml".to_owned(),
        workspace: ".".to_owned(),
        source: "[pipeline]\nname = \"measure\"\n".into(),
        facts: Default::default(),
        plugins: Vec::new(),
        versions: Default::default(),
        stages: STEPS,
        flags: Default::default(),
        steps: STEPS,
    }
}

fn step(writer: &Writer, n: u32) {
    let (stage, step, name) = (StageIndex(n), StepIndex(n), Arc::<str>::from("step"));
    writer.append(Record::StageStarted { stage, name: Arc::clone(&name), environment: None });
    writer.append(Record::StepStarted { step, attempt: 1, stage, name: Arc::clone(&name) });
    writer.append(Record::StepEnded {
        step,
        attempt: 1,
        status: Status::Succeeded,
        failure: None,
        outputs: Default::default(),
    });
    writer.append(Record::StageEnded { stage, name, status: Status::Succeeded });
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len() >> 10)
}

fn peak_memory() -> Result<String, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or("?").trim().trim_end_matches(" kB").to_owned())
}

/// User and system time of this process, at the kernel's 100 ticks a second.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
