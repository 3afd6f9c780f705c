"""From a function to what the host calls."""

from __future__ import annotations

import dataclasses
import inspect
import json
import random
import sys
import traceback
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, TypeVar, Union

from . import _calls, _schema, log
from .failure import Failure, told

try:
    from componentize_py_types import Err
    from wit_world.exports import step as _step
except ImportError:
    # The plugin is not in a component: a test of its author has imported it.
    Err = _step = None  # type: ignore[assignment,misc]

_Run = TypeVar("_Run", bound=Callable[..., Any])

_TYPES = ("string", "number", "bool", "list", "object")


@dataclass(frozen=True)
class Use:
    """What a capability is needed for; the plugin works without one that is optional, too."""

    reason: str
    optional: bool = False


@dataclass
class Context:
    """What a step is told beside `with`."""

    pipeline: str
    """The pipeline's name."""
    stage: str
    """The stage's name."""
    step: str
    """The step's name."""
    run: str
    """The run's id."""
    attempt: int
    """Which attempt this is, from 1."""
    summary: str = ""
    """What the step did, in a line: for the plugin to say."""


def plugin(
    *,
    name: str,
    version: str,
    documentation: Optional[str] = None,
    uses: Optional[Mapping[str, Union[str, Use]]] = None,
    with_schema: Optional[Mapping[str, Any]] = None,
    outputs: Optional[Mapping[str, str]] = None,
) -> Callable[[_Run], _Run]:
    """Makes the decorated function the plugin.

    Its first parameter is what a step gives to it: a dataclass, from whose fields Windlass knows what is right before
    anything runs; or a `dict`, with `with_schema` as its JSON Schema. A second parameter gets the `Context`. What it
    returns are the outputs: a dataclass, or a `dict` with the types in `outputs`. What it raises is why the step failed.
    Its docstring is the plugin's documentation.
    """

    def make(run: _Run) -> _Run:
        made = _Plugin(run, name, version, documentation, uses or {}, with_schema, outputs)
        # componentize-py looks for a class of this name in the module that it is given.
        sys.modules[run.__module__].Step = type("Step", (), {  # type: ignore[attr-defined]
            "describe": lambda _: made.describe(),
            "run": lambda _, input: made.run(input),
        })
        return run

    return make


class _Plugin:
    def __init__(
        self,
        run: Callable[..., Any],
        name: str,
        version: str,
        documentation: Optional[str],
        uses: Mapping[str, Union[str, Use]],
        with_schema: Optional[Mapping[str, Any]],
        outputs: Optional[Mapping[str, str]],
    ) -> None:
        self._run = run
        self._name = name
        self._version = version
        self._documentation = inspect.cleandoc(documentation if documentation is not None else run.__doc__ or "")
        self._uses = {name: Use(use) if isinstance(use, str) else use for name, use in uses.items()}
        hints = _schema.hints(run)
        self._parameters = list(inspect.signature(run).parameters)
        self._with = hints.get(self._parameters[0], dict) if self._parameters else dict
        self._schema = _closed(with_schema) if with_schema is not None else self._own_schema()
        self._outputs = self._described(hints.get("return"), outputs)

    def _own_schema(self) -> dict[str, Any]:
        if not self._parameters or not dataclasses.is_dataclass(_schema.bare(self._with)[0]):
            return _closed({})
        return _schema.schema(self._with)

    def _described(self, returned: Any, outputs: Optional[Mapping[str, str]]) -> dict[str, tuple[str, str]]:
        if outputs is not None:
            wrong = next((name for name, type_ in outputs.items() if type_ not in _TYPES), None)
            if wrong is not None:
                raise TypeError(f"the type of output {wrong} has to be one of {', '.join(_TYPES)}")
            return {name: (type_, "") for name, type_ in outputs.items()}
        choices = [returned, *getattr(_schema.bare(returned)[0], "__args__", ())]
        record = next((choice for choice in choices if dataclasses.is_dataclass(choice)), None)
        if record is None:
            return {}
        properties = _schema.schema(record)["properties"]
        return {name: (_type_of(spec), spec.get("description", "")) for name, spec in properties.items()}

    def describe(self) -> Any:
        return _step.Description(
            name=self._name,
            version=self._version,
            documentation=self._documentation,
            with_schema=json.dumps(self._schema),
            capabilities=[
                _step.CapabilityUse(name=name, required=not use.optional, reason=use.reason)
                for name, use in self._uses.items()
            ],
            outputs=[
                _step.OutputSpec(name=name, type=_step.OutputType[type_.upper()], documentation=documentation)
                for name, (type_, documentation) in self._outputs.items()
            ],
        )

    def run(self, input: Any) -> Any:
        _calls.running = True
        # Every instance begins with the same memory: without this, all would draw the same numbers.
        random.seed()
        context = Context(input.pipeline, input.stage, input.step, input.run, input.attempt)
        with log.Captured():
            try:
                returned = self._call(json.loads(input.with_), context)
                outputs = self._given(returned)
            except (Exception, SystemExit) as raised:
                message, hint = told(raised)
                trace = "".join(traceback.format_exception(raised)).rstrip()
                (log.debug if isinstance(raised, (Failure, SystemExit)) else log.error)(trace)
                failure = Err(_step.Failure(message=message, hint=hint))
            else:
                return _step.Outcome(summary=context.summary, outputs=outputs)
        raise failure

    def _call(self, given: Any, context: Context) -> Any:
        arguments = (_schema.read(self._with, given), context)
        return self._run(*arguments[: len(self._parameters)])

    def _given(self, returned: Any) -> list[Any]:
        if returned is None:
            return []
        values = _schema.plain(returned)
        if not isinstance(values, dict):
            raise Failure("the outputs of a plugin have to be a dataclass or a dict, with a field for each")
        unknown = next((name for name in values if name not in self._outputs), None)
        if unknown is not None:
            raise Failure(f"the plugin gives an output {unknown} that it does not describe")
        return [
            _step.Output(name=name, value=_text(name, value)) for name, value in values.items() if value is not None
        ]


def _text(name: str, value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Failure(f"the output {name} is nothing that JSON can hold") from error


def _type_of(spec: Mapping[str, Any]) -> str:
    named = {"string": "string", "integer": "number", "number": "number", "boolean": "bool", "array": "list"}
    type_ = spec.get("type")
    if type_ is None and all(isinstance(case, str) for case in spec.get("enum", [0])):
        return "string"
    return named.get(type_, "object") if isinstance(type_, str) else "object"


def _closed(schema: Any) -> Any:
    """A schema in which a misspelt key is an error, unless it says that others are welcome."""
    made = {"type": "object", "properties": {}, **schema}
    open_ = ("additionalProperties", "patternProperties", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "$ref")
    return made if any(name in made for name in open_) else {**made, "additionalProperties": False}
