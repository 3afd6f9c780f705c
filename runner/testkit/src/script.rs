//! The expected calls in their order, and which of them a call is.

use serde_json::Value as Json;
use windlass_gate::Function;

use crate::case::{Args, Expected};
use crate::value;

/// Goes through the expected calls as calls are made.
#[derive(Debug)]
pub(crate) struct Script<'c> {
    calls: &'c [Expected],
    made: Vec<bool>,
}

impl<'c> Script<'c> {
    pub(crate) fn new(calls: &'c [Expected]) -> Self {
        Self { calls, made: vec![false; calls.len()] }
    }

    /// Takes the expected call that this one is. With `past_denials`, calls that the gate may have
    /// denied before anybody here saw them are passed over.
    pub(crate) fn take(&mut self, function: Function, args: &Json, past_denials: bool) -> Option<&'c Expected> {
        let found = self.due(past_denials).find(|index| {
            let call = &self.calls[*index];
            call.function == function && fits(&call.args, args)
        })?;
        self.made[found] = true;
        self.calls.get(found)
    }

    /// The call that is due, or the one that most likely was meant among several that are.
    pub(crate) fn nearest(&self, function: Function) -> Option<&'c Expected> {
        let due: Vec<&Expected> = self.due(false).map(|index| &self.calls[index]).collect();
        due.iter().find(|call| call.function == function).or(due.first()).copied()
    }

    /// What was not made.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &'c Expected> {
        self.calls.iter().zip(&self.made).filter(|(_, made)| !**made).map(|(call, _)| call)
    }

    /// The calls that may come next: one, or those of a stretch in any order.
    fn due(&self, past_denials: bool) -> impl Iterator<Item = usize> {
        let mut due = Vec::new();
        let mut from = 0;
        while let Some(first) = (from..self.calls.len()).find(|index| !self.made[*index]) {
            let stretch = self.calls[first..].iter().take_while(|call| call.any_order).count().max(1);
            let open = (first..first + stretch).filter(|index| !self.made[*index]);
            due.extend(open);
            from = first + stretch;
            if !(past_denials && due.iter().all(|index| self.calls[*index].is_denial())) {
                break;
            }
        }
        due.into_iter()
    }
}

/// Whether the arguments are those that are expected.
fn fits(expected: &Args, args: &Json) -> bool {
    match expected {
        Args::Any => true,
        Args::Exact(expected) => value::same(expected, args),
        Args::Partial(expected) => value::same(expected, &value::part(args, expected)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_gate::Answer;

    use super::*;
    use crate::case::{Fault, Reply};

    fn call(number: usize, image: &str, any_order: bool) -> Expected {
        Expected {
            number,
            function: Function::DockerPush,
            args: Args::Exact(json!({ "reference": image })),
            reply: Reply::Answer(Answer::Ok(Json::Null)),
            any_order,
        }
    }

    /// The numbers of the calls that these are, or nothing.
    fn taken(calls: &[Expected], made: &[&str]) -> Vec<Option<usize>> {
        let mut script = Script::new(calls);
        let take = |image: &&str| {
            script.take(Function::DockerPush, &json!({ "reference": image }), true).map(|call| call.number)
        };
        made.iter().map(take).collect()
    }

    #[test]
    fn calls_come_in_their_order() {
        let calls = [call(1, "a", false), call(2, "b", false)];
        assert_eq!(taken(&calls, &["a", "b", "b"]), [Some(1), Some(2), None]);
        assert_eq!(taken(&calls, &["b", "a"]), [None, Some(1)]);
    }

    #[test]
    fn a_stretch_in_any_order_is_over_when_all_of_it_was_made() {
        let calls = [call(1, "a", true), call(2, "b", true), call(3, "c", false)];
        assert_eq!(taken(&calls, &["b", "c", "a", "c"]), [Some(2), None, Some(1), Some(3)]);
        let calls = [call(1, "a", true), call(2, "b", true)];
        assert_eq!(taken(&calls, &["a", "b"]), [Some(1), Some(2)]);
    }

    #[test]
    fn what_the_gate_denies_is_passed_over() {
        let denied = Expected { reply: Reply::Fault(Fault::Denied), ..call(1, "a", false) };
        let calls = [denied, call(2, "b", false)];
        assert_eq!(taken(&calls, &["b"]), [Some(2)]);
        assert_eq!(taken(&calls, &["a", "b"]), [Some(1), Some(2)], "a denial by the case itself");
        let mut script = Script::new(&calls);
        assert!(script.take(Function::DockerPush, &json!({ "reference": "b" }), false).is_none());
    }

    #[test]
    fn arguments_fit_wholly_in_part_or_in_any_way() {
        let args = json!({ "spec": { "context": ".", "tags": ["a"] }, "count": 1 });
        assert!(fits(&Args::Any, &args));
        assert!(fits(&Args::Partial(json!({ "spec": { "context": "." } })), &args));
        assert!(!fits(&Args::Partial(json!({ "spec": { "context": "src" } })), &args));
        assert!(!fits(&Args::Partial(json!({ "spec": { "tags": ["a", "b"] } })), &args));
        assert!(!fits(&Args::Partial(json!({ "absent": 1 })), &args));
        assert!(!fits(&Args::Exact(json!({ "spec": { "context": "." } })), &args));
        assert!(fits(&Args::Exact(args.clone()), &args));
    }

    #[test]
    fn the_nearest_is_one_of_the_same_function() {
        let other = Expected { function: Function::DockerTag, ..call(1, "a", true) };
        let calls = [other, call(2, "b", true)];
        let script = Script::new(&calls);
        assert_eq!(script.nearest(Function::DockerPush).map(|call| call.number), Some(2));
        assert_eq!(script.nearest(Function::DockerPull).map(|call| call.number), Some(1));
    }
}
