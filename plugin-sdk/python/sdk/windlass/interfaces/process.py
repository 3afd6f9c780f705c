# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Programs on the host, outside any sandbox. `windlass plan` marks steps that are granted it."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a call failed. A program that ran and exited, with whatever code, is not an error."""


class Denied(Error):
    """No grant allows it; says which one is missing."""
    code = "denied"


class NotFound(Error):
    """There is no such program, or no such folder to run it in."""
    code = "not-found"


class Invalid(Error):
    """The command is not acceptable; says why."""
    code = "invalid"


class TimedOut(Error):
    """The time limit of the command passed; its whole process tree was ended."""
    code = "timed-out"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass(kw_only=True)
class Command:
    """A command to run."""
    program: str
    """The program, by the name that the grant lists."""
    args: Sequence[str] = ()
    """Its arguments. No shell sees them."""
    env: Values = ()
    """Its whole environment, but for the host's variables that the step's `env` grants."""
    working_directory: Optional[str] = None
    """The folder to run it in, relative to the pipeline's own; that folder if absent."""
    stdin: Optional[str] = None
    """What it reads on standard input."""
    timeout_ms: Optional[int] = None
    """After how many milliseconds to end it with all its children."""


@dataclass
class Exit:
    """How a program ended."""
    code: int
    """The exit code; 128 and the signal's number for one that a signal ended."""
    stdout_tail: str
    """The last bytes of standard output as text, at most 64 KiB. All of it is in the step's log."""
    stderr_tail: str
    """The last bytes of standard error as text, at most 64 KiB."""


register(
    "process",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "not-found": "string", "invalid": "string", "timed-out": "string", "other": "string"}},
        "command": {"record": {"program": "string", "args": "list<string>", "env": "list<value.named-value>", "working-directory": "option<string>", "stdin": "option<string>", "timeout-ms": "option<u64>"}},
        "exit": {"record": {"code": "s32", "stdout-tail": "string", "stderr-tail": "string"}},
    },
    functions={
        "run": {"params": {"command": "process.command"}, "answer": "process.exit"},
    },
)


def run(command: Command) -> Exit:
    """Runs a program to its end. Its output flows into the step's log.

    Raises `Error`, or one of its kinds.
    """
    return call("process.run", command)
