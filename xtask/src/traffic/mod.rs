//! `cargo xtask traffic`: delivers under load, counts every request, and says what failed and why.
//!
//! Requests that a revision itself fails, which it says by its name in the answer, are counted apart from those that
//! fail on the way: the first are the revision's doing, within the share of the traffic that it was given, and of the
//! second there may be none, but where a scenario states a bound.

mod front;
mod haproxy;
mod harness;
mod load;
mod options;
mod pipeline;
mod place;
mod process;
mod router;
mod scenario;
mod table;
mod trial;
mod watch;

pub(crate) use harness::image;
pub(crate) use options::Options;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::setup::{World, build_guests};
use crate::{proc, ui};
use harness::Harness;
use std::time::Instant;
use table::Row;

/// The command.
pub(crate) fn command(options: &Options) -> Result<()> {
    let context = Context::find()?;
    if let (true, Some(name), &[driver]) = (options.apart, &options.only, options.drivers.as_slice()) {
        return scenario::daemon::apart(&context, name, driver);
    }
    build_guests(&context)?;
    let outside = World::ensure(&context, false)?;
    run(&context, &outside, options).map(drop)
}

/// The sample that belongs to `cargo xtask test`; gives how many scenarios there were.
pub(crate) fn sample(context: &Context, outside: &World) -> Result<usize> {
    run(context, outside, &Options::parse(&["--sample".to_owned()])?)
}

/// Tries everything, prints the table, and fails if a bound does not hold. Gives how many scenarios there were.
fn run(context: &Context, outside: &World, options: &Options) -> Result<usize> {
    let start = Instant::now();
    let chosen = scenario::chosen(options);
    if chosen.is_empty() {
        return Err(Failure::new("there is nothing to try: no scenario has the text of `--only` in its name"));
    }
    let harness = Harness::prepare(context, outside)?;
    let (mut rows, mut broken): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    for (number, (scenario, driver)) in chosen.iter().enumerate() {
        let title = format!("{} ({}), {} of {}", scenario.name, driver.name(), number + 1, chosen.len());
        let done = ui::part(&title, || scenario.run(&harness, *driver));
        if proc::interrupted().is_some() {
            return Err(Failure::new("interrupted"));
        }
        match done {
            Ok(row) => {
                row.failures.iter().for_each(|line| ui::note(line));
                let problems = row.problems();
                if !problems.is_empty() {
                    let file = harness.folder.join(format!("failed/{}.txt", trial::file_name(&row)));
                    let text = format!("{title}\n  {}\n  {}", problems.join("\n  "), file.display());
                    ui::warn(&text);
                    broken.push(text);
                }
                rows.push(row);
            }
            Err(why) => {
                let text = format!("{title}\n  {}", why.to_string().replace('\n', "\n  "));
                ui::warn(&text);
                broken.push(text);
            }
        }
    }
    ui::heading(&format!("{} scenarios under load in {}", chosen.len(), ui::took(start.elapsed())));
    println!("{}", table::table(&rows));
    if broken.is_empty() {
        return Ok(chosen.len());
    }
    Err(Failure::new(format!("{} of {} scenarios failed:\n{}", broken.len(), chosen.len(), broken.join("\n"))))
}
