//! What the step takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::with::{Secret, Strings};
use windlass_plugin::{Failure, bail};

/// What the step takes. Which of it belongs together depends on `action`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("allOf" = [
    { "if": { "properties": { "action": { "enum": ["tag", "push", "pull"] } }, "required": ["action"] }, "then": { "required": ["image"] } },
    { "if": { "properties": { "action": { "const": "tag" } }, "required": ["action"] }, "then": { "required": ["tag"] } },
    { "if": { "properties": { "push": { "const": true } }, "required": ["push"] }, "then": { "required": ["tag"] } },
]))]
pub(crate) struct With {
    /// What to do.
    #[serde(default)]
    pub(crate) action: Action,
    /// `build`: the folder to build in, relative to the pipeline's own; that folder if left out. `.dockerignore`
    /// holds. Needs a grant in `docker.build`.
    pub(crate) context: Option<String>,
    /// `build`: the Dockerfile, relative to `context`; `Dockerfile` if left out.
    pub(crate) dockerfile: Option<String>,
    /// `build` and `tag`: the names to give the image, each `repository:tag`. Needs a grant in `docker.tag` or
    /// `docker.push`.
    #[serde(default)]
    pub(crate) tag: Strings,
    /// `tag`, `push` and `pull`: the image that is meant, as `repository:tag`.
    pub(crate) image: Option<String>,
    /// `build`: build arguments. They show in the image's history: no place for secrets.
    #[serde(default)]
    pub(crate) args: BTreeMap<String, String>,
    /// `build`: the stage of the Dockerfile to build; the last if left out.
    pub(crate) target: Option<String>,
    /// `build`: labels to put on the image.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// `build` and `pull`: the platform, as `linux/arm64`; the daemon's own if left out.
    pub(crate) platform: Option<String>,
    /// `build`: whether to build every layer anew.
    #[serde(default)]
    pub(crate) no_cache: bool,
    /// `build`: whether to pull newer base images first.
    #[serde(default)]
    pub(crate) pull: bool,
    /// `build`: secrets for `RUN --mount=type=secret,id=NAME`, by that name. Needs BuildKit.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// `build` and `tag`: whether to push each `tag`. Needs a grant in `docker.push`.
    #[serde(default)]
    pub(crate) push: bool,
    /// How to log in at the registry. Without it, the registry is asked without credentials.
    pub(crate) credentials: Option<Credentials>,
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Builds an image from a Dockerfile.
    #[default]
    Build,
    /// Gives `image` further names.
    Tag,
    /// Pushes `image` to its registry.
    Push,
    /// Pulls `image` from its registry.
    Pull,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Tag => "tag",
            Self::Push => "push",
            Self::Pull => "pull",
        }
    }
}

/// How to log in at a registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user.
    pub(crate) username: String,
    /// The password or token: a secret, never plain text.
    pub(crate) password: Secret,
}

impl With {
    /// Keys that mean nothing for the action are a mistake, not something to skip in silence.
    ///
    /// # Errors
    /// Names the first such key.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        use Action::{Build, Pull, Push, Tag};
        let keys: &[(&str, bool, &[Action])] = &[
            ("context", self.context.is_some(), &[Build]),
            ("dockerfile", self.dockerfile.is_some(), &[Build]),
            ("tag", !self.tag.is_empty(), &[Build, Tag]),
            ("image", self.image.is_some(), &[Tag, Push, Pull]),
            ("args", !self.args.is_empty(), &[Build]),
            ("target", self.target.is_some(), &[Build]),
            ("labels", !self.labels.is_empty(), &[Build]),
            ("platform", self.platform.is_some(), &[Build, Pull]),
            ("no-cache", self.no_cache, &[Build]),
            ("pull", self.pull, &[Build]),
            ("secrets", !self.secrets.is_empty(), &[Build]),
            ("push", self.push, &[Build, Tag]),
        ];
        for (key, given, actions) in keys {
            if *given && !actions.contains(&self.action) {
                let known: Vec<_> = actions.iter().map(|action| action.name()).collect();
                bail!(
                    "`{key}` means nothing with `action = \"{}\"`; it is for {}",
                    self.action.name(),
                    known.join(" and ")
                );
            }
        }
        match self.action {
            Tag if self.tag.is_empty() => bail!("`action = \"tag\"` needs a `tag` to give"),
            Tag | Push | Pull if self.image.is_none() => {
                bail!("`action = \"{}\"` needs an `image`", self.action.name())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<With, String> {
        let with: With = serde_json::from_str(text).map_err(|error| error.to_string())?;
        with.check().map(|()| with).map_err(|failure| failure.to_string())
    }

    #[test]
    fn building_needs_nothing() {
        let with = read("{}").unwrap();
        assert_eq!((with.action, with.push), (Action::Build, false));
        let tags = read(r#"{"tag":["a:1","a:2"],"push":true,"context":"app"}"#).unwrap().tag;
        assert_eq!(tags.0, ["a:1", "a:2"]);
    }

    #[test]
    fn actions_have_their_own_keys() {
        assert!(read(r#"{"action":"pull"}"#).unwrap_err().contains("needs an `image`"));
        assert!(read(r#"{"action":"tag","image":"a"}"#).unwrap_err().contains("needs a `tag`"));
        let stray = read(r#"{"action":"pull","image":"a","context":"."}"#).unwrap_err();
        assert_eq!(stray, "`context` means nothing with `action = \"pull\"`; it is for build");
        assert!(read(r#"{"action":"destroy"}"#).unwrap_err().contains("unknown variant"));
    }

    #[test]
    fn passwords_are_secrets() {
        let good = r#"{"credentials":{"username":"ci","password":{"secret":"registry"}}}"#;
        assert_eq!(read(good).unwrap().credentials.unwrap().password.name, "registry");
        assert!(read(r#"{"credentials":{"username":"ci","password":"hunter2"}}"#).is_err());
    }
}
