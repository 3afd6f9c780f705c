//! `windlass cancel`. What a live run does of it is tested end to end.

use crate::decide::SHOP;
use crate::support::{Folder, HELLO};

#[test]
fn a_run_that_waits_ends_when_it_is_resumed() {
    let folder = Folder::with(SHOP);
    folder.windlass(&["run", "-q"]).exits(5);
    let asked = folder.windlass(&["cancel", "latest", "--format", "json"]).exits(0).json();
    assert_eq!((&asked[0]["state"], &asked[0]["exit-code"]), (&"waiting".into(), &serde_json::Value::Null));
    folder.windlass(&["cancel", "latest"]).exits(0).says("windlass resume");
    folder.windlass(&["resume", "-q"]).exits(130);
    folder.windlass(&["show"]).exits(0).says("cancelled by");
}

#[test]
fn what_is_over_or_not_there_cannot_be_cancelled() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    folder.windlass(&["cancel", "latest"]).exits(2).says("is over");
    folder.windlass(&["cancel", "nothere"]).exits(2).says("no run is called `nothere`");
    folder.windlass(&["cancel"]).exits(2).says("<RUN>");
    Folder::new().windlass(&["cancel", "latest"]).exits(2).says("there is no journal");
}
