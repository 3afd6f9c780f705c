# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Bytes that a run keeps under a name, for later steps and for people."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a call failed."""


class Denied(Error):
    """No grant allows it; says which one is missing."""
    code = "denied"


class NotFound(Error):
    """There is no artifact of this name in this run."""
    code = "not-found"


class Invalid(Error):
    """The name or the content is not acceptable; says why."""
    code = "invalid"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass
class Artifact:
    """A stored artifact."""
    name: str
    """Its name."""
    size: int
    """Its size in bytes."""
    digest: str
    """`sha256:` and the digest of its bytes."""


register(
    "artifacts",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "not-found": "string", "invalid": "string", "other": "string"}},
        "artifact": {"record": {"name": "string", "size": "u64", "digest": "string"}},
    },
    functions={
        "put": {"params": {"name": "string", "content": "list<u8>"}, "answer": "artifacts.artifact"},
        "get": {"params": {"name": "string"}, "answer": "list<u8>"},
        "list": {"params": {}, "answer": "list<artifacts.artifact>"},
    },
)


def put(name: str, content: Union[bytes, str] = b"") -> Artifact:
    """Stores bytes under a name; a second call replaces the first.

    Raises `Error`, or one of its kinds.
    """
    return call("artifacts.put", name, content)


def get(name: str) -> bytes:
    """The bytes under a name.

    Raises `Error`, or one of its kinds.
    """
    return call("artifacts.get", name)


def list() -> List[Artifact]:
    """What this run has stored so far, by name.

    Raises `Error`, or one of its kinds.
    """
    return call("artifacts.list")
