# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""The step's log. Needs no grant."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Level(str, Enum):
    """How much a message matters."""
    DEBUG = "debug"
    """Detail for the plugin's author."""
    INFO = "info"
    """What the step does."""
    WARN = "warn"
    """Something is off, and the step goes on."""
    ERROR = "error"
    """Something failed."""


register(
    "log",
    __name__,
    types={
        "level": {"enum": ["debug", "info", "warn", "error"]},
    },
    functions={
        "log": {"params": {"level": "log.level", "message": "string"}, "answer": None},
    },
)


def log(level: Level, message: str) -> None:
    """Writes a message to the step's log. Over the step's limit the log is cut, and says so."""
    return call("log.log", level, message)
