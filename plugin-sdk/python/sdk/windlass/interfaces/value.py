# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Values that may be secret."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant


@dataclass(kw_only=True)
class NamedValue:
    """A name with a value."""
    name: str
    """The name."""
    value: Value
    """The value."""


@dataclass(kw_only=True)
class Pair:
    """A name with plain text."""
    name: str
    """The name."""
    value: str
    """The text."""


register(
    "value",
    __name__,
    types={
        "value": {"variant": {"plain": "string", "secret": "string"}},
        "named-value": {"record": {"name": "string", "value": "value.value"}},
        "pair": {"record": {"name": "string", "value": "string"}},
    },
    functions={
    },
)
