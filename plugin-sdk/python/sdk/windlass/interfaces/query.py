# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Asks a monitoring system."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a query gave no answer."""


class Denied(Error):
    """No grant allows it; says which one is missing."""
    code = "denied"


class Invalid(Error):
    """The query is not acceptable; says what the other side said of it."""
    code = "invalid"


class Unavailable(Error):
    """The other side cannot be reached, or does not work."""
    code = "unavailable"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass
class Sample:
    """A series at one moment."""
    labels: List[value.Pair]
    """Its labels."""
    value: Optional[float]
    """Its value; absent if it is no number (NaN), or infinite."""


register(
    "query",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "invalid": "string", "unavailable": "string", "other": "string"}},
        "sample": {"record": {"labels": "list<value.pair>", "value": "option<f64>"}},
    },
    functions={
        "prometheus": {"params": {"url": "string", "expression": "string", "timeout-ms": "u64"}, "answer": "list<query.sample>"},
    },
)


def prometheus(url: str, expression: str, timeout_ms: int) -> List[Sample]:
    """Asks a Prometheus at this URL for the value of a PromQL expression now. No sample is an answer, too.

    Raises `Error`, or one of its kinds.
    """
    return call("query.prometheus", url, expression, timeout_ms)
