//! `cargo xtask demo`: the examples, end to end, with the program as users get it.

mod deploys;
mod storefront;
mod visitors;

use crate::context::Context;
use crate::failure::Result;
use crate::proc::Cmd;
use crate::setup::{World, build_guests, guest_envs};
use crate::ui;
use std::path::PathBuf;

/// The examples that are named; without a name it is the storefront.
pub(crate) const NAMES: [&str; 4] = ["storefront", "blue-green", "canary", "polyglot"];

/// The label that Windlass puts on every container it makes.
const RUN_LABEL: &str = "windlass.run";

/// What an example needs.
struct Stage {
    context: Context,
    world: World,
    windlass: PathBuf,
    envs: Vec<(String, String)>,
}

/// The command.
pub(crate) fn command(names: &[String]) -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    let storefront = ["storefront".to_owned()];
    let names = if names.is_empty() { &storefront } else { names };
    let mut envs = guest_envs(&context);
    // The others act on an engine.
    let world = if names.iter().all(|name| name == "polyglot") { None } else { Some(World::ensure(&context, false)?) };
    envs.extend(world.iter().flat_map(World::envs));
    let windlass = ui::part("windlass", || {
        Cmd::new("cargo").dir(&context.root).envs(&envs).args(["build", "--release", "--package", "windlass"]).run()?;
        Ok(context.target.join("release/windlass"))
    })?;
    if names.iter().any(|name| name == "polyglot") {
        crate::languages::polyglot(&context, &windlass)?;
    }
    let Some(world) = world else { return Ok(()) };
    let stage = Stage { context, world, windlass, envs };
    for name in names {
        match name.as_str() {
            "polyglot" => {}
            "blue-green" => deploys::blue_green(&stage)?,
            "canary" => deploys::canary(&stage)?,
            _ => storefront::run(&stage)?,
        }
    }
    Ok(())
}
