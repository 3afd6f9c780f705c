//! Looks at everything that WASI shows a program: clocks, random numbers, environment, arguments.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wasip2::random::random::get_random_u64;
use windlass_plugin::prelude::*;
use windlass_plugin::timer;

/// Looks at clocks, random numbers, environment and arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct With {
    /// How long to sleep, through `timer`.
    sleep: Option<Duration>,
    /// How long to sleep, through the standard library.
    thread_sleep: Option<Duration>,
    /// What to print on standard output.
    stdout: Option<String>,
    /// What to print on standard error.
    stderr: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Outputs {
    /// The time of day at the start, in milliseconds since the Unix epoch.
    wall: u64,
    /// How long the sleeps took by the monotonic clock, in milliseconds.
    slept: u64,
    /// A random number, as hexadecimal digits.
    random: String,
    /// A hash of nothing with the keys of the standard library's maps in this instance, as hexadecimal digits.
    seed: String,
    /// The environment.
    env: BTreeMap<String, String>,
    /// The arguments.
    args: Vec<String>,
    /// What standard input holds.
    stdin: String,
    /// The working directory, or why there is none.
    directory: String,
}

struct Clock;

impl Plugin for Clock {
    type With = With;
    type Outputs = Outputs;

    fn run(with: With, _: &Context) -> Result<Outputs, Failure> {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
        let begun = Instant::now();
        if let Some(time) = with.sleep {
            timer::sleep(*time);
        }
        if let Some(time) = with.thread_sleep {
            std::thread::sleep(*time);
        }
        if let Some(text) = &with.stdout {
            std::io::stdout().write_all(text.as_bytes())?;
            std::io::stdout().flush()?;
        }
        if let Some(text) = &with.stderr {
            std::io::stderr().write_all(text.as_bytes())?;
        }
        let mut stdin = String::new();
        std::io::stdin().read_to_string(&mut stdin)?;
        Ok(Outputs {
            wall,
            slept: begun.elapsed().as_millis() as u64,
            random: format!("{:016x}", get_random_u64()),
            seed: format!("{:016x}", RandomState::new().hash_one(())),
            env: std::env::vars().collect(),
            args: std::env::args().collect(),
            stdin,
            directory: match std::env::current_dir() {
                Ok(folder) => folder.display().to_string(),
                Err(error) => format!("none: {error}"),
            },
        })
    }
}

windlass_plugin::export!(Clock);
