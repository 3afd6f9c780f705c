//! Set-up, demo and test of Windlass itself: `cargo xtask <command>`.
//!
//! Everything a developer or a CI machine needs beyond `cargo` is found or made here, so that
//! a fresh clone needs one command and a failing machine gets one clear message.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a developer's tool: it talks to the terminal, and starts and cleans up after other programs"
)]

mod bench;
mod bytes;
mod compat;
mod context;
mod crash;
mod demo;
mod dist;
mod docs;
mod failure;
mod http;
mod languages;
mod proc;
mod setup;
mod test;
mod tidy;
mod traffic;
mod ui;

use crate::failure::{Failure, Result};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  setup               find or make what Windlass is built and tested with: the wasm32-wasip2
                      standard library, the guests, a Docker Engine and a registry
  up [-- command...]  start the engine and the registries and hold them until Ctrl-C, or while
                      the command runs (with DOCKER_HOST and WINDLASS_* set)
  guests              build the plugins and the test guests only
  demo [blue-green | canary | polyglot]
                      run the storefront example against the engine and the registry; or one that
                      deploys behind the router, under traffic whose requests are counted; or one
                      with a step in each language, which needs no engine
  test [--quick] [-- filter...]
                      format, tidy, clippy and every test; with a filter only the tests that
                      match; with --quick only the tests that need no engine
  bench [steps] [start] [containers] [router] [plugins]
                      what Windlass costs beside ninja, `docker run` and HAProxy, and plugins in each
                      language beside Rust's; all parts, or those named; `router` builds `dist` first
  crash [--sample] [--mode kill|power|again] [--only TEXT]
                      kill the runner at every point of every call of tests/crash, resume, and compare
                      with an undisturbed run; a sample, some modes (the option can be repeated), or
                      only the trials whose title has this text. `power` needs root
  traffic [--sample] [--driver router|haproxy|both] [--only TEXT]
                      deliver under load in every way, kill what can be killed, count every request,
                      and hold it against bounds; only scenarios whose name has this text
  languages [rust] [js] [ts] [python] [c] [go] [polyglot]
                      plugins in every language, or those named: a fresh project each, and the
                      conformance suite; and the example in which all of them have a step
  compat --record VERSION
                      release the contract: keep a copy of it, and a compiled plugin in every
                      language that is run for ever after
  dist                build the program as it is given to others, and print where it is: compiled
                      twice, the second time by a profile of the first, which takes half an hour
  docs [FILE...]      type what the documentation says, and compare what is printed
  reference           write docs/reference anew, from wit/ and from the plugins
  measure -- command...
                      run a command once and print its nanoseconds and its peak memory in KiB
  tidy [--bless]      the rules of the house: floors, walls, sizes, reasons, WIT changelog
                      (--bless records the digests of changed WIT packages)

Environment: CARGO_TARGET_DIR, DOCKER_HOST, WINDLASS_REGISTRY, WINDLASS_TEST_REGISTRY_AUTH and
WINDLASS_TEST_BUSYBOX are used where they are set; WINDLASS_GUEST_STD=debian makes the guests'
standard library from Debian's packages even where rustup has one.";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() || args.iter().any(|a| a == "--help" || a == "-h") {
        println!("{HELP}");
        return ExitCode::from(if args.is_empty() { 2 } else { 0 });
    }
    let command = args.remove(0);
    let done = proc::watch_signals().and_then(|()| dispatch(&command, &args));
    match (proc::interrupted(), done) {
        (Some(signal), _) => ExitCode::from(128u8.saturating_add(signal)),
        (None, Ok(())) => ExitCode::SUCCESS,
        (None, Err(why)) => {
            ui::error(&why);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, args: &[String]) -> Result<()> {
    let (mine, rest) = match args.iter().position(|a| a == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &args[args.len()..]),
    };
    let flag = |name: &str| mine.iter().any(|a| a == name);
    let known = |allowed: &[&str]| match mine.iter().find(|a| !allowed.contains(&a.as_str())) {
        Some(odd) => Err(Failure::new(format!("`cargo xtask {command}` takes no `{odd}`.\n\n{HELP}"))),
        None => Ok(()),
    };
    match command {
        "setup" => known(&[]).and_then(|()| setup::command()),
        "up" => known(&[]).and_then(|()| setup::up(rest)),
        "guests" => known(&[]).and_then(|()| setup::guests_only()),
        "demo" => known(&demo::NAMES).and_then(|()| demo::command(mine)),
        "test" => known(&["--quick"]).and_then(|()| test::command(flag("--quick"), rest)),
        "bench" => known(&bench::PARTS).and_then(|()| bench::command(mine)),
        "crash" => crash::Options::parse(mine).and_then(|options| crash::command(&options)),
        "traffic" => traffic::Options::parse(mine).and_then(|options| traffic::command(&options)),
        "languages" => languages::command(mine),
        "compat" => compat::command(mine),
        "dist" => known(&[]).and_then(|()| dist::command()),
        "docs" => docs::command(mine),
        "reference" => known(&[]).and_then(|()| docs::reference()),
        "measure" => known(&[]).and_then(|()| bench::measure(rest)),
        "tidy" => known(&["--bless"]).and_then(|()| tidy::command(flag("--bless"))),
        _ => Err(Failure::new(format!("there is no command `{command}`.\n\n{HELP}"))),
    }
}
