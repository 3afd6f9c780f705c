//! From a [`Plugin`] to the exported interface.

use serde_json::Value as Json;

use crate::bindings::exports::windlass::step::step;
use crate::checking::exports::windlass::step::check;
use crate::{Context, Failure, Planned, Plugin, describe};

/// Makes a [`Plugin`](crate::Plugin) the component's own. Once in a crate.
///
/// The plugin has the name and the version of the Cargo package; `export!(Greet as "greet")` gives another name. With
/// `export!(Greet, check)` its [`check`](crate::Plugin::check) is asked when a plan is made.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        $crate::export!($plugin as ::core::env!("CARGO_PKG_NAME"));
    };
    ($plugin:ty, check) => {
        $crate::export!($plugin);

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the exports of a component are raw functions")]
        const _: () = {
            struct Checking;

            impl $crate::checking::exports::windlass::step::check::Guest for Checking {
                fn check(
                    plan: $crate::checking::exports::windlass::step::check::Plan,
                ) -> ::std::vec::Vec<$crate::checking::exports::windlass::step::check::Problem> {
                    $crate::__private::checked::<$plugin>(plan)
                }
            }

    $crate::checking::export_check!(Checking with_types_in $crate::checking);
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = $crate::__private::checked::<$plugin>;
        };
    };
    ($plugin:ty as $name:expr) => {
        // The names of a component's exports have characters that native linkers do not take, and nothing
        // would call them there.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the exports of a component are raw functions")]
        const _: () = {
            struct Exported;

            impl $crate::bindings::exports::windlass::step::step::Guest for Exported {
                fn describe() -> $crate::bindings::exports::windlass::step::step::Description {
                    $crate::__private::described::<$plugin>($name, ::core::env!("CARGO_PKG_VERSION"))
                }

                fn run(
                    input: $crate::bindings::exports::windlass::step::step::Input,
                ) -> ::core::result::Result<
                    $crate::bindings::exports::windlass::step::step::Outcome,
                    $crate::bindings::exports::windlass::step::step::Failure,
                > {
                    $crate::__private::ran::<$plugin>(input)
                }
            }

    $crate::bindings::export_step!(Exported with_types_in $crate::bindings);
        };

        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = $crate::__private::described::<$plugin>;
            let _ = $crate::__private::ran::<$plugin>;
            let _ = $name;
        };
    };
}

/// Takes nothing.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What a function may give back to be a plugin.
pub trait Returned {
    /// What it gives to later steps.
    type Outputs: serde::Serialize + schemars::JsonSchema;

    /// What came of it.
    ///
    /// # Errors
    /// The function's own.
    fn returned(self) -> Result<Self::Outputs, Failure>;
}

impl Returned for () {
    type Outputs = ();

    fn returned(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<T: serde::Serialize + schemars::JsonSchema, E: Into<Failure>> Returned for Result<T, E> {
    type Outputs = T;

    fn returned(self) -> Result<T, Failure> {
        self.map_err(Into::into)
    }
}

/// The export `describe`.
pub fn described<P: Plugin>(name: &str, version: &str) -> step::Description {
    describe::<P>(name, version)
}

/// The export `check`.
pub fn checked<P: Plugin>(plan: check::Plan) -> Vec<check::Problem> {
    let check::Plan { with, unknown, granted } = plan;
    let planned = Planned { granted, unknown };
    let found = match read(&with) {
        Ok(with) => P::check(&with, &planned),
        // A reference stands where a number belongs, say: what it will be is not known yet.
        Err(_) if !planned.unknown.is_empty() => Vec::new(),
        Err(failure) => vec![failure],
    };
    let told = |failure: Failure| {
        let (message, hint) = failure.into_parts();
        check::Problem { message, hint }
    };
    found.into_iter().map(told).collect()
}

/// The export `run`.
///
/// # Errors
/// The plugin's own failure, or that its input or outputs are not of their types.
pub fn ran<P: Plugin>(input: step::Input) -> Result<step::Outcome, step::Failure> {
    let step::Input { with, pipeline, stage, step, run, attempt } = input;
    let context = Context { pipeline, stage, step, run, attempt, summary: Default::default() };
    let outcome = read(&with).and_then(|with| P::run(with, &context)).and_then(|outputs| written(&outputs));
    match outcome {
        Ok(outputs) => Ok(step::Outcome { summary: context.summary.take(), outputs }),
        Err(failure) => {
            let (message, hint) = failure.into_parts();
            Err(step::Failure { message, hint })
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(with: &str) -> Result<T, Failure> {
    // The host has checked it against the schema; what is left are rules that a schema cannot say.
    serde_json::from_str(with).map_err(|error| {
        let text = error.to_string();
        // The position is one in JSON that nobody has written.
        let text = text.split(" at line ").next().unwrap_or_default();
        Failure::new(format!("`with` is not acceptable: {text}"))
    })
}

fn written(outputs: &impl serde::Serialize) -> Result<Vec<step::Output>, Failure> {
    match serde_json::to_value(outputs)? {
        Json::Null => Ok(Vec::new()),
        Json::Object(fields) => {
            let given = fields.into_iter().filter(|(_, value)| !value.is_null());
            Ok(given.map(|(name, value)| step::Output { name, value: value.to_string() }).collect())
        }
        _ => Err(Failure::new("the outputs of a plugin have to be a struct with a field for each, or `()`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct With {
        number: u8,
    }

    #[derive(Serialize, JsonSchema)]
    struct Outputs {
        half: Option<u8>,
        stage: String,
    }

    struct Halve;

    impl Plugin for Halve {
        type With = With;
        type Outputs = Outputs;

        fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
            ensure!(with.number != 0, "nothing to halve");
            context.summarize(format!("halved {}", with.number));
            let half = with.number.is_multiple_of(2).then_some(with.number / 2);
            Ok(Outputs { half, stage: context.stage.clone() })
        }
    }

    fn ran(with: &str) -> Result<(String, Vec<(String, String)>), String> {
        let input = super::step::Input {
            with: with.to_owned(),
            pipeline: "p".to_owned(),
            stage: "s".to_owned(),
            step: "t".to_owned(),
            run: "r".to_owned(),
            attempt: 1,
        };
        let outcome = super::ran::<Halve>(input).map_err(|failure| failure.message)?;
        Ok((outcome.summary, outcome.outputs.into_iter().map(|output| (output.name, output.value)).collect()))
    }

    #[test]
    fn outputs_that_are_none_are_left_out() {
        let (summary, outputs) = ran(r#"{"number":8}"#).unwrap();
        assert_eq!(summary, "halved 8");
        assert_eq!(outputs, [("half".into(), "4".into()), ("stage".into(), "\"s\"".into())]);
        assert_eq!(ran(r#"{"number":7}"#).unwrap().1, [("stage".into(), "\"s\"".into())]);
    }

    #[test]
    fn a_step_is_checked_before_it_runs() {
        struct Picky;

        impl Plugin for Picky {
            type With = With;
            type Outputs = ();

            fn check(with: &With, planned: &Planned) -> Vec<Failure> {
                let asks = planned.grants("approval.wait");
                let odd = !with.number.is_multiple_of(2) && !asks;
                odd.then(|| Failure::new("odd").hint("grant `approval`")).into_iter().collect()
            }

            fn run(_: With, _: &Context) -> Result<(), Failure> {
                Ok(())
            }
        }

        let told = |with: &str, unknown: &[&str], granted: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let plan = super::check::Plan { with: with.to_owned(), unknown: owned(unknown), granted: owned(granted) };
            let found = super::checked::<Picky>(plan);
            found.into_iter().map(|problem| (problem.message, problem.hint)).collect::<Vec<_>>()
        };
        assert_eq!(told(r#"{"number":3}"#, &[], &[]), [("odd".to_owned(), Some("grant `approval`".to_owned()))]);
        assert_eq!(told(r#"{"number":3}"#, &[], &["approval.wait"]), []);
        assert!(told(r#"{"number":"x"}"#, &[], &[])[0].0.contains("is not acceptable"));
        assert_eq!(told(r#"{"number":"${stages.a.steps.b.outputs.c}"}"#, &["/number"], &[]), []);

        let planned = Planned::new(&[], &["/image", "/env/A"]);
        assert!(planned.knows_all_but(&["/env", "/image"]) && !planned.knows_all_but(&["/env/A"]));
        assert!(!Planned::new(&[], &["/images"]).knows_all_but(&["/image"]) && Planned::default().knows_all_but(&[]));
    }

    #[test]
    fn failures_are_told_in_words() {
        assert_eq!(ran(r#"{"number":0}"#), Err("nothing to halve".to_owned()));
        let unknown = ran(r#"{"nunber":1}"#).unwrap_err();
        assert_eq!(unknown, "`with` is not acceptable: unknown field `nunber`, expected `number`");
    }
}
