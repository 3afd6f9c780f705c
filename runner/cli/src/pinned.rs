//! A run as it was pinned: the plan is made again from what was recorded, and whoever goes on with it or replays it
//! needs the same plugins and the same gate.

use std::path::Path;

use windlass_engine::RunOptions;
use windlass_gate::{Recording, Secrets};
use windlass_journal::{RunFlags, RunStarted, StepIndex, version_matters};
use windlass_pipeline::Facts;
use windlass_pipeline::lock::Pinned;

use crate::error::CliError;
use crate::prepare::{Prepared, Text, prepare_with};
use crate::sources::Known;
use crate::{answers, files, versions};

/// How the run was asked to go about it.
pub(crate) fn options(flags: &RunFlags) -> RunOptions {
    let mut options = RunOptions { keep: flags.keep, fail_fast: !flags.keep_going, ..RunOptions::default() };
    if let Some(jobs) = flags.jobs {
        options.jobs = jobs.max(1) as usize;
    }
    options
}

/// Makes the plan of a recorded run again. `instead` names plugins that other files stand in for. Plugins of registries
/// are those of the run, whatever their tags point to by now.
pub(crate) async fn prepare(
    text: &Text,
    started: &RunStarted,
    jobs: usize,
    instead: &[(String, &Path)],
) -> Result<Prepared, CliError> {
    let known = Known { instead, pinned: plugins(started), only_pinned: false };
    prepare_with(text, facts(started), jobs, &known).await
}

/// The plugins of a recorded run.
pub(crate) fn plugins(started: &RunStarted) -> Vec<Pinned> {
    let pins = started.plugins.iter();
    let of = |source: &str, digest: &str| Pinned {
        source: source.to_owned().into(),
        digest: digest.to_owned(),
        manifest: None,
        key: None,
    };
    pins.map(|pin| of(&pin.source, &pin.digest)).collect()
}

/// What the plan was made from.
pub(crate) fn facts(started: &RunStarted) -> Facts {
    let of = |prefix: &str| {
        let facts = started.facts.iter();
        facts.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))).collect()
    };
    Facts {
        run_id: started.run.clone(),
        env: of("env."),
        git: of("git."),
        workspace: started.workspace.clone(),
        environment: started.flags.env.clone(),
    }
}

/// Refuses to go on with other plugins, or another gate, than those that the run was begun with.
pub(crate) fn check(prepared: &Prepared, recording: &Recording, restarted: &[StepIndex]) -> Result<(), CliError> {
    let here = versions::all();
    let started = &recording.started;
    for (what, recorded) in started.versions.iter().filter(|(what, _)| version_matters(what)) {
        if here.get(what) != Some(recorded) {
            let now = here.get(what).map_or("no longer knows it", String::as_str);
            return Err(CliError::usage(
                format!(
                    "the run was begun with {what} {recorded}, and this Windlass has {now}: its record cannot be gone on with"
                ),
                format!(
                    "resume it with the Windlass that began it ({}), or start a new run",
                    started.versions.get("windlass").map_or("another one", String::as_str)
                ),
            ));
        }
    }
    let now = prepared.pins();
    let open = (0..).zip(&prepared.plan.steps).filter(|(index, _)| {
        let step = StepIndex(*index);
        !restarted.contains(&step) && recording.steps.get(&step).is_none_or(|step| step.ended.is_none())
    });
    let mut changed: Vec<String> = Vec::new();
    let mut plugin = None;
    for (index, step) in open {
        let place = step.plugin as usize;
        if let (Some(was), Some(is)) = (started.plugins.get(place), now.get(place))
            && was.digest != is.digest
            && !allowed_before(recording, StepIndex(index), &is.digest, place)
        {
            changed.push(answers::name(&prepared.plan, StepIndex(index)));
            plugin.get_or_insert((was, is));
        }
    }
    let Some((was, is)) = plugin else { return Ok(()) };
    let restart: Vec<_> = changed.iter().map(|step| format!("--restart-step {step}")).collect();
    Err(CliError::usage(
        format!(
            "plugin `{}` is not the one that the run was begun with: it was {}, and is {}; it is used by {}",
            is.source,
            short(&was.digest),
            short(&is.digest),
            changed.join(", ")
        ),
        format!(
            "put the old plugin back, or let the step begin anew with the new one: windlass resume {} {}",
            started.run,
            restart.join(" ")
        ),
    ))
}

/// Whether an earlier resume has let the step begin anew with this very plugin.
fn allowed_before(recording: &Recording, step: StepIndex, digest: &str, place: usize) -> bool {
    recording.restarted.get(&step).and_then(|pins| pins.get(place)).is_some_and(|pin| pin.digest == digest)
}

/// Refuses to go on where a secret that the run has used has another value: what has the old one may print it, and
/// nobody would know to take it out.
pub(crate) fn same_secrets(secrets: &Secrets, recording: &Recording, forgotten: &[String]) -> Result<(), CliError> {
    if let Some(name) = forgotten.iter().find(|name| !recording.secrets.contains_key(*name)) {
        return Err(CliError::usage(
            format!("the run has not used a secret `{name}`"),
            "leave `--forget-secret` out for it",
        ));
    }
    let problem = |(name, was): (&String, &String)| match secrets.check(name) {
        _ if forgotten.contains(name) => None,
        Ok(now) if now == *was => None,
        Ok(_) => Some((name.clone(), format!("secret `{name}` has another value than the one that the run has used"))),
        Err(error) => Some((name.clone(), format!("secret `{name}`, which the run has used, cannot be read: {error}"))),
    };
    let (names, problems): (Vec<_>, Vec<_>) = recording.secrets.iter().filter_map(problem).unzip();
    if problems.is_empty() {
        return Ok(());
    }
    let all = forgotten.iter().chain(&names).map(|name| format!("--forget-secret {name}")).collect::<Vec<_>>();
    Err(CliError::usage(
        format!("{}; the old value could not be taken out of output any more", problems.join("; ")),
        format!(
            "put the old value back until the run has ended; or go on although output may show the old value: windlass resume {} {}",
            recording.started.run,
            all.join(" ")
        ),
    ))
}

/// What to say when the file of a recorded run is not what it was.
pub(crate) fn edited(text: &Text) -> Option<String> {
    if text.is_in_no_file() {
        return None;
    }
    let path = text.workspace.join(Path::new(&text.source.name).file_name()?);
    let what = match files::read_pipeline(&path) {
        Ok(now) if now.text == text.source.text => return None,
        Ok(_) => "has changed since the run began",
        Err(_) => "cannot be read any more",
    };
    Some(format!("{} {what}; the run goes on with the pipeline as it was", path.display()))
}

/// Refuses to replay with other plugins than those that were recorded, but for those that are replaced on purpose.
pub(crate) fn same_plugins(prepared: &Prepared, recording: &Recording, replaced: &[&str]) -> Result<(), CliError> {
    for (place, (was, is)) in recording.started.plugins.iter().zip(prepared.pins()).enumerate() {
        let restarted = recording.restarted.values().filter_map(|pins| pins.get(place));
        let known = std::iter::once(was).chain(restarted).any(|pin| pin.digest == is.digest);
        if !known && !replaced.contains(&is.source.as_str()) {
            return Err(CliError::usage(
                format!(
                    "plugin `{}` is not the one that was recorded: it was {}, and is {}",
                    is.source,
                    short(&was.digest),
                    short(&is.digest)
                ),
                format!("put the old plugin back; or ask what the new one would have done: --with {}=FILE", is.source),
            ));
        }
    }
    Ok(())
}

fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}
