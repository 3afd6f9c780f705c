//! `cargo xtask demo`: the storefront example, from source to a registry, and then the proof,
//! asked of the registry and the engine themselves rather than of Windlass.

use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::http::{self, Server, request};
use crate::proc::Cmd;
use crate::setup::{World, build_guests, guest_envs};
use crate::ui;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

const REPOSITORY: &str = "storefront";
/// The label that Windlass puts on every container it makes.
const RUN_LABEL: &str = "windlass.run";
/// All kinds of manifest: a registry translates what is not accepted, and then gives the digest
/// of the translation.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// The command.
pub(crate) fn command() -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    let world = World::ensure(&context, false)?;
    let mut envs = guest_envs(&context);
    envs.extend(world.envs());
    ui::part("the storefront's service", || storefront(&context))?;
    let windlass = ui::part("windlass", || windlass(&context, &envs))?;

    let before = world.engine.containers(Some(RUN_LABEL))?;
    let registry = Server::Tcp(world.registry.address.clone());
    let tags_before = tags(&registry)?;
    let start = Instant::now();
    ui::part("windlass run examples/storefront/pipeline.toml", || {
        Cmd::new(&windlass)
            .args(["run", "examples/storefront/pipeline.toml"])
            .dir(&context.root)
            .envs(&envs)
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

/// Builds the example's service as a static program, so that its image needs no base to pull.
pub(crate) fn storefront(context: &Context) -> Result<()> {
    let example = context.root.join("examples/storefront");
    let app = example.join("app");
    if !app.join("Cargo.toml").is_file() {
        ui::note("the example's pipeline builds it by itself");
        return Ok(());
    }
    let version = Cmd::new("rustc").arg("-vV").output()?;
    let host = version.lines().find_map(|l| l.strip_prefix("host: ")).doing(|| "find rustc's host".to_owned())?;
    let target = context.target.join("storefront");
    // `--target`, even for the host: without it the flags would also reach build scripts and
    // procedural macros, which cannot be static.
    Cmd::new("cargo")
        .dir(&app)
        .args(["build", "--release", "--target", host, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .run()?;
    let built = target.join(host).join("release");
    let mut copied = 0;
    for entry in fs::read_dir(&built).doing(|| format!("list {}", built.display()))?.flatten() {
        let path = entry.path();
        // Programs have no ending; their dependency files (`.d`) do.
        if path.is_file() && path.extension().is_none() && !entry.file_name().to_string_lossy().starts_with('.') {
            let to = example.join("dist").join(entry.file_name());
            let bytes = fs::read(&path).doing(|| format!("read {}", path.display()))?;
            crate::bytes::write_if_changed(&to, &bytes)?;
            let permissions = fs::metadata(&path).map(|m| m.permissions());
            permissions.and_then(|p| fs::set_permissions(&to, p)).doing(|| format!("write {}", to.display()))?;
            ui::note(&format!("{}", to.display()));
            copied += 1;
        }
    }
    if copied == 0 {
        return Err(Failure::new(format!("{} built no program", app.display())));
    }
    Ok(())
}

/// Builds the program itself as users get it.
fn windlass(context: &Context, envs: &[(String, String)]) -> Result<PathBuf> {
    Cmd::new("cargo").dir(&context.root).envs(envs).args(["build", "--release", "--package", "windlass"]).run()?;
    Ok(context.target.join("release/windlass"))
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
