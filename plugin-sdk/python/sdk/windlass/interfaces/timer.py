# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Waiting. Needs no grant; the step's timeout holds."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


register(
    "timer",
    __name__,
    types={
    },
    functions={
        "sleep": {"params": {"milliseconds": "u64"}, "answer": None},
    },
)


def sleep(milliseconds: int) -> None:
    """Waits."""
    return call("timer.sleep", milliseconds)
