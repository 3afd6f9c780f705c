# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""Containers and images. The daemon's socket and its host configuration stay with the host.

Containers, networks and volumes go by the names that the pipeline gives them. A step sees and
touches only what its own pipeline made. Output of builds, pulls, pushes and containers flows
into the step's log; calls return a bounded tail.
"""
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
    """No grant allows it, or it is never allowed; says which grant is missing."""
    code = "denied"


class NotFound(Error):
    """There is no such image, container, network or volume."""
    code = "not-found"


class Conflict(Error):
    """The name is taken by something else."""
    code = "conflict"


class Invalid(Error):
    """The request is not acceptable; says why."""
    code = "invalid"


class Unavailable(Error):
    """The daemon cannot be reached, or has gone away."""
    code = "unavailable"


class RegistryUnavailable(Error):
    """The registry cannot be reached."""
    code = "registry-unavailable"


class Unauthorized(Error):
    """The registry does not accept the credentials."""
    code = "unauthorized"


class BuildFailed(Error):
    """The build failed; has its last lines."""
    code = "build-failed"


class PortInUse(Error):
    """A port is in use by something else."""
    code = "port-in-use"


class TimedOut(Error):
    """The time limit passed."""
    code = "timed-out"


class DiskFull(Error):
    """Docker's disk is full."""
    code = "disk-full"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass(kw_only=True)
class BuildSpec:
    """A build of an image."""
    context: str
    """The folder to build in, relative to the pipeline's own. `.dockerignore` holds."""
    dockerfile: Optional[str] = None
    """The Dockerfile, relative to the context; `Dockerfile` if absent."""
    tags: Sequence[str] = ()
    """The names to give the image, each `repository:tag`."""
    args: Pairs = ()
    """Build arguments. They show in the image's history: no place for secrets."""
    target: Optional[str] = None
    """The stage of the Dockerfile to build; the last if absent."""
    labels: Pairs = ()
    """Labels to put on the image."""
    platform: Optional[str] = None
    """The platform, as `linux/arm64`; the daemon's own if absent."""
    no_cache: bool = False
    """Whether to build every layer anew."""
    pull: bool = False
    """Whether to pull a newer base image."""
    secrets: Values = ()
    """Secrets for `RUN --mount=type=secret,id=...`; BuildKit only."""


class Builder(str, Enum):
    """The builders of a daemon."""
    CLASSIC = "classic"
    """The classic builder."""
    BUILDKIT = "buildkit"
    """BuildKit."""


@dataclass
class Built:
    """A built image."""
    id: str
    """The image's id, `sha256:...`."""
    tags: List[str]
    """The names that it was given."""
    builder: Builder
    """Which builder made it."""


@dataclass(kw_only=True)
class Credentials:
    """How to log in at a registry."""
    username: str
    """The user."""
    password: Value
    """The password or token."""


@dataclass
class Transferred:
    """A pushed or pulled image."""
    reference: str
    """The name that was pushed or pulled, `repository:tag`."""
    digest: str
    """The manifest's digest in the registry, `sha256:...`."""
    pinned: str
    """`repository@digest`: what to run for exactly this image."""


@dataclass
class Image:
    """What is known of an image."""
    id: str
    """The image's id, `sha256:...`."""
    tags: List[str]
    """Its names, `repository:tag`."""
    digests: List[str]
    """Its digests in registries, `repository@sha256:...`."""
    size: int
    """Its size in bytes."""
    created: str
    """When it was made, by RFC 3339."""
    platform: str
    """Its platform, as `linux/amd64`."""
    labels: List[value.Pair]
    """Its labels."""
    exposed_ports: List[str]
    """The ports that it exposes, as `8080/tcp`."""


class Protocol(str, Enum):
    """The protocol of a port."""
    TCP = "tcp"
    """TCP."""
    UDP = "udp"
    """UDP."""


@dataclass(kw_only=True)
class Port:
    """A port to publish."""
    container: int
    """The port inside the container."""
    host: Optional[int] = None
    """The port on the host; one that is free if absent."""
    address: Optional[str] = None
    """The host's address; `127.0.0.1` if absent. Any other needs a grant."""
    protocol: Protocol = Protocol.TCP
    """The protocol."""


class MountSource(Variant):
    """What is mounted."""

    @classmethod
    def folder(cls, value: str) -> MountSource:
        """A folder of the host, relative to the pipeline's own."""
        return cls("folder", value)

    @classmethod
    def volume(cls, value: str) -> MountSource:
        """A volume, by its name in the pipeline."""
        return cls("volume", value)

    @classmethod
    def tmpfs(cls, value: int) -> MountSource:
        """Memory, of so many bytes at most."""
        return cls("tmpfs", value)


@dataclass(kw_only=True)
class Mount:
    """A mount."""
    source: MountSource
    """What is mounted."""
    target: str
    """Where in the container; absolute."""
    writable: bool = False
    """Whether the container may write to it."""


class Restart(Variant):
    """When Docker starts a container again by itself."""

    @classmethod
    def no(cls) -> Restart:
        """Never."""
        return cls("no")

    @classmethod
    def on_failure(cls, value: int) -> Restart:
        """When it fails, so many times at most; 0 is for ever."""
        return cls("on-failure", value)

    @classmethod
    def unless_stopped(cls) -> Restart:
        """Until it is stopped."""
        return cls("unless-stopped")

    @classmethod
    def always(cls) -> Restart:
        """Always."""
        return cls("always")


@dataclass(kw_only=True)
class Healthcheck:
    """A health check that Docker makes by itself."""
    command: Sequence[str] = ()
    """The command in the container; exit code 0 is healthy."""
    interval_ms: int
    """Time between checks in milliseconds."""
    timeout_ms: int
    """Time limit of a check in milliseconds."""
    retries: int
    """How many failures in a row make it unhealthy."""
    start_period_ms: int
    """Time after the start in which failures do not count, in milliseconds."""


@dataclass(kw_only=True)
class ContainerSpec:
    """A container to be made. Privileges, devices, host namespaces and the like do not exist here."""
    image: str
    """The image: a name, a pinned name or an id."""
    command: Optional[Sequence[str]] = None
    """Replaces the image's command."""
    entrypoint: Optional[Sequence[str]] = None
    """Replaces the image's entry point."""
    env: Values = ()
    """Environment variables."""
    user: Optional[str] = None
    """The user, as `1000:1000`."""
    working_directory: Optional[str] = None
    """The working directory."""
    labels: Pairs = ()
    """Labels, beside those of Windlass."""
    ports: Sequence[Port] = ()
    """Ports to publish."""
    mounts: Sequence[Mount] = ()
    """Mounts."""
    networks: Sequence[str] = ()
    """Networks to join, by their names in the pipeline; Docker's bridge if empty."""
    aliases: Sequence[str] = ()
    """Names by which others on those networks reach it."""
    no_network: bool = False
    """Whether it has no network at all."""
    memory: Optional[int] = None
    """Most memory in bytes; 1 GiB if absent."""
    cpu_millis: Optional[int] = None
    """Most processors, in thousandths; 2,000 if absent."""
    processes: Optional[int] = None
    """Most processes; 1,024 if absent."""
    read_only_root: bool = False
    """Whether the root file system is read-only."""
    restart: Restart = Restart.no()
    """When Docker starts it again by itself."""
    healthcheck: Optional[Healthcheck] = None
    """A health check that Docker makes by itself; the image's own if absent."""


@dataclass
class Published:
    """A published port."""
    container: int
    """The port inside the container."""
    protocol: Protocol
    """The protocol."""
    address: str
    """The host's address."""
    host: int
    """The port on the host."""


class ContainerState(str, Enum):
    """Whether a container runs."""
    CREATED = "created"
    """Made, never started."""
    RUNNING = "running"
    """It runs."""
    RESTARTING = "restarting"
    """Docker is starting it again."""
    PAUSED = "paused"
    """It is paused."""
    EXITED = "exited"
    """It has ended."""
    DEAD = "dead"
    """Docker failed to remove it."""


class HealthState(str, Enum):
    """What Docker's own health check says."""
    NONE = "none"
    """There is no check."""
    STARTING = "starting"
    """Too early to say."""
    HEALTHY = "healthy"
    """Healthy."""
    UNHEALTHY = "unhealthy"
    """Not healthy."""


@dataclass
class Container:
    """What is known of a container."""
    name: str
    """Its name in the pipeline; empty for a run to completion."""
    id: str
    """Docker's id."""
    image: str
    """The image it was made from, as it was asked for."""
    image_id: str
    """That image's id."""
    state: ContainerState
    """Whether it runs."""
    health: HealthState
    """What Docker's own health check says."""
    exit_code: Optional[int]
    """Its exit code, once it has ended."""
    oom_killed: bool
    """Whether it was ended because it took too much memory."""
    ports: List[Published]
    """Published ports."""
    addresses: List[value.Pair]
    """Its addresses, by network."""
    labels: List[value.Pair]
    """Its labels, without those of Windlass."""
    run: str
    """The run that made it."""
    started: str
    """When it was started, by RFC 3339; empty if never."""


class Lifetime(str, Enum):
    """How long a container, network or volume stays."""
    RUN = "run"
    """Until the end of the run."""
    KEPT = "kept"
    """Until it is removed; a run that fails or is cancelled takes what it made along."""


@dataclass
class Exit:
    """How a run to completion or an exec ended."""
    code: int
    """The exit code."""
    oom_killed: bool
    """Whether it was ended because it took too much memory."""
    stdout_tail: str
    """The last bytes of standard output as text, at most 64 KiB. All of it is in the step's log."""
    stderr_tail: str
    """The last bytes of standard error as text, at most 64 KiB."""


@dataclass(kw_only=True)
class ExecSpec:
    """A command for a running container."""
    container: str
    """The container, by its name in the pipeline."""
    command: Sequence[str] = ()
    """The command."""
    env: Values = ()
    """Environment variables, beside the container's."""
    user: Optional[str] = None
    """The user, as `1000:1000`."""
    working_directory: Optional[str] = None
    """The working directory."""
    timeout_ms: Optional[int] = None
    """After how many milliseconds to stop waiting."""


@dataclass(kw_only=True)
class LogQuery:
    """Which lines of a container's log."""
    container: str
    """The container, by its name in the pipeline."""
    tail: Optional[int] = None
    """How many lines from the end; all if absent."""
    since: Optional[int] = None
    """Only what came after, in seconds since the Unix epoch."""
    follow_ms: int
    """For how many milliseconds to follow what comes; 0 takes what there is."""


@dataclass
class Output:
    """Output without an end."""
    stdout_tail: str
    """The last bytes of standard output as text, at most 64 KiB."""
    stderr_tail: str
    """The last bytes of standard error as text, at most 64 KiB."""


@dataclass
class Usage:
    """What a container uses at the moment."""
    cpu_time_us: int
    """Processor time since its start, in microseconds."""
    memory: int
    """Memory in bytes."""
    memory_limit: int
    """Its memory limit in bytes."""
    received: int
    """Bytes received over networks."""
    sent: int
    """Bytes sent over networks."""
    processes: int
    """Processes and threads."""


register(
    "docker",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "not-found": "string", "conflict": "string", "invalid": "string", "unavailable": "string", "registry-unavailable": "string", "unauthorized": "string", "build-failed": "string", "port-in-use": "string", "timed-out": "string", "disk-full": "string", "other": "string"}},
        "build-spec": {"record": {"context": "string", "dockerfile": "option<string>", "tags": "list<string>", "args": "list<value.pair>", "target": "option<string>", "labels": "list<value.pair>", "platform": "option<string>", "no-cache": "bool", "pull": "bool", "secrets": "list<value.named-value>"}},
        "builder": {"enum": ["classic", "buildkit"]},
        "built": {"record": {"id": "string", "tags": "list<string>", "builder": "docker.builder"}},
        "credentials": {"record": {"username": "string", "password": "value.value"}},
        "transferred": {"record": {"reference": "string", "digest": "string", "pinned": "string"}},
        "image": {"record": {"id": "string", "tags": "list<string>", "digests": "list<string>", "size": "u64", "created": "string", "platform": "string", "labels": "list<value.pair>", "exposed-ports": "list<string>"}},
        "protocol": {"enum": ["tcp", "udp"]},
        "port": {"record": {"container": "u16", "host": "option<u16>", "address": "option<string>", "protocol": "docker.protocol"}},
        "mount-source": {"variant": {"folder": "string", "volume": "string", "tmpfs": "u64"}},
        "mount": {"record": {"source": "docker.mount-source", "target": "string", "writable": "bool"}},
        "restart": {"variant": {"no": None, "on-failure": "u32", "unless-stopped": None, "always": None}},
        "healthcheck": {"record": {"command": "list<string>", "interval-ms": "u64", "timeout-ms": "u64", "retries": "u32", "start-period-ms": "u64"}},
        "container-spec": {"record": {"image": "string", "command": "option<list<string>>", "entrypoint": "option<list<string>>", "env": "list<value.named-value>", "user": "option<string>", "working-directory": "option<string>", "labels": "list<value.pair>", "ports": "list<docker.port>", "mounts": "list<docker.mount>", "networks": "list<string>", "aliases": "list<string>", "no-network": "bool", "memory": "option<u64>", "cpu-millis": "option<u32>", "processes": "option<u32>", "read-only-root": "bool", "restart": "docker.restart", "healthcheck": "option<docker.healthcheck>"}},
        "published": {"record": {"container": "u16", "protocol": "docker.protocol", "address": "string", "host": "u16"}},
        "container-state": {"enum": ["created", "running", "restarting", "paused", "exited", "dead"]},
        "health-state": {"enum": ["none", "starting", "healthy", "unhealthy"]},
        "container": {"record": {"name": "string", "id": "string", "image": "string", "image-id": "string", "state": "docker.container-state", "health": "docker.health-state", "exit-code": "option<s64>", "oom-killed": "bool", "ports": "list<docker.published>", "addresses": "list<value.pair>", "labels": "list<value.pair>", "run": "string", "started": "string"}},
        "lifetime": {"enum": ["run", "kept"]},
        "exit": {"record": {"code": "s64", "oom-killed": "bool", "stdout-tail": "string", "stderr-tail": "string"}},
        "exec-spec": {"record": {"container": "string", "command": "list<string>", "env": "list<value.named-value>", "user": "option<string>", "working-directory": "option<string>", "timeout-ms": "option<u64>"}},
        "log-query": {"record": {"container": "string", "tail": "option<u32>", "since": "option<u64>", "follow-ms": "u64"}},
        "output": {"record": {"stdout-tail": "string", "stderr-tail": "string"}},
        "usage": {"record": {"cpu-time-us": "u64", "memory": "u64", "memory-limit": "u64", "received": "u64", "sent": "u64", "processes": "u64"}},
    },
    functions={
        "build": {"params": {"spec": "docker.build-spec"}, "answer": "docker.built"},
        "tag": {"params": {"image": "string", "reference": "string"}, "answer": None},
        "push": {"params": {"reference": "string", "credentials": "option<docker.credentials>"}, "answer": "docker.transferred"},
        "pull": {"params": {"reference": "string", "credentials": "option<docker.credentials>", "platform": "option<string>"}, "answer": "docker.transferred"},
        "inspect-image": {"params": {"reference": "string"}, "answer": "docker.image"},
        "list-images": {"params": {"repository": "string"}, "answer": "list<docker.image>"},
        "run": {"params": {"spec": "docker.container-spec", "timeout-ms": "option<u64>"}, "answer": "docker.exit"},
        "start": {"params": {"name": "string", "spec": "docker.container-spec", "lifetime": "docker.lifetime"}, "answer": "docker.container"},
        "exec": {"params": {"spec": "docker.exec-spec"}, "answer": "docker.exit"},
        "inspect": {"params": {"container": "string"}, "answer": "docker.container"},
        "list": {"params": {}, "answer": "list<docker.container>"},
        "logs": {"params": {"query": "docker.log-query"}, "answer": "docker.output"},
        "stats": {"params": {"container": "string"}, "answer": "docker.usage"},
        "wait-healthy": {"params": {"container": "string", "timeout-ms": "u64"}, "answer": "docker.container"},
        "start-again": {"params": {"container": "string"}, "answer": "docker.container"},
        "stop": {"params": {"container": "string", "grace-ms": "u64"}, "answer": None},
        "remove": {"params": {"container": "string", "force": "bool"}, "answer": None},
        "create-network": {"params": {"name": "string", "internal": "bool", "lifetime": "docker.lifetime"}, "answer": None},
        "remove-network": {"params": {"name": "string"}, "answer": None},
        "create-volume": {"params": {"name": "string", "lifetime": "docker.lifetime"}, "answer": None},
        "remove-volume": {"params": {"name": "string"}, "answer": None},
    },
)


def build(spec: BuildSpec) -> Built:
    """Builds an image. The host packs the context itself and follows no symlink out of it.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.build", spec)


def tag(image: str, reference: str) -> None:
    """Gives an image another name.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.tag", image, reference)


def push(reference: str, credentials: Optional[Credentials] = None) -> Transferred:
    """Pushes an image to its registry.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.push", reference, credentials)


def pull(reference: str, credentials: Optional[Credentials] = None, platform: Optional[str] = None) -> Transferred:
    """Pulls an image from its registry.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.pull", reference, credentials, platform)


def inspect_image(reference: str) -> Image:
    """What is known of an image that the daemon has.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.inspect-image", reference)


def list_images(repository: str) -> List[Image]:
    """The images of a repository that the daemon has.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.list-images", repository)


def run(spec: ContainerSpec, timeout_ms: Optional[int] = None) -> Exit:
    """Runs a container to its end and removes it. Its output flows into the step's log.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.run", spec, timeout_ms)


def start(name: str, spec: ContainerSpec, lifetime: Lifetime = Lifetime.RUN) -> Container:
    """Makes and starts a container that goes on. The name is free in this pipeline, or it is a conflict.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.start", name, spec, lifetime)


def exec(spec: ExecSpec) -> Exit:
    """Runs a command in a container. Its output flows into the step's log.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.exec", spec)


def inspect(container: str) -> Container:
    """What is known of a container.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.inspect", container)


def list() -> List[Container]:
    """The containers of this pipeline, ended ones included.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.list")


def logs(query: LogQuery) -> Output:
    """A container's log. All of it flows into the step's log; a bounded tail is returned.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.logs", query)


def stats(container: str) -> Usage:
    """What a container uses at the moment.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.stats", container)


def wait_healthy(container: str, timeout_ms: int) -> Container:
    """Waits until Docker's own health check says healthy, or the container ends or gets unhealthy.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.wait-healthy", container, timeout_ms)


def start_again(container: str) -> Container:
    """Starts a container again that has ended or was stopped. One that runs is fine.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.start-again", container)


def stop(container: str, grace_ms: int) -> None:
    """Stops a container: SIGTERM, and SIGKILL after the grace. One that has ended is fine.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.stop", container, grace_ms)


def remove(container: str, force: bool = False) -> None:
    """Removes a container that has ended, or one that runs by force. One that is gone is fine.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.remove", container, force)


def create_network(name: str, internal: bool = False, lifetime: Lifetime = Lifetime.RUN) -> None:
    """Makes a network; one of this name that this pipeline made is taken as it is.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.create-network", name, internal, lifetime)


def remove_network(name: str) -> None:
    """Removes a network. One that is gone is fine.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.remove-network", name)


def create_volume(name: str, lifetime: Lifetime = Lifetime.RUN) -> None:
    """Makes a volume; one of this name that this pipeline made is taken as it is.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.create-volume", name, lifetime)


def remove_volume(name: str) -> None:
    """Removes a volume with its content. One that is gone is fine.

    Raises `Error`, or one of its kinds.
    """
    return call("docker.remove-volume", name)
