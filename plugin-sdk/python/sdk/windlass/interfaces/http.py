# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""HTTP requests to granted addresses."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a request got no answer. An answer with whatever status is not an error."""


class Denied(Error):
    """No grant allows it; says which one is missing. Redirects are checked as well."""
    code = "denied"


class Invalid(Error):
    """The request is not acceptable; says why."""
    code = "invalid"


class Unavailable(Error):
    """The host cannot be reached: name, connection or TLS."""
    code = "unavailable"


class TimedOut(Error):
    """The time limit passed."""
    code = "timed-out"


class TooLarge(Error):
    """The body is larger than the limit."""
    code = "too-large"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass(kw_only=True)
class Request:
    """A request."""
    method: str
    """The method, in capitals."""
    url: str
    """The URL, `http` or `https`."""
    headers: Values = ()
    """The headers."""
    body: Optional[Union[bytes, str]] = None
    """The body."""
    timeout_ms: Optional[int] = None
    """After how many milliseconds to give up; 30,000 if absent."""
    redirects: int
    """How many redirects to follow; 0 returns the redirect itself."""
    max_body: Optional[int] = None
    """The largest body to accept in bytes; 1 MiB if absent, 16 MiB at most."""


@dataclass
class Response:
    """An answer."""
    status: int
    """The status code."""
    headers: List[value.Pair]
    """The headers, names in small letters."""
    body: bytes
    """The body."""
    url: str
    """The URL that answered, after redirects."""


register(
    "http",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "invalid": "string", "unavailable": "string", "timed-out": "string", "too-large": "string", "other": "string"}},
        "request": {"record": {"method": "string", "url": "string", "headers": "list<value.named-value>", "body": "option<list<u8>>", "timeout-ms": "option<u64>", "redirects": "u32", "max-body": "option<u64>"}},
        "response": {"record": {"status": "u16", "headers": "list<value.pair>", "body": "list<u8>", "url": "string"}},
    },
    functions={
        "send": {"params": {"request": "http.request"}, "answer": "http.response"},
    },
)


def send(request: Request) -> Response:
    """Sends a request and reads the whole answer.

    Raises `Error`, or one of its kinds.
    """
    return call("http.send", request)
