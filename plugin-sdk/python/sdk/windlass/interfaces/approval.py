# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Waiting for a person to decide."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a call failed. That somebody has said no is not an error."""


class Denied(Error):
    """No grant allows it; says which one is missing."""
    code = "denied"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass
class Decision:
    """What a person has decided."""
    approved: bool
    """Whether the step may go on."""
    by: str
    """Who decided."""
    reason: Optional[str]
    """Why, if that was said."""


register(
    "approval",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "other": "string"}},
        "decision": {"record": {"approved": "bool", "by": "string", "reason": "option<string>"}},
    },
    functions={
        "wait": {"params": {"message": "string"}, "answer": "approval.decision"},
    },
)


def wait(message: str) -> Decision:
    """Waits until somebody has decided: `windlass approve RUN STAGE`, or `windlass reject`. The message says what
    about. The run may end its process meanwhile and be resumed; the step's time limit does not count the wait.

    Raises `Error`, or one of its kinds.
    """
    return call("approval.wait", message)
