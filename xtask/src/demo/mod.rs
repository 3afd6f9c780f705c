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
pub(crate) const NAMES: [&str; 3] = ["storefront", "blue-green", "canary"];

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
    let world = World::ensure(&context, false)?;
    let mut envs = guest_envs(&context);
    envs.extend(world.envs());
    let windlass = ui::part("windlass", || {
        Cmd::new("cargo").dir(&context.root).envs(&envs).args(["build", "--release", "--package", "windlass"]).run()?;
        Ok(context.target.join("release/windlass"))
    })?;
    let stage = Stage { context, world, windlass, envs };
    let storefront = ["storefront".to_owned()];
    for name in if names.is_empty() { &storefront } else { names } {
        match name.as_str() {
            "blue-green" => deploys::blue_green(&stage)?,
            "canary" => deploys::canary(&stage)?,
            _ => storefront::run(&stage)?,
        }
    }
    Ok(())
}
