//! Debian packages: installed when they are missing, and only then.

use crate::failure::{Doing, Failure, Result};
use crate::proc::{Cmd, on_path};
use crate::ui;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Can this process install Debian packages?
pub(super) fn can_install() -> bool {
    nix::unistd::geteuid().is_root() && on_path("apt-get") && on_path("dpkg-query")
}

/// Installs those of the packages that are missing. `why` begins the message of a failure, as in
/// "A Docker Engine is needed".
pub(super) fn ensure(packages: &[&str], why: &str) -> Result<()> {
    if !can_install() {
        return Err(Failure::new(format!(
            "{why}, and this is not a Debian machine with root's rights, where it would be installed by itself.\n\
             On Debian: sudo apt-get install --no-install-recommends {}",
            packages.join(" ")
        )));
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|p| !installed(p)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    ui::note(&format!("installing {}", missing.join(" ")));
    let _policy = NoServices::set()?;
    // Lists of packages may be there already; fetching them first would cost every machine.
    if install(&missing).is_ok() {
        return Ok(());
    }
    update()?;
    install(&missing).map_err(|e| Failure::new(format!("{why}. {e}")))
}

/// The router's proxy library builds its own zlib with it, so every build of the runner needs it.
pub(super) fn cmake() -> Result<()> {
    if on_path("cmake") {
        return Ok(());
    }
    ensure(&["cmake"], "cmake is needed to build the router")
}

/// Its driver is tested with it.
pub(super) fn haproxy() -> Result<()> {
    if on_path("haproxy") {
        return Ok(());
    }
    ensure(&["haproxy"], "HAProxy is needed to test the driver for it")?;
    // The package has it started with the machine from now on, which nobody asked for. Where there is
    // no systemd, there is nothing to undo.
    let _ = Cmd::new("systemctl").args(["disable", "haproxy"]).output();
    Ok(())
}

fn installed(package: &str) -> bool {
    Cmd::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", package])
        .output()
        .is_ok_and(|status| status == "installed")
}

fn apt() -> Cmd {
    Cmd::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", "DPkg::Lock::Timeout=600"])
}

fn install(packages: &[&str]) -> Result<()> {
    apt().args(["install", "-y", "--no-install-recommends"]).args(packages).output().map(drop)
}

/// The lists have a lock for which apt-get does not wait; somebody else's update ends soon.
fn update() -> Result<()> {
    let mut tries = 0;
    loop {
        match apt().arg("update").output() {
            Ok(_) => return Ok(()),
            Err(why) if tries < 60 && why.to_string().contains("lock") => {
                if tries == 0 {
                    ui::note("waiting for another apt-get");
                }
                tries += 1;
                std::thread::sleep(Duration::from_secs(3));
            }
            Err(why) => return Err(why),
        }
    }
}

/// While it lives, no package starts a service: an engine started by the package would not be
/// ours to end. A policy that is already there (as in container images) is left alone.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn set() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\n# Set by `cargo xtask` while it installs packages.\nexit 101\n")
                .and_then(|()| fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)))
                .doing(|| format!("write {POLICY}"))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours && fs::remove_file(POLICY).is_err() {
            ui::warn(&format!("{POLICY} is left over and keeps packages from starting services: remove it"));
        }
    }
}
