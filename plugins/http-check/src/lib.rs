//! Asks over HTTP whether something answers as it should.

mod request;
mod with;

use schemars::JsonSchema;
use serde::Serialize;
use windlass_plugin::prelude::{Capability, Context, Failure, Plugin, Use, bail};
use windlass_plugin::{health, metrics};

use request::Expected;
use with::{Question, With};

/// What a step gives.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// How many attempts it took.
    attempts: u32,
    /// What the last attempt saw, as `status 200`.
    seen: String,
    /// The answer's status, if the request had a `method`, `headers`, a `body` or `redirects`.
    status: Option<u16>,
    /// The start of the answer's body, under the same condition; 16 KiB at most.
    body: Option<String>,
}

struct HttpCheck;

impl Plugin for HttpCheck {
    type With = With;
    type Outputs = Outputs;
    const DOCUMENTATION: &str = include_str!("../README.md");
    const USES: &[Use] = &[
        Use::optional(Capability::Health, "to ask a container or a URL"),
        Use::optional(Capability::Http, "to send requests with a method, headers or a body of their own"),
    ];

    fn run(with: With, context: &Context) -> Result<Outputs, Failure> {
        let (ok, outputs) = match with.question()? {
            Question::Probe(target, policy) => {
                let report = health::wait(&target, policy)?;
                (report.healthy, Outputs { attempts: report.attempts, seen: report.last, status: None, body: None })
            }
            Question::Request(request, policy) => {
                let expected = Expected { statuses: with.statuses(), contains: with.contains.as_deref() };
                let asked = request::ask(&request, &policy, &expected)?;
                let answer = asked.answer.as_ref();
                let outputs = Outputs {
                    attempts: asked.attempts,
                    status: answer.map(|answer| answer.status),
                    body: answer.map(request::body),
                    seen: asked.seen,
                };
                (asked.ok, outputs)
            }
        };
        metrics::Metric::new("http-check-attempts", f64::from(outputs.attempts), "1").emit();
        let whom = whom(&with);
        if !ok {
            let attempts = if outputs.attempts == 1 { "attempt" } else { "attempts" };
            bail!("{whom} does not answer as it should, after {} {attempts}: {}", outputs.attempts, outputs.seen);
        }
        context.summarize(format!("{whom}: {}", outputs.seen));
        Ok(outputs)
    }
}

windlass_plugin::export!(HttpCheck);

fn whom(with: &With) -> String {
    match (&with.url, &with.container) {
        (Some(url), _) => url.clone(),
        (None, container) => {
            let container = container.as_deref().unwrap_or_default();
            format!("{container}:{}{}", with.port.unwrap_or_default(), with.path.as_deref().unwrap_or("/"))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_is_documented() {
        assert_eq!(windlass_plugin::undocumented::<super::HttpCheck>(), [""; 0]);
    }
}
