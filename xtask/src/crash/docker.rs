//! The Docker Engine, seen without Windlass: what is there, by its role, and what was ever made.

use crate::failure::{Doing, Failure, Result};
use crate::http::{self, Server, query, request};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// How often each role was made, or started.
pub(super) type Made = BTreeMap<String, u64>;

/// One thing that came to be, or a volume that went.
struct Event {
    action: String,
    /// What it was done to, by its role.
    what: String,
    /// The pipeline that it belongs to, or a name that begins with it.
    owner: Owner,
}

enum Owner {
    Pipeline(String),
    Name(String),
}

/// Listens to the engine from its start on: the engine itself remembers only the last few events.
pub(super) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(super) fn listen(engine: &Server) -> Result<Self> {
        let filters =
            serde_json::json!({ "type": ["container", "network", "volume"], "event": ["create", "start", "destroy"] });
        let lines = http::follow(engine, &format!("/events?filters={}", query(&filters.to_string())))?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let (ready, listening) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines {
                // The first line is that of the answer's head: from now on nothing is missed.
                let _ = ready.send(());
                if let Some(event) = serde_json::from_str(&line).ok().and_then(|line| event(&line)) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
            }
        });
        let listening = listening.recv_timeout(Duration::from_secs(10));
        listening.map_err(|_| Failure::new("the Docker Engine does not tell its events"))?;
        Ok(Self(events))
    }

    /// What was made for this pipeline.
    pub(super) fn made(&self, name: &str) -> Made {
        let mut made = Made::new();
        let mut volumes = BTreeSet::new();
        for Event { action, what, owner } in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let ours = match owner {
                Owner::Pipeline(pipeline) => pipeline == name,
                Owner::Name(full) => full.starts_with(&format!("windlass-{name}-")),
            };
            // A volume is said to be created whenever somebody asks for it; it is when it was not there.
            let new = match (action.as_str(), what.starts_with("volume")) {
                ("destroy", _) => {
                    volumes.remove(what);
                    false
                }
                (_, true) => volumes.insert(what),
                _ => true,
            };
            if ours && new {
                *made.entry(format!("{action} {}", what.replace(name, "@NAME@"))).or_default() += 1;
            }
        }
        made
    }
}

fn event(line: &Json) -> Option<Event> {
    let (kind, action) = (line["Type"].as_str()?, line["Action"].as_str()?.to_owned());
    let about = &line["Actor"]["Attributes"];
    let named = |name: &Json| {
        let name = name.as_str()?.to_owned();
        Some((format!("{kind} {name}"), Owner::Name(name)))
    };
    let (what, owner) = match kind {
        "container" => {
            (format!("container {}", role(about)), Owner::Pipeline(about["windlass.pipeline"].as_str()?.to_owned()))
        }
        "network" => named(&about["name"])?,
        "volume" => named(&line["Actor"]["ID"])?,
        _ => return None,
    };
    Some(Event { action, what, owner })
}

/// What a thing is there for, by the labels that Windlass gives.
fn role(labels: &Json) -> String {
    let label = |name: &str| labels[format!("windlass.{name}")].as_str().unwrap_or("-").to_owned();
    format!("`{}` of {}, {}", label("name"), label("step"), label("lifetime"))
}

/// A thing that is there.
pub(super) struct Thing {
    pub(super) role: String,
    /// The path that removes it.
    path: String,
}

/// What this pipeline made and is there.
pub(super) fn things(engine: &Server, name: &str) -> Result<Vec<Thing>> {
    let filters = query(&serde_json::json!({ "label": [format!("windlass.pipeline={name}")] }).to_string());
    let ask = |path: &str| http::get(engine, &format!("{path}filters={filters}"))?.json();
    let mut things = Vec::new();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    for one in ask("/containers/json?all=1&")?.as_array().into_iter().flatten() {
        let role = format!("container {}: {}", role(&one["Labels"]), text(&one["State"]));
        things.push(Thing { role, path: format!("/containers/{}?force=1&v=1", text(&one["Id"])) });
    }
    for one in ask("/networks?")?.as_array().into_iter().flatten() {
        let role = format!("network {}", role(&one["Labels"]));
        things.push(Thing { role, path: format!("/networks/{}", text(&one["Id"])) });
    }
    for one in ask("/volumes?")?["Volumes"].as_array().into_iter().flatten() {
        let role = format!("volume {}", role(&one["Labels"]));
        things.push(Thing { role, path: format!("/volumes/{}", text(&one["Name"])) });
    }
    Ok(things)
}

/// Removes all that this pipeline made, images aside: their layers make the next build quick, and the same.
pub(crate) fn clear(engine: &Server, name: &str) -> Result<()> {
    for Thing { role, path } in things(engine, name)? {
        let answer = request(engine, "DELETE", &path, &[])?;
        if !matches!(answer.status, 200..=299 | 404) {
            return Err(Failure::new(format!("cannot remove {role}: {}", answer.text())));
        }
    }
    Ok(())
}

/// The local names of a repository, with the ids of the images that have them.
pub(super) fn images(engine: &Server, repository: &str) -> Result<Vec<(String, String)>> {
    let filters = query(&serde_json::json!({ "reference": [repository] }).to_string());
    let list = http::get(engine, &format!("/images/json?filters={filters}"))?.json()?;
    let mut names = Vec::new();
    for image in list.as_array().into_iter().flatten() {
        let id = image["Id"].as_str().doing(|| format!("read the list of images: {image}"))?;
        let tags = image["RepoTags"].as_array().into_iter().flatten().filter_map(Json::as_str);
        names.extend(tags.map(|tag| (tag.to_owned(), id.to_owned())));
    }
    Ok(names)
}

/// Removes the images whose names are like these.
pub(crate) fn clear_images(engine: &Server, like: &[&str]) {
    for (name, _) in like.iter().flat_map(|like| images(engine, like).unwrap_or_default()) {
        let _ = request(engine, "DELETE", &format!("/images/{name}?force=1"), &[]);
    }
}

/// The tags of a repository in a registry, each with the digest of its manifest.
pub(super) fn tags(registry: &str, repository: &str) -> Result<Vec<(String, String)>> {
    let server = Server::Tcp(registry.to_owned());
    let answer = http::get(&server, &format!("/v2/{repository}/tags/list"))?;
    if answer.status == 404 {
        return Ok(Vec::new());
    }
    let list = answer.json()?;
    let accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
    let mut tags = Vec::new();
    for tag in list["tags"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let answer = request(&server, "HEAD", &path, &[("Accept", accept)])?;
        let digest = answer.header("Docker-Content-Digest").unwrap_or("none").to_owned();
        tags.push((tag.to_owned(), digest));
    }
    Ok(tags)
}

/// Removes a repository's manifests, where the registry allows it.
pub(super) fn unpublish(registry: &str, repository: &str) -> Result<()> {
    let server = Server::Tcp(registry.to_owned());
    for (_, digest) in tags(registry, repository)? {
        let _ = request(&server, "DELETE", &format!("/v2/{repository}/manifests/{digest}"), &[]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, lines: &[Json]) -> Vec<(String, u64)> {
        let events = lines.iter().filter_map(event).collect();
        Events(Arc::new(Mutex::new(events))).made(name).into_iter().collect()
    }

    #[test]
    fn what_is_made_is_known_by_its_role() {
        let labels = serde_json::json!({ "windlass.pipeline": "crash-x-1", "windlass.name": "web",
            "windlass.step": "a/b", "windlass.lifetime": "run", "name": "windlass-abc-0-1-0" });
        let container =
            serde_json::json!({ "Type": "container", "Action": "create", "Actor": { "Attributes": labels } });
        let stray = serde_json::json!({ "Type": "container", "Action": "create", "Actor": { "Attributes": {} } });
        let expected = [("create container `web` of a/b, run".to_owned(), 2)];
        assert_eq!(made("crash-x-1", &[container.clone(), stray, container.clone()]), expected);
        assert_eq!(made("crash-x-12", &[container]), []);
    }

    #[test]
    fn a_volume_is_made_when_it_was_not_there() {
        let volume = |action: &str| serde_json::json!({ "Type": "volume", "Action": action, "Actor": { "ID": "windlass-crash-x-1-v" } });
        let count = |lines: &[Json]| made("crash-x-1", lines).first().map(|(_, count)| *count);
        assert_eq!(count(&[volume("create"), volume("create")]), Some(1));
        assert_eq!(count(&[volume("create"), volume("destroy"), volume("create")]), Some(2));
        assert_eq!(made("crash-x-12", &[volume("create")]), [], "of another trial");
    }
}
