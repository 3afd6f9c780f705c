//! `windlass rollback`: where it goes, and what it would run. That the traffic moves is tested end to end.

use windlass_journal::Status;

use crate::deployments::{Deploy, End, SHOP, deployed};
use crate::support::snapshot;

#[test]
fn the_revision_before_the_present_one_with_its_own_settings() {
    let (folder, _) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::Committed), ("v3", End::RolledBack)]);
    snapshot!(folder.windlass(&["rollback", "web", "--dry-run"]));
    assert_eq!(folder.windlass(&["runs", "--format", "json"]).exits(0).json().len(), 3, "nothing was run");
}

#[test]
fn a_revision_by_its_name() {
    let revisions = [("v1", End::Committed), ("v2", End::Committed), ("v3", End::Committed)];
    let (folder, runs) = deployed(SHOP, &revisions);
    let values = folder.windlass(&["rollback", "web", "--to", "v1", "--dry-run", "--format", "json"]).exits(0).json();
    let value = &values[0];
    assert_eq!((&value["from"], &value["to"]), (&"v3".into(), &"v1".into()));
    assert_eq!((&value["image"], &value["settings-of"]), (&"localhost:5000/shop@v1".into(), &(&*runs[0]).into()));
    assert_eq!(values[1]["stages"][0]["environment"], "live");
}

#[test]
fn what_cannot_be_gone_back_to_is_told() {
    let (folder, runs) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::RolledBack)]);
    let back = |args: &[&str]| folder.windlass(&[&["rollback"], args, &["--dry-run"]].concat()).exits(2);
    back(&["web"]).says("`v1` is the first revision of `web`");
    back(&["wbe"]).says("did you mean `web`?");
    back(&["web", "--to", "v1"]).says("there is nothing to do");
    back(&["web", "--to", "v2"]).says(&format!("was never committed: run {} has it rolled-back", runs[1]));
    back(&["web", "--to", "v9"]).says("no revision `v9` of `web`");
    back(&["web", "--env", "test"]).says("never deployed to environment `test`").says("in `live`");
    let (folder, _) = deployed(SHOP, &[("v1", End::RolledBack)]);
    folder.windlass(&["rollback", "web"]).exits(2).says("the journal has no deploy of `web` that was committed");
    crate::support::Folder::new().windlass(&["rollback", "web"]).exits(2);
}

#[test]
fn a_deploy_that_is_not_over_comes_first() {
    let (folder, runs) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::Committed), ("v3", End::Open)]);
    let done = folder.windlass(&["rollback", "web"]).exits(2);
    done.says("a deploy of `web` is not over: revision `v3`").says(&format!("windlass resume {}", runs[2]));
}

#[test]
fn where_a_service_is_in_several_environments_one_has_to_be_said() {
    let (folder, _) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::Committed)]);
    let plain = SHOP.replace("environment = \"live\"\n", "");
    for revision in ["v1", "v2"] {
        let mut deploy = Deploy::begun(&folder, &plain, &format!("localhost:5000/shop@{revision}"));
        deploy.deploy("web", revision, None, End::Committed);
        deploy.end(Status::Succeeded);
    }
    let done = folder.windlass(&["rollback", "web"]).exits(2);
    done.says("was deployed without an environment, in `live`").says("--env NAME");
}

#[test]
fn only_the_deploy_plugin_knows_the_way_back() {
    let other = SHOP.replace("builtin:deploy", "builtin:service");
    let (folder, _) = deployed(&other, &[("v1", End::Committed), ("v2", End::Committed)]);
    folder.windlass(&["rollback", "web"]).exits(2).says("deployed by plugin `builtin:service`");
}
