//! Builds, tags, pushes and pulls container images.

mod reference;
mod with;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::docker::{self, BuildSpec, Credentials, Image, Transferred};
use windlass_plugin::metrics::Metric;
use windlass_plugin::prelude::{Capability, Context, Failure, OrFail, Plugin, Use, ensure, info, warn};
use windlass_plugin::{Value, named, pairs};

use with::{Action, With};

/// What a step gives.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// The image's first name, `repository:tag`; its id if it has no name.
    #[serde(rename = "ref")]
    reference: String,
    /// What to run for exactly this image: `repository@sha256:...` if it was pushed or pulled, else its id.
    pinned: String,
    /// The manifest's digest in the registry, if it was pushed or pulled.
    digest: Option<String>,
    /// The image's id in the daemon, `sha256:...`.
    id: String,
    /// The names that the step gave, pushed or pulled.
    tags: Vec<String>,
    /// Its size in bytes.
    size: Option<u64>,
}

struct ImagePlugin;

impl Plugin for ImagePlugin {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[Use::required(Capability::Docker, "to build, tag, push and pull images")];

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        with.check()?;
        let outputs = match with.action {
            Action::Build => build(with)?,
            Action::Tag => tag(with)?,
            Action::Push => push(with)?,
            Action::Pull => pull(with)?,
        };
        context.summarize(summary(&outputs));
        Ok(outputs)
    }
}

windlass_plugin::export!(ImagePlugin);

fn build(with: With) -> Result<Outputs, Failure> {
    let tags = reference::with_tags(&with.tag)?;
    let spec = BuildSpec {
        dockerfile: with.dockerfile,
        tags: tags.clone(),
        args: pairs(with.args),
        target: with.target,
        labels: pairs(with.labels),
        platform: with.platform,
        no_cache: with.no_cache,
        pull: with.pull,
        secrets: named(with.secrets),
        ..BuildSpec::new(with.context.unwrap_or_else(|| ".".to_owned()))
    };
    let built = docker::build(&spec)?;
    info!("built {}", built.id);
    let pushed = if with.push { push_each(&tags, credentials(with.credentials).as_ref())? } else { Vec::new() };
    Ok(outputs(built.id.clone(), tags, &pushed, look(&built.id)))
}

fn tag(with: With) -> Result<Outputs, Failure> {
    let image = with.image.or_fail("`image` is missing")?;
    let tags = reference::with_tags(&with.tag)?;
    for tag in &tags {
        docker::tag(&image, tag).or_fail_with(|| format!("name {image} {tag}"))?;
        info!("{image} is now {tag} as well");
    }
    let pushed = if with.push { push_each(&tags, credentials(with.credentials).as_ref())? } else { Vec::new() };
    let found = docker::inspect_image(&tags[0])?;
    Ok(outputs(found.id.clone(), tags, &pushed, Some(found)))
}

fn push(with: With) -> Result<Outputs, Failure> {
    let image = reference::with_tag(&with.image.or_fail("`image` is missing")?)?;
    let tags = vec![image];
    let pushed = push_each(&tags, credentials(with.credentials).as_ref())?;
    let found = docker::inspect_image(&tags[0])?;
    Ok(outputs(found.id.clone(), tags, &pushed, Some(found)))
}

fn pull(with: With) -> Result<Outputs, Failure> {
    let image = reference::with_tag(&with.image.or_fail("`image` is missing")?)?;
    let pulled = docker::pull(&image, credentials(with.credentials).as_ref(), with.platform.as_deref())?;
    let found = docker::inspect_image(&image)?;
    Ok(outputs(found.id.clone(), vec![image], &[pulled], Some(found)))
}

fn credentials(credentials: Option<with::Credentials>) -> Option<Credentials> {
    credentials.map(|it| Credentials { username: it.username, password: Value::from(it.password) })
}

fn push_each(tags: &[String], credentials: Option<&Credentials>) -> Result<Vec<Transferred>, Failure> {
    ensure!(!tags.is_empty(), "`push = true` needs a `tag` to push");
    let each = tags.iter().map(|tag| {
        let pushed = docker::push(tag, credentials).or_fail_with(|| format!("push {tag}"))?;
        info!("pushed {}", pushed.pinned);
        Ok(pushed)
    });
    each.collect()
}

/// Size and names are good to know, and no reason to fail when the image itself is there.
fn look(id: &str) -> Option<Image> {
    docker::inspect_image(id).inspect_err(|error| warn!("cannot look at {id}: {}", Failure::from(error.clone()))).ok()
}

fn outputs(id: String, tags: Vec<String>, transferred: &[Transferred], image: Option<Image>) -> Outputs {
    let size = image.map(|image| image.size);
    let reference = tags.first().unwrap_or(&id).clone();
    if let Some(size) = size {
        Metric::new("image-size", size as f64, "By").label("image", &reference).emit();
    }
    let first = transferred.first();
    Outputs {
        pinned: first.map_or(&id, |it| &it.pinned).clone(),
        digest: first.map(|it| it.digest.clone()),
        reference,
        id,
        tags,
        size,
    }
}

fn summary(outputs: &Outputs) -> String {
    let size = outputs.size.map(|bytes| format!(", {:.1} MB", bytes as f64 / 1e6)).unwrap_or_default();
    match &outputs.digest {
        Some(digest) => format!("{} at {digest}{size}", outputs.reference),
        None => format!("{}{size}", outputs.reference),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<ImagePlugin>(), [""; 0]);
    }

    #[test]
    fn a_pushed_image_is_pinned_by_its_digest() {
        let pushed = Transferred {
            reference: "r/a:1".to_owned(),
            digest: "sha256:d".to_owned(),
            pinned: "r/a@sha256:d".to_owned(),
        };
        let given = outputs("sha256:i".to_owned(), vec!["r/a:1".to_owned()], &[pushed], None);
        assert_eq!((given.reference.as_str(), given.pinned.as_str()), ("r/a:1", "r/a@sha256:d"));
        assert_eq!(summary(&given), "r/a:1 at sha256:d");
    }

    #[test]
    fn an_image_without_a_name_goes_by_its_id() {
        let given = outputs("sha256:i".to_owned(), Vec::new(), &[], None);
        assert_eq!((given.reference.as_str(), given.pinned.as_str(), given.digest), ("sha256:i", "sha256:i", None));
    }
}
