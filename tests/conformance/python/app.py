"""Makes the calls that it is told to make and gives back the answers: the conformance suite's plugin in Python.

It speaks as `tests/guests/asks` does, with the contract's own names, and calls through the SDK as any plugin would.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Optional

import forms
import own
from windlass import CapabilityError, Context, Failure, Use, interfaces, plugin

_CAPABILITIES = ("approval", "artifacts", "docker", "health", "http", "process", "query", "traffic")


@dataclass
class Call:
    """A call."""

    function: Annotated[str, "The function, as `docker.run`."]
    args: Annotated[dict[str, Any], "Its arguments by their names."] = field(default_factory=dict)
    pass_: Annotated[Optional[str], "The argument that gets what the last call answered."] = None
    times: Annotated[int, "How often to make it; its last answer counts."] = 1
    or_: Annotated[Literal["go-on", "fail"], "What to do if it answers with an error."] = "go-on"


@dataclass
class With:
    """What to do."""

    calls: Annotated[list[Call], "The calls, in this order."]
    then: Annotated[Literal["succeed", "fail", "trap", "spin"], "What to do when all calls are made."] = "succeed"
    summary: Annotated[Optional[str], "The step's summary."] = None
    say: Annotated[Optional[str], "What to log at the start."] = None
    echo: Annotated[Any, "Anything: given back as the output `echo`."] = None
    own: Annotated[Optional[str], "What to do that is Python's own."] = None


@dataclass
class Outputs:
    """What came of it."""

    answers: Annotated[list[Any], 'The answer of each call: `{ ok = ... }`, or `{ err = { denied = "..." } }`.']
    last: Annotated[dict[str, Any], "The last answer by itself."]
    errors: Annotated[int, "How many answers are errors."]
    echo: Annotated[Optional[str], "What `with.echo` holds, as JSON text."]
    own: Annotated[Optional[dict[str, Any]], "What came of `with.own`."]
    attempt: Annotated[int, "Which attempt of the step this is."]
    place: Annotated[str, "The run, and the pipeline, stage and step, as `run pipeline/stage/step`."]


class Trap(BaseException):
    """Passes by the SDK, which makes a failure of every exception that is an error."""


@plugin(
    name="conformance",
    version="0.1.0",
    uses={name: Use(f"for calls of `{name}`", optional=True) for name in _CAPABILITIES},
)
def ask(given: With, context: Context) -> Outputs | dict[str, Any]:
    """Makes the calls that it is told to make, and gives back the answers."""
    if given.say is not None:
        print(given.say)
    answers: list[Any] = []
    kept: Any = None
    for each in given.calls:
        answer: dict[str, Any] = {}
        for _ in range(each.times):
            answer, kept = _call(each, kept)
        if each.or_ == "fail" and "err" in answer:
            raise Failure(f"{each.function}: {next(iter(answer['err'].values()))}")
        answers.append(answer)
    mine = own.OWN[given.own]() if given.own is not None else None
    if mine is not None and "undescribed" in mine:
        return mine
    if given.then == "fail":
        raise Failure(f"told to fail; answers: {json.dumps(answers)}")
    if given.then == "trap":
        raise Trap("told to trap")
    while given.then == "spin":
        pass
    context.summary = given.summary or ""
    return Outputs(
        answers=answers,
        last=answers[-1] if answers else {},
        errors=sum("err" in answer for answer in answers),
        echo=None if given.echo is None else json.dumps(given.echo, ensure_ascii=False, separators=(",", ":")),
        own=mine,
        attempt=context.attempt,
        place=f"{context.run} {context.pipeline}/{context.stage}/{context.step}",
    )


def _call(asked: Call, last: Any) -> tuple[dict[str, Any], Any]:
    """Makes a call. Gives its answer as JSON, and as it came."""
    spec = forms.FUNCTIONS.get(asked.function)
    if spec is None:
        raise Failure(f"{asked.function}: there is no such function")
    unknown = next((arg for arg in asked.args if arg not in spec["params"]), None)
    if unknown is not None:
        raise Failure(f"{asked.function}: there is no argument `{unknown}`")
    capability, name = asked.function.split(".")
    args = {
        forms.snake(param): forms.given(type_, asked.args[param])
        for param, type_ in spec["params"].items()
        if param in asked.args
    }
    if asked.pass_ is not None:
        args[forms.snake(asked.pass_)] = last
    function = getattr(getattr(interfaces, capability), forms.snake(name))
    try:
        answer = function(**args)
    except CapabilityError as error:
        return {"err": {error.code: error.message}}, None
    return {"ok": None if spec["answer"] is None else forms.told(spec["answer"], answer)}, answer
