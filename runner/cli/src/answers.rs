//! What only a person can know: how a call ended that was under way when the runner died.

use serde_json::{Value as Json, json};
use windlass_gate::Question;
use windlass_journal::{InDoubtAnswer, StepIndex};
use windlass_pipeline::Plan;

use crate::error::CliError;
use crate::{environment, files};

/// What is said about each question; nothing if one of them is left open.
pub(crate) fn settle<'q>(
    plan: &Plan,
    questions: &'q [Question],
    given: &[String],
) -> Result<Option<Vec<(&'q Question, InDoubtAnswer)>>, CliError> {
    let mut said = Vec::new();
    for text in given {
        let (of, word) = match text.rsplit_once('=') {
            Some((of, word)) => (Some(step(plan, of)?), word),
            None => (None, text.as_str()),
        };
        let answer = match word {
            "done" => InDoubtAnswer::Done,
            "repeat" => InDoubtAnswer::Repeat,
            _ => {
                return Err(CliError::usage(
                    format!("`{word}` is no answer"),
                    "say `--answer done` if the call was made, or `--answer repeat` to make it again",
                ));
            }
        };
        if let Some(of) = of
            && !questions.iter().any(|question| question.call.step == of)
        {
            return Err(CliError::usage(
                format!("nothing is asked about step `{}`", name(plan, of)),
                "leave the answer out",
            ));
        }
        said.push((of, answer));
    }
    if questions.is_empty() && !said.is_empty() {
        return Err(CliError::usage(
            "nothing is asked: it is known how every call ended, or it can be made again",
            "leave `--answer` out",
        ));
    }
    let answer_to = |question: &Question| {
        let own = said.iter().find(|(of, _)| *of == Some(question.call.step));
        own.or_else(|| said.iter().find(|(of, _)| of.is_none())).map(|(_, answer)| *answer)
    };
    Ok(questions.iter().map(|question| Some((question, answer_to(question)?))).collect())
}

/// The step with this name, as `stage/step`.
pub(crate) fn step(plan: &Plan, given: &str) -> Result<StepIndex, CliError> {
    let found = (0..).zip(&plan.steps).find(|(_, step)| {
        let stage = &plan.stages[step.stage as usize].name;
        given.split_once('/').is_some_and(|(of, name)| of == &**stage && name == &*step.name)
    });
    found.map(|(index, _)| StepIndex(index)).ok_or_else(|| {
        let all: Vec<_> = (0..).take(plan.steps.len().min(20)).map(|index| name(plan, StepIndex(index))).collect();
        CliError::usage(format!("there is no step `{given}` in the run"), format!("its steps are: {}", all.join(", ")))
    })
}

/// A step's name, as `stage/step`.
pub(crate) fn name(plan: &Plan, step: StepIndex) -> String {
    match plan.steps.get(step.0 as usize) {
        Some(step) => format!("{}/{}", plan.stages[step.stage as usize].name, step.name),
        None => "the host".to_owned(),
    }
}

/// Who answers.
pub(crate) fn who() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(environment::value)
        .map_or_else(|| "somebody".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Who decides, and on which machine.
pub(crate) fn who_and_where() -> String {
    files::host_name().map_or_else(who, |host| format!("{}@{host}", who()))
}

/// A question, in words.
pub(crate) fn question(plan: &Plan, question: &Question) -> String {
    let Question { call, recorded } = question;
    format!(
        "step {}: call {} was under way when the runner died, and must not be made twice:\n  {} {}\nWas it done?",
        name(plan, call.step),
        call.ordinal + 1,
        recorded.function,
        windlass_view::arguments(&recorded.function, &recorded.args)
    )
}

/// A question, for programs.
pub(crate) fn question_json(plan: &Plan, question: &Question) -> Json {
    let Question { call, recorded } = question;
    let args = serde_json::from_str::<Json>(&recorded.args).unwrap_or_else(|_| recorded.args.clone().into());
    json!({
        "step": name(plan, call.step), "attempt": call.attempt, "call": call.ordinal,
        "function": &*recorded.function, "args": args, "answers": ["done", "repeat"],
    })
}

/// How to answer.
pub(crate) fn how(plan: &Plan, run: &str, questions: &[Question]) -> String {
    let all = |word: &str| match questions {
        [_] => format!("--answer {word}"),
        several => {
            let each = several.iter().map(|one| format!("--answer {}={word}", name(plan, one.call.step)));
            each.collect::<Vec<_>>().join(" ")
        }
    };
    let each = if questions.len() > 1 { " (each step may have another answer)" } else { "" };
    format!(
        "if it was: windlass resume {run} {}\nif it was not, or may be done again: windlass resume {run} {}{each}",
        all("done"),
        all("repeat")
    )
}
