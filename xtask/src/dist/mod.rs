//! `cargo xtask dist`: the program as it is given to others.
//!
//! It is compiled twice. The first one counts what its code does, and practises what users do with it; the second is laid
//! out by what was counted (profile-guided optimisation). docs/benchmarks.md says what that is worth.

mod practice;

pub(crate) use practice::load;

use crate::context::Context;
use crate::failure::{Doing, Result};
use crate::proc::Cmd;
use crate::setup::{build_guests, guest_envs, llvm_profdata};
use crate::ui;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The command.
pub(crate) fn command() -> Result<()> {
    let context = Context::find()?;
    build_guests(&context)?;
    let tool = ui::part("llvm-profdata", llvm_profdata)?;
    let program = build(&context, &tool)?;
    ui::heading("the program");
    println!("{}", program.display());
    Ok(())
}

/// Builds it. What is up to date is not built again, nor practised.
pub(crate) fn build(context: &Context, tool: &Path) -> Result<PathBuf> {
    let folder = context.target.join("shipped");
    let profiles = folder.join("profile");
    // It need not be quick, and optimising all of it at once takes a quarter of an hour.
    let flags = [&*format!("-Cprofile-generate={}", profiles.display()), "-Clto=off", "-Clinker-plugin-lto=no"];
    let instrumented = ui::part("the instrumented program", || compile(context, &folder.join("instrumented"), &flags))?;

    // A profile belongs to the program that wrote it.
    let bytes = fs::read(&instrumented).doing(|| format!("read {}", instrumented.display()))?;
    let profile = profiles.join(format!("{}.profdata", &hex::encode(Sha256::digest(&bytes))[..16]));
    let optimised = folder.join("optimised");
    if !profile.is_file() {
        // cargo would keep what the old profile made beside what the new one makes.
        for old in [&profiles, &optimised] {
            if old.exists() {
                fs::remove_dir_all(old).doing(|| format!("remove {}", old.display()))?;
            }
        }
        ui::part("practice", || practise(context, &instrumented, tool, &profile))?;
    }
    let flags = [&*format!("-Cprofile-use={}", profile.display())];
    ui::part("the program", || compile(context, &optimised, &flags))
}

/// Compiles it once, for where there is nothing to make a profile with.
pub(crate) fn build_without_profile(context: &Context) -> Result<PathBuf> {
    let package = ["build", "--profile", "dist", "--package", "windlass"];
    Cmd::new("cargo").dir(&context.root).args(package).envs(&guest_envs(context)).run()?;
    Ok(context.target.join("dist/windlass"))
}

/// The profile without what it was made of.
fn practise(context: &Context, instrumented: &Path, tool: &Path, profile: &Path) -> Result<()> {
    let folder = profile.with_extension("parts");
    let (counts, whole) = (folder.join("counts"), folder.join("whole.profdata"));
    fs::create_dir_all(&counts).doing(|| format!("create {}", counts.display()))?;
    practice::run(context, instrumented, &folder.join("work"), &counts)?;
    Cmd::new(tool).args(["merge", "--output"]).arg(&whole).arg(&counts).output()?;
    fs::rename(&whole, profile).doing(|| format!("write {}", profile.display()))?;
    fs::remove_dir_all(&folder).doing(|| format!("remove {}", folder.display()))
}

/// Compiles the program with these flags. In all else it is compiled the same way both times, since a profile knows
/// functions by their names, and those have a hash of cargo's settings in them.
fn compile(context: &Context, folder: &Path, flags: &[&str]) -> Result<PathBuf> {
    let host = host()?;
    // With a target of its own, build scripts and macros are not compiled with the flags.
    let build = ["build", "--profile", "dist", "--package", "windlass", "--target", &host, "--target-dir"];
    let command = Cmd::new("cargo").dir(&context.root).args(build).arg(folder).envs(&guest_envs(context));
    let flags = encoded(|name| std::env::var(name).ok(), flags);
    command.env("WINDLASS_PLUGINS_DIR", context.plugins()).env("CARGO_ENCODED_RUSTFLAGS", flags).run()?;
    Ok(folder.join(&host).join("dist/windlass"))
}

fn host() -> Result<String> {
    let said = Cmd::new("rustc").args(["--print", "host-tuple"]).output()?;
    Ok(said.trim().to_owned())
}

/// The flags that whoever builds has set in the environment, and ours. Those of cargo's configuration files are left out, as
/// cargo does wherever the environment has some.
fn encoded(set: impl Fn(&str) -> Option<String>, ours: &[&str]) -> String {
    const BETWEEN: &str = "\x1f";
    let theirs = set("CARGO_ENCODED_RUSTFLAGS")
        .or_else(|| set("RUSTFLAGS").map(|flags| flags.split_ascii_whitespace().collect::<Vec<_>>().join(BETWEEN)));
    let theirs = theirs.filter(|flags| !flags.is_empty());
    theirs.as_deref().into_iter().chain(ours.iter().copied()).collect::<Vec<_>>().join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn the_flags_of_whoever_builds_are_kept() {
        let flags = |before: Option<&str>, plain: Option<&str>| {
            let set = |name: &str| if name == "RUSTFLAGS" { plain } else { before }.map(str::to_owned);
            encoded(set, &["-Ca=b c", "-Cd"])
        };
        assert_eq!(flags(None, None), "-Ca=b c\x1f-Cd");
        assert_eq!(flags(None, Some(" -A  -B ")), "-A\x1f-B\x1f-Ca=b c\x1f-Cd");
        assert_eq!(flags(Some("-C\x1f-D"), Some("-A")), "-C\x1f-D\x1f-Ca=b c\x1f-Cd");
        assert_eq!(flags(Some(""), None), "-Ca=b c\x1f-Cd");
    }
}
