//! The storefront example, from source to a registry, and then the proof,
//! asked of the registry and the engine themselves rather than of Windlass.

use super::{RUN_LABEL, Stage};
use crate::failure::{Failure, Result};
use crate::http::{self, Server, request};
use crate::proc::Cmd;
use crate::ui;
use std::collections::BTreeMap;
use std::time::Instant;

const REPOSITORY: &str = "storefront";
/// All kinds of manifest: a registry translates what is not accepted, and then gives the digest
/// of the translation.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// Runs it.
pub(super) fn run(stage: &Stage) -> Result<()> {
    let Stage { context, world, windlass, envs } = stage;
    let before = world.engine.containers(Some(RUN_LABEL))?;
    let registry = Server::Tcp(world.registry.address.clone());
    let tags_before = tags(&registry)?;
    let start = Instant::now();
    ui::part("windlass run examples/storefront/pipeline.toml", || {
        Cmd::new(windlass)
            .args(["run", "examples/storefront/pipeline.toml"])
            .dir(&context.root)
            .envs(envs)
            // The examples have no `pipeline.lock`, which is wanted where CI is set.
            .env_remove("CI")
            .hint("The pipeline failed; `windlass show` tells what happened.")
            .run()
    })?;
    let took = start.elapsed();

    ui::heading("what the registry says");
    let tags = tags(&registry)?;
    if tags.is_empty() {
        return Err(Failure::new(format!("the registry {} has no image {REPOSITORY}", world.registry.address)));
    }
    for (tag, digest) in &tags {
        let news = if tags_before.get(tag) == Some(digest) { " (as before this run)" } else { "" };
        println!("{}/{REPOSITORY}:{tag} is {digest}{news}", world.registry.address);
    }
    ui::heading("what the engine says");
    let left: Vec<String> =
        world.engine.containers(Some(RUN_LABEL))?.into_iter().filter(|id| !before.contains(id)).collect();
    if !left.is_empty() {
        return Err(Failure::new(format!("the run left containers behind: {}", left.join(" "))));
    }
    println!("no container of the run is left");
    println!("the pipeline took {}", ui::took(took));
    Ok(())
}

/// The repository's tags, each with the digest that the registry reports for it.
fn tags(registry: &Server) -> Result<BTreeMap<String, String>> {
    let answer = http::get(registry, &format!("/v2/{REPOSITORY}/tags/list"))?;
    if answer.status == 404 {
        return Ok(BTreeMap::new());
    }
    let list = answer.json()?;
    let names = list["tags"].as_array().into_iter().flatten().filter_map(|t| t.as_str());
    names
        .map(|tag| {
            let path = format!("/v2/{REPOSITORY}/manifests/{tag}");
            let answer = request(registry, "HEAD", &path, &[("Accept", MANIFESTS)])?;
            match answer.header("Docker-Content-Digest") {
                Some(digest) if answer.status == 200 => Ok((tag.to_owned(), digest.to_owned())),
                _ => Err(Failure::new(format!("the registry answers {} for {REPOSITORY}:{tag}", answer.status))),
            }
        })
        .collect()
}
