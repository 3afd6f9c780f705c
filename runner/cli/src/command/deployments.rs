//! `windlass deployments`: what was deployed, and how it went.

use clap::Args;
use serde_json::json;
use windlass_journal::{Journal, Reader, now_micros};
use windlass_view::deployments::{Deployment, DeploymentsOptions, Wanted, deployments, read};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, incidents, output, view_style};

/// List what was deployed, the newest first
///
/// This is the past, from the record alone: each deploy with its revision, who started its run, how its traffic was
/// shifted, what was judged, and what became of it. What serves at present is in `windlass router status`.
#[derive(Debug, Args)]
pub(crate) struct Deployments {
    /// Only of this service
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// Only in this environment
    #[arg(long = "env", visible_alias = "environment", value_name = "NAME")]
    environment: Option<String>,
    /// Only of this run, by its id or the beginning of it, or `latest`; with all that is known of each
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// All that is known of each
    #[arg(long)]
    details: bool,
    /// Print the report of what this run has rolled back, in Markdown
    #[arg(long, value_name = "RUN", conflicts_with_all = ["run", "details", "service", "environment", "limit"])]
    incident: Option<String>,
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Deployments) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    if let Some(run) = &args.incident {
        return incident(&reader, run, args.format.format);
    }
    let wanted = Wanted {
        service: args.service.clone(),
        environment: args.environment.clone(),
        run: args.run.as_deref().map(|run| reader.resolve(Some(run))).transpose()?,
        limit: args.limit,
    };
    let found = read(&reader, &wanted)?;
    if args.limit == 0 {
        // None was asked for, which does not say that there is none.
        return Ok(Exit::SUCCESS);
    }
    if found.is_empty() {
        refuse(&reader, &wanted)?;
    }
    let options = DeploymentsOptions {
        style: view_style::style(),
        format: args.format.format.into(),
        details: args.details || args.run.is_some(),
        now: now_micros(),
    };
    deployments(&found, options, &mut output::raw())?;
    Ok(Exit::SUCCESS)
}

/// Says that there is no such service, if there are others.
fn refuse(reader: &Reader, wanted: &Wanted) -> Result<(), CliError> {
    let all = read(reader, &Wanted { run: wanted.run.clone(), limit: usize::MAX, ..Wanted::default() })?;
    if let Some(service) = &wanted.service
        && !all.is_empty()
    {
        of_service(&all, service)?;
    }
    if let Some(environment) = &wanted.environment
        && !all.is_empty()
    {
        return Err(CliError::usage(
            format!("nothing was deployed to environment `{environment}`"),
            format!("something was {}", environments(&all)),
        ));
    }
    Ok(())
}

/// The deploys of a service; an error with the nearest name if there are none.
pub(super) fn of_service<'a>(all: &'a [Deployment], service: &str) -> Result<Vec<&'a Deployment>, CliError> {
    let found: Vec<_> = all.iter().filter(|one| one.service == service).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut names: Vec<&str> = all.iter().map(|one| one.service.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let near = |name: &&&str| strsim::damerau_levenshtein(service, name) <= service.len().max(name.len()) / 3;
    let nearest = names.iter().filter(near).min_by_key(|name| strsim::damerau_levenshtein(service, name));
    let help = match (nearest, &*names) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "nothing was deployed here at all".to_owned(),
        (None, names) => format!("deployed were: {}", names.join(", ")),
    };
    Err(CliError::usage(format!("no service `{service}` was deployed here"), help))
}

/// Where these were deployed.
pub(super) fn environments<'a>(of: impl IntoIterator<Item = &'a Deployment>) -> String {
    let mut names: Vec<_> = of.into_iter().map(|one| one.environment.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let said = names.into_iter().map(|name| match name {
        Some(name) => format!("in `{name}`"),
        None => "without an environment".to_owned(),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn incident(reader: &Reader, run: &str, format: Format) -> Result<Exit, CliError> {
    let run = reader.resolve(Some(run))?;
    for (index, incident) in incidents::of(reader, &run)?.iter().enumerate() {
        let one = &incident.deployment;
        match format {
            Format::Human if index > 0 => output::text(&format!("\n{}", incident.text))?,
            Format::Human => output::text(&incident.text)?,
            Format::Json => output::json(&json!({
                "type": "incident",
                "run": one.run,
                "service": one.service,
                "environment": one.environment,
                "revision": one.revision,
                "automatic": incident.is_automatic(),
                "text": incident.text,
            }))?,
        }
    }
    Ok(Exit::SUCCESS)
}
