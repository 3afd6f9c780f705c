//! The command line as people and programs meet it: one file per command, and the built binary in
//! folders of its own. Nothing here needs Docker: `DOCKER_HOST` points nowhere.

mod check;
mod completions;
mod doctor;
mod logs;
mod plan;
mod plugin_inspect;
mod plugin_test;
mod run;
mod run_signals;
mod runs;
mod show;
mod support;
mod usage;
