//! A keeper and nothing else, for programs that offer host processes without being their keeper.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    windlass_capability_local::keeper::take_over_if_asked();
    let _ = writeln!(
        std::io::stderr(),
        "windlass-keeper is started by Windlass itself, to end host processes with their run"
    );
    ExitCode::from(2)
}
