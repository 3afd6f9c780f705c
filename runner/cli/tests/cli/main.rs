//! The command line as people and programs meet it: one file per command, and the built binary in
//! folders of its own. Nothing here needs Docker: `DOCKER_HOST` points nowhere.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and starts programs itself"
)]

mod cancel;
mod check;
mod completions;
mod decide;
mod deployments;
mod doctor;
mod logs;
mod plan;
mod plugin_add;
mod plugin_build;
mod plugin_check;
mod plugin_inspect;
mod plugin_new;
mod plugin_pull;
mod plugin_push;
mod plugin_run;
mod plugin_test;
mod plugin_update;
mod replay;
mod resume;
mod rollback;
mod router;
mod run;
mod run_signals;
mod runs;
mod show;
mod support;
mod usage;
