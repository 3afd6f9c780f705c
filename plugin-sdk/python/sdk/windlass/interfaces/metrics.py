# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Measurements for the run's record. Needs no grant."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


@dataclass(kw_only=True)
class Metric:
    """A measurement."""
    name: str
    """What was measured, as `image-size`."""
    value: float
    """The value."""
    unit: str
    """The unit, by UCUM (`By`, `s`, `1`); may be empty."""
    labels: Pairs = ()
    """What it is about."""


register(
    "metrics",
    __name__,
    types={
        "metric": {"record": {"name": "string", "value": "f64", "unit": "string", "labels": "list<value.pair>"}},
    },
    functions={
        "emit": {"params": {"metric": "metrics.metric"}, "answer": None},
    },
)


def emit(metric: Metric) -> None:
    """Records a measurement."""
    return call("metrics.emit", metric)
