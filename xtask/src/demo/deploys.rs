//! The examples that deploy behind the router, under traffic.

use super::visitors::{Counts, Visitors};
use super::{RUN_LABEL, Stage};
use crate::failure::{Doing, Failure, Result};
use crate::http::{query, request};
use crate::proc::Cmd;
use crate::ui;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

/// The label that says which pipeline made a container.
const PIPELINE_LABEL: &str = "windlass.pipeline";

/// A router of the example's own, and what is behind it; both end with this value.
struct Shop<'a> {
    stage: &'a Stage,
    /// The example, which is also the pipeline's name.
    name: &'static str,
    /// The router's folder. A socket is in it, so its path has to be short.
    router: PathBuf,
    address: String,
}

/// Version 1, version 2, and back again; no request is lost.
pub(super) fn blue_green(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage, "blue-green")?;
    shop.deploys("1.0.0", &[])?;
    let visitors = Visitors::come(&shop.address);
    shop.deploys("2.0.0", &[])?;
    shop.windlass("windlass rollback storefront", &["rollback", "storefront"], &[])?;
    let counts = shop.counted(visitors)?;
    if counts.pages.len() != 2 || counts.broken > 0 {
        return Err(Failure::new(format!("both versions should have been seen, and no errors: {counts}")));
    }
    shop.close()
}

/// Version 1, a good version 2, and a bad version 3, which goes back by itself.
pub(super) fn canary(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage, "canary")?;
    shop.deploys("1.0.0", &[])?;
    let visitors = Visitors::come(&shop.address);
    shop.deploys("2.0.0", &[])?;
    let bad = shop.deploys("3.0.0", &[("STOREFRONT_FAULTS", "5")]);
    if bad.is_ok() {
        return Err(Failure::new("version 3.0.0 fails every fifth request, and was committed"));
    }
    ui::note("it went back by itself, as it should");
    let counts = shop.counted(visitors)?;
    if counts.broken == 0 || counts.pages.get("2.0.0") <= counts.pages.get("3.0.0") {
        return Err(Failure::new(format!("version 3.0.0 should have failed a few visitors only: {counts}")));
    }
    shop.close()
}

impl<'a> Shop<'a> {
    /// Starts the router at a free port.
    fn open(stage: &'a Stage, name: &'static str) -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.doing(|| "find a free port".to_owned())?.to_string();
        let router = std::env::temp_dir().join(format!("windlass-demo-{}", std::process::id()));
        let shop = Self { stage, name, router, address };
        // What a demonstration that was killed has left behind would be in the way of the names.
        shop.sweep()?;
        let listen = shop.address.clone();
        shop.windlass(
            &format!("windlass router start --listen {listen}"),
            &["router", "start", "--listen", &listen],
            &[],
        )?;
        Ok(shop)
    }

    fn deploys(&self, version: &str, envs: &[(&str, &str)]) -> Result<()> {
        let mut all = vec![("STOREFRONT_VERSION", version)];
        all.extend(envs);
        let start = Instant::now();
        let done = self.windlass(&format!("{}: version {version}", self.name), &["run"], &all);
        ui::note(&format!("version {version}: {}", ui::took(start.elapsed())));
        done
    }

    /// Runs `windlass` in the example's folder.
    fn windlass(&self, title: &str, args: &[&str], envs: &[(&str, &str)]) -> Result<()> {
        ui::heading(title);
        let mut command = Cmd::new(&self.stage.windlass)
            .args(args)
            .dir(&self.stage.context.root.join("examples").join(self.name))
            .envs(&self.stage.envs)
            // The examples have no `pipeline.lock`, which is wanted where CI is set.
            .env_remove("CI")
            .env("WINDLASS_ROUTER", &self.router);
        for (name, value) in envs {
            command = command.env(name, value);
        }
        command.run()
    }

    /// Sends the visitors home, and shows what they saw and what the record says.
    fn counted(&self, visitors: Visitors) -> Result<Counts> {
        let counts = visitors.go();
        self.windlass("windlass deployments", &["deployments"], &[])?;
        ui::heading("what the visitors say");
        println!("{counts}");
        if counts.lost > 0 {
            return Err(Failure::new(format!("requests were lost: {counts}")));
        }
        Ok(counts)
    }

    /// Ends the router and removes the containers, and says what went wrong with that.
    fn close(self) -> Result<()> {
        self.windlass("windlass router stop", &["router", "stop"], &[])?;
        self.sweep()
    }

    /// Removes the containers of the example.
    fn sweep(&self) -> Result<()> {
        let engine = &self.stage.world.engine;
        let ours = engine.containers(Some(&format!("{PIPELINE_LABEL}={}", self.name)))?;
        let runs = engine.containers(Some(RUN_LABEL))?;
        for id in ours.iter().filter(|id| runs.contains(id)) {
            let path = format!("/containers/{}?force=true&v=true", query(id));
            let answer = request(&engine.server, "DELETE", &path, &[])?;
            if !matches!(answer.status, 204 | 404 | 409) {
                return Err(Failure::new(format!("cannot remove container {id}: {}", answer.text())));
            }
        }
        Ok(())
    }
}

impl Drop for Shop<'_> {
    fn drop(&mut self) {
        // Both are done by `close` already if all went well; then there is nothing to end.
        let stop = Cmd::new(&self.stage.windlass).args(["router", "stop"]).env("WINDLASS_ROUTER", &self.router);
        let _ = stop.output();
        let _ = self.sweep();
        let _ = std::fs::remove_dir_all(&self.router);
    }
}
