//! Deploys several services with their networks and volumes, from a table or from a compose file; takes them away.

mod compose;
mod down;
mod outputs;
mod stack;
mod table;
mod there;
mod up;
mod with;
mod yaml;

use windlass_plugin::bail;
use windlass_plugin::prelude::{Capability, Context, Failure, Plugin, Use};

use compose::Source;
use outputs::Outputs;
use stack::Stack;
use with::{Action, With};

struct Deploy;

impl Plugin for Deploy {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[
        Use::required(Capability::Docker, "to start and stop the services' containers"),
        Use::optional(Capability::Health, "to wait until services are healthy"),
        Use::optional(Capability::Files, "to read a compose file"),
    ];

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        let stack = stack(&with)?;
        let outputs = match with.action {
            Action::Up => up::up(stack, &with)?,
            Action::Down => down::down(&stack, &with)?,
        };
        context.summarize(summary(&outputs, with.action));
        Ok(outputs)
    }
}

windlass_plugin::export!(Deploy);

/// The stack, from wherever it is written.
fn stack(with: &With) -> Result<Stack, Failure> {
    match (&with.services, &with.compose, &with.compose_text) {
        (Some(services), None, None) => {
            if with.pull || !with.variables.is_empty() {
                bail!("`pull` and `variables` go with a compose file; a service of `services` has a `pull` of its own");
            }
            table::read(services, &with.networks)
        }
        (None, Some(path), None) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::new(format!("the compose file `{path}` cannot be read: {error}"))
                    .hint("it stands in a folder that `grants.files.read` of the step names, as `deploy/compose.yaml` in `read = [\"deploy\"]`")
            })?;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            compose::read(&text, &Source { name: path, folder }, &with.variables)
        }
        (None, None, Some(text)) => compose::read(text, &Source { name: "compose-text", folder: "" }, &with.variables),
        (None, None, None) => {
            bail!("there is nothing to deploy: give the step `services`, `compose` or `compose-text`")
        }
        _ => bail!("the step takes one of `services`, `compose` and `compose-text`, not several"),
    }
}

fn summary(outputs: &Outputs, action: Action) -> String {
    let mut parts = Vec::new();
    for (names, what) in
        [(&outputs.started, "started"), (&outputs.unchanged, "unchanged"), (&outputs.removed, "removed")]
    {
        if !names.is_empty() {
            parts.push(format!("{what} {}", names.join(", ")));
        }
    }
    match (parts.is_empty(), action) {
        (true, Action::Down) => "there was nothing to remove".to_owned(),
        _ => parts.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<Deploy>(), [""; 0]);
    }

    #[test]
    fn one_place_to_read_from() {
        let read = |text: &str| {
            let with: With = serde_json::from_str(text).unwrap();
            stack(&with).map_err(|failure| failure.to_string())
        };
        let compose = r#"{"compose-text":"services: { web: { image: 'i:${TAG}' } }","variables":{"TAG":"1"}}"#;
        assert_eq!(read(compose).unwrap().services[0].spec.image, "i:1");
        assert!(read("{}").unwrap_err().contains("nothing to deploy"));
        assert!(read(r#"{"compose-text":"","services":{}}"#).unwrap_err().contains("not several"));
        assert!(read(r#"{"services":{},"pull":true}"#).unwrap_err().contains("go with a compose file"));
        assert!(read(r#"{"compose":"no/such.yaml"}"#).unwrap_err().contains("`no/such.yaml` cannot be read"));
        let error = read(r#"{"compose-text":"services: { web: { build: . } }"}"#).unwrap_err();
        assert!(error.starts_with("compose-text:1: services.web.build: not supported"), "{error}");
    }

    #[test]
    fn the_summary() {
        let mut outputs = Outputs { started: vec!["db".to_owned(), "web".to_owned()], ..Outputs::default() };
        outputs.unchanged.push("cache".to_owned());
        assert_eq!(summary(&outputs, Action::Up), "started db, web; unchanged cache");
        assert_eq!(summary(&Outputs::default(), Action::Down), "there was nothing to remove");
    }
}
