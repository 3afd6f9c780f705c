//! Whether the journal is whole, and what a person should see to.

use std::path::Path;

use windlass_journal::{Check, Journal, JournalError};
use windlass_view::size;

use super::Finding;
use crate::command::runs::PER_RUN;
use crate::error::number;
use crate::files;

/// With less than this left on its disk, a run may not get to its end.
const LITTLE: u64 = 256 << 20;

/// Looks at all of it.
pub(super) fn look(state: &Path) -> Finding {
    let shown = state.display();
    let room = files::room(state);
    let left = room.map_or_else(String::new, |room| format!(", {} left on the disk", size(room)));
    match checked(state) {
        Ok((check, abandoned)) => {
            let what = format!("{shown}, {}, {}{left}", number(check.runs, "run"), size(check.size));
            judge(what, &check, abandoned, room)
        }
        Err(JournalError::Absent { .. } | JournalError::NoRuns { .. }) => {
            Finding::ok("journal", format!("{shown}, not made yet: nothing was run here{left}"))
        }
        Err(error) => Finding::fail("journal", error.to_string(), "nothing can be run here until this is put right"),
    }
}

/// The check, and how many folders are left over of runs that are gone.
fn checked(state: &Path) -> Result<(Check, usize), JournalError> {
    let reader = Journal::open(state)?;
    let check = reader.check()?;
    let mut abandoned = 0;
    // A journal that is damaged does not know whose they are.
    if check.is_whole() {
        for folder in PER_RUN {
            abandoned += reader.abandoned(folder)?.len();
        }
    }
    Ok((check, abandoned))
}

fn judge(what: String, check: &Check, abandoned: usize, room: Option<u64>) -> Finding {
    if let Some(first) = check.damage.first() {
        let more = match check.damage.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        return Finding::fail(
            "journal",
            format!("{what}; it is damaged: {first}{more}"),
            "keep a copy of the folder, then move it away: the next run makes a new one; what is whole can still be read with `windlass show RUN`",
        );
    }
    let mut said = Vec::new();
    let mut help = Vec::new();
    if let Some(newest) = check.interrupted.first() {
        said.push(number(check.interrupted.len(), "run was interrupted").replace("runs was", "runs were"));
        help.push(format!("`windlass resume {}` goes on with the newest of them", newest.id));
    }
    let orphans = check.orphans.len() + abandoned;
    if orphans > 0 {
        said.push(format!(
            "{} left over of runs that are gone",
            if orphans == 1 { "1 file or folder".to_owned() } else { format!("{orphans} files or folders") }
        ));
        help.push("`windlass runs prune --keep 100` removes what is left over".to_owned());
    }
    if let Some((run, missing)) = check.short_logs.first_key_value() {
        said.push(format!("the log of run {run} lacks its last {}, as after a power cut", size(*missing)));
        help.push("what is missing of a log is lost; the records are whole".to_owned());
    }
    if room.is_some_and(|room| room < LITTLE) {
        said.push("the disk is almost full".to_owned());
        help.push("make room, say with `windlass runs prune --keep N`".to_owned());
    }
    if said.is_empty() {
        return Finding::ok("journal", what);
    }
    Finding::warn("journal", format!("{what}; {}", said.join("; ")), &help.join("; "))
}
