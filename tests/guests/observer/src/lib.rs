//! Looks at whatever could be different when it runs a second time, and gives all of it back: what is ready when
//! several timers run, in which order folders list, what is known of files, random numbers, the bits of NaNs.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;
use std::time::{Instant, SystemTime};

use wasip2::clocks::monotonic_clock::{self, subscribe_duration, subscribe_instant};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip2::io::poll::{Pollable, poll};
use wasip2::random::{insecure, insecure_seed, random};
use windlass_plugin::prelude::*;

const MS: u64 = 1_000_000;

/// Looks at whatever could be different when it runs a second time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// A granted folder to look at.
    folder: Option<String>,
    /// How long to sleep at the end.
    sleep: Option<Duration>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Outputs {
    /// What was ready each time when three timers were polled until all were.
    race: Vec<Vec<u32>>,
    /// How often a timer was asked whether it is ready, until it was.
    asked: u32,
    /// What was ready when a timer was polled together with a file's stream.
    mixed: Vec<Vec<u32>>,
    /// Clocks, random numbers, and how long the sleep took in milliseconds, in words.
    seen: Vec<String>,
    /// How long the sleep took, in milliseconds.
    slept: u64,
    /// Names in the order in which the folder lists, each with what is known of it.
    files: Vec<String>,
    /// The environment, in its order.
    env: Vec<String>,
    /// The arguments, in their order.
    args: Vec<String>,
    /// The bits of NaNs that were computed, as hexadecimal digits.
    nans: Vec<String>,
}

struct Observer;

impl Plugin for Observer {
    type With = With;
    type Outputs = Outputs;
    const USES: &[Use] = &[Use::optional(Capability::Files, "to look at a folder")];

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        let race = race();
        let asked = asked();
        let mixed = with.folder.as_deref().map(mixed).unwrap_or_default();
        let seen = seen();
        let before = Instant::now();
        if let Some(time) = with.sleep {
            std::thread::sleep(*time);
        }
        Ok(Outputs {
            race,
            asked,
            mixed,
            seen,
            slept: before.elapsed().as_millis() as u64,
            files: match &with.folder {
                Some(folder) => files(folder)?,
                None => Vec::new(),
            },
            env: std::env::vars().map(|(name, value)| format!("{name}={value}")).collect(),
            args: std::env::args().collect(),
            nans: nans(),
        })
    }
}

windlass_plugin::export!(Observer);

/// Three timers that end at nearly the same time: which poll sees which is chance.
fn race() -> Vec<Vec<u32>> {
    let now = monotonic_clock::now();
    let timers =
        [subscribe_duration(5 * MS), subscribe_instant(now + 5 * MS + 100_000), subscribe_duration(5 * MS + 200_000)];
    let mut waiting: Vec<(u32, &Pollable)> = (0..).zip(&timers).collect();
    let mut seen = Vec::new();
    while !waiting.is_empty() {
        let list: Vec<_> = waiting.iter().map(|(_, timer)| *timer).collect();
        let ready = poll(&list);
        let names: Vec<u32> = ready.iter().map(|index| waiting[*index as usize].0).collect();
        waiting.retain(|(name, _)| !names.contains(name));
        seen.push(names);
    }
    seen
}

/// How often depends on how fast the machine is.
fn asked() -> u32 {
    let timer = subscribe_duration(2 * MS);
    let mut times = 1;
    while !timer.ready() {
        times += 1;
    }
    timer.block();
    times
}

/// A file's stream is always ready; the timer beside it is when it is.
fn mixed(folder: &str) -> Vec<Vec<u32>> {
    let Some((folder, _)) = get_directories().into_iter().find(|(_, name)| name == folder) else { return Vec::new() };
    let Ok(file) = folder.open_at(PathFlags::empty(), "b.txt", OpenFlags::empty(), DescriptorFlags::READ) else {
        return Vec::new();
    };
    let Ok(stream) = file.read_via_stream(0) else { return Vec::new() };
    let (readable, timer) = (stream.subscribe(), subscribe_duration(MS));
    let mut seen = Vec::new();
    loop {
        let ready = poll(&[&timer, &readable]);
        let done = ready.contains(&0);
        if seen.last() != Some(&ready) {
            seen.push(ready);
        }
        if done {
            return seen;
        }
    }
}

fn seen() -> Vec<String> {
    vec![
        format!("{:?}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)),
        format!("{}", monotonic_clock::now()),
        format!("{:?}", random::get_random_bytes(40)),
        format!("{:x}", random::get_random_u64()),
        format!("{:?}", insecure::get_insecure_random_bytes(8)),
        format!("{:x}", insecure::get_insecure_random_u64()),
        format!("{:?}", insecure_seed::insecure_seed()),
        format!("{:x}", RandomState::new().hash_one(())),
    ]
}

fn files(folder: &str) -> std::io::Result<Vec<String>> {
    let preopened = get_directories().into_iter().find(|(_, name)| name == folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let found = entry.metadata()?;
        let since = |time: std::io::Result<SystemTime>| {
            time.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|time| time.as_secs())
        };
        let mut line = format!(
            "{name}: {} bytes, modified {:?}, seen {:?}",
            found.len(),
            since(found.modified()),
            since(found.accessed())
        );
        if let Some((folder, _)) = &preopened
            && let (Ok(stat), Ok(hash)) =
                (folder.stat_at(PathFlags::empty(), &name), folder.metadata_hash_at(PathFlags::empty(), &name))
        {
            let changed = stat.status_change_timestamp.map(|time| time.seconds);
            line.push_str(&format!(", changed {changed:?}, {} links, number {}", stat.link_count, hash.lower));
        }
        files.push(line);
    }
    Ok(files)
}

/// Processors keep the bits of the NaN that went in, each in its own way.
fn nans() -> Vec<String> {
    let single = black_box(f32::from_bits(0x7fa0_1234));
    let double = black_box(f64::from_bits(0xfff4_0000_0000_5678));
    vec![
        format!("{:08x}", black_box(single + black_box(1.0)).to_bits()),
        format!("{:08x}", black_box(black_box(0.0_f32) / black_box(0.0)).to_bits()),
        format!("{:016x}", black_box(double * black_box(2.0)).to_bits()),
        format!("{:016x}", black_box(double).sqrt().to_bits()),
    ]
}
