# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Checks whether something is healthy, as often as needed. Each attempt is journaled."""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import List, Optional, Sequence, Union

from .._calls import call, register
from ..failure import CapabilityError
from ..values import Pairs, Value, Values, Variant
from . import value


class Error(CapabilityError):
    """Why a check could not be made at all. Something that stays unhealthy is not an error."""


class Denied(Error):
    """No grant allows it; says which one is missing."""
    code = "denied"


class NotFound(Error):
    """There is no such container."""
    code = "not-found"


class Invalid(Error):
    """The check is not acceptable; says why."""
    code = "invalid"


class Unavailable(Error):
    """What makes the check is not there: Docker, say."""
    code = "unavailable"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass(kw_only=True)
class HttpProbe:
    """What to ask over HTTP."""
    status_min: Optional[int] = None
    """The lowest status that counts as healthy; 200 if absent."""
    status_max: Optional[int] = None
    """The highest status that counts as healthy; 299 if absent."""
    body_contains: Optional[str] = None
    """Text that the body has to contain."""


@dataclass(kw_only=True)
class ContainerPort:
    """A port of a container. The host knows how to reach it."""
    container: str
    """The container, by its name in the pipeline."""
    port: int
    """The port inside the container."""


@dataclass(kw_only=True)
class ContainerHttp:
    """A path of a container's HTTP port."""
    port: ContainerPort
    """The port."""
    path: str
    """The path with its query, as `/health`."""
    probe: HttpProbe
    """What the answer has to be."""


@dataclass(kw_only=True)
class UrlHttp:
    """A URL to ask."""
    url: str
    """The URL."""
    probe: HttpProbe
    """What the answer has to be."""


@dataclass(kw_only=True)
class ContainerCommand:
    """A command to run in a container; exit code 0 is healthy."""
    container: str
    """The container, by its name in the pipeline."""
    command: Sequence[str] = ()
    """The command."""


class Target(Variant):
    """What to check."""

    @classmethod
    def url(cls, value: UrlHttp) -> Target:
        """A GET of a URL."""
        return cls("url", value)

    @classmethod
    def container_http(cls, value: ContainerHttp) -> Target:
        """A GET of a container's port."""
        return cls("container-http", value)

    @classmethod
    def tcp(cls, value: str) -> Target:
        """A TCP connection to `host:port`."""
        return cls("tcp", value)

    @classmethod
    def container_tcp(cls, value: ContainerPort) -> Target:
        """A TCP connection to a container's port."""
        return cls("container-tcp", value)

    @classmethod
    def command(cls, value: ContainerCommand) -> Target:
        """A command in a container."""
        return cls("command", value)

    @classmethod
    def docker(cls, value: str) -> Target:
        """Docker's own HEALTHCHECK of a container; a container without one is healthy when it runs."""
        return cls("docker", value)


@dataclass(kw_only=True)
class Policy:
    """How often to ask, and when to be sure."""
    interval_ms: int
    """Time between attempts in milliseconds."""
    timeout_ms: int
    """Time limit of one attempt in milliseconds."""
    retries: int
    """How many failures in a row make it unhealthy."""
    start_period_ms: int
    """Time from the first attempt on in which failures do not count, in milliseconds."""
    success_threshold: int
    """How many successes in a row make it healthy."""


@dataclass
class Report:
    """What came of it."""
    healthy: bool
    """Whether it is healthy."""
    attempts: int
    """How many attempts were made."""
    last: str
    """What the last attempt saw."""


register(
    "health",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "not-found": "string", "invalid": "string", "unavailable": "string", "other": "string"}},
        "http-probe": {"record": {"status-min": "option<u16>", "status-max": "option<u16>", "body-contains": "option<string>"}},
        "container-port": {"record": {"container": "string", "port": "u16"}},
        "container-http": {"record": {"port": "health.container-port", "path": "string", "probe": "health.http-probe"}},
        "url-http": {"record": {"url": "string", "probe": "health.http-probe"}},
        "container-command": {"record": {"container": "string", "command": "list<string>"}},
        "target": {"variant": {"url": "health.url-http", "container-http": "health.container-http", "tcp": "string", "container-tcp": "health.container-port", "command": "health.container-command", "docker": "string"}},
        "policy": {"record": {"interval-ms": "u64", "timeout-ms": "u64", "retries": "u32", "start-period-ms": "u64", "success-threshold": "u32"}},
        "report": {"record": {"healthy": "bool", "attempts": "u32", "last": "string"}},
    },
    functions={
        "check": {"params": {"target": "health.target", "timeout-ms": "u64"}, "answer": "health.report"},
        "wait": {"params": {"target": "health.target", "policy": "health.policy"}, "answer": "health.report"},
    },
)


def check(target: Target, timeout_ms: int) -> Report:
    """Asks once.

    Raises `Error`, or one of its kinds.
    """
    return call("health.check", target, timeout_ms)


def wait(target: Target, policy: Policy) -> Report:
    """Asks until it is healthy, or is not going to be. A container that has exited ends the wait.

    Raises `Error`, or one of its kinds.
    """
    return call("health.wait", target, policy)
