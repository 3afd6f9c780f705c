# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""How a service's traffic reaches its revisions, and what the router measured of them.

A deploy reserves its service for the run with `begin` and gives it back with `finish`, or with
`abort`. What must never happen is refused by the host and the router, whoever asks: a weight
above what ready replicas carry, traffic for nobody without a grant for downtime, a second
deploy of the same service. Services go by the names that the pipeline gives them; those of
another environment are others. A weight is in hundredths of a percent, from 0 to 10000.
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
    """No grant allows it; says which one is missing."""
    code = "denied"


class NotFound(Error):
    """There is no such service, revision or container."""
    code = "not-found"


class Conflict(Error):
    """The service is another pipeline's, or another run deploys it; says who."""
    code = "conflict"


class Unsafe(Error):
    """It would break what a deploy promises: too few ready replicas, downtime, an end that is none."""
    code = "unsafe"


class Invalid(Error):
    """The request is not acceptable; says why."""
    code = "invalid"


class Unavailable(Error):
    """The router is not there."""
    code = "unavailable"


class Unsupported(Error):
    """The router cannot do this at all: another one might."""
    code = "unsupported"


class Other(Error):
    """Anything else."""
    code = "other"


@dataclass
class ReplicaState:
    """A replica, as the router sees it."""
    container: str
    """The container, by its name in the pipeline; empty if nobody said."""
    id: str
    """Docker's id of the container."""
    port: int
    """The port inside the container."""
    address: str
    """Where the router reaches it."""
    ready: bool
    """It gets requests when its revision does."""
    because: Optional[str]
    """Why it is not ready."""
    serving: bool
    """It may get requests at present."""
    draining: bool
    """It is being drained."""
    in_flight: int
    """Requests and WebSockets under way."""


@dataclass
class RevisionState:
    """A revision, as the router sees it."""
    name: str
    """Its name."""
    weight: int
    """Its declared weight."""
    share: int
    """What it gets now: less when it is unready, more when another is and it has room."""
    cap: int
    """The highest weight that its ready replicas carry."""
    ready: int
    """Replicas that are ready now."""
    replicas: int
    """How many ready replicas carry all of the traffic."""
    in_flight: int
    """Requests and WebSockets under way."""
    endpoints: List[ReplicaState]
    """Its replicas."""


@dataclass
class OpenDeployment:
    """A deploy that is not over."""
    run: str
    """The run that has reserved the service."""
    revision: str
    """The revision that is being deployed."""
    previous: Optional[str]
    """The one that served before, if there was one."""
    strategy: str
    """How it is being deployed."""
    committed: bool
    """Whether the revision is the service's own now."""


@dataclass
class State:
    """A service, as the router sees it."""
    service: str
    """Its name."""
    generation: int
    """Its newest change."""
    current: Optional[str]
    """The revision that was committed last."""
    revisions: List[RevisionState]
    """All revisions."""
    deployment: Optional[OpenDeployment]
    """The deploy that is under way."""
    unserved: int
    """The part of the requests for which nobody is ready, in hundredths of a percent."""
    listeners: List[str]
    """The addresses at which the router listens."""


@dataclass(kw_only=True)
class Route:
    """Which requests are the service's. The host counts before the path, and the longest path wins."""
    host: Optional[str] = None
    """The host without its port; any if absent."""
    path: str
    """Whole segments of the path, as `/api`; `/` for all."""
    listeners: Sequence[str] = ()
    """The router's listeners, by address; all if empty."""
    revision: Optional[str] = None
    """A preview: always this revision, whatever the weights say. It goes when the deploy is committed."""


@dataclass(kw_only=True)
class Sticky:
    """Keeps a client with the revision that it saw first."""
    cookie: str
    """The cookie's name."""
    max_age_s: Optional[int] = None
    """How long the client keeps it in seconds; for its session if absent."""


@dataclass(kw_only=True)
class RouterCheck:
    """The router's own check of each replica."""
    path: Optional[str] = None
    """`GET` it, and take 200 to 399 for well; a connection is enough if absent."""
    interval_ms: int
    """How often, in milliseconds."""
    timeout_ms: int
    """How long an answer may take, in milliseconds."""
    up_after: int
    """So many good answers in a row make a replica ready."""
    down_after: int
    """So many bad ones in a row make it unready."""


@dataclass(kw_only=True)
class Deployment:
    """A deploy."""
    service: str
    """The service."""
    revision: str
    """The revision that is deployed: a name that no other revision of the service has."""
    strategy: str
    """How: a word for the record, as `canary`."""
    routes: Sequence[Route] = ()
    """Which requests are the service's."""
    replicas: int
    """How many ready replicas of the new revision carry all of the traffic."""
    sticky: Optional[Sticky] = None
    """Keeps clients with a revision."""
    override_header: Optional[str] = None
    """The header with which testers choose a revision by name; nobody can if absent."""
    check: Optional[RouterCheck] = None
    """The router's own check of each replica; the plugin's word is taken if absent."""
    connect_timeout_ms: int
    """How long the router waits for a connection to a replica, in milliseconds."""
    read_timeout_ms: int
    """How long the router waits between two reads from a replica, in milliseconds; 0: for ever."""
    downtime: bool = False
    """Whether nothing may serve for a time: `take-down` works then. Needs a grant in `traffic.downtime`."""
    details: Pairs = ()
    """What to remember of it, as the image."""


@dataclass(kw_only=True)
class Replica:
    """A replica of a revision."""
    container: str
    """The container, by its name in the pipeline."""
    port: int
    """The port inside the container."""
    ready: bool = False
    """The plugin vouches for it. It is ready when the router's own check agrees."""


@dataclass(kw_only=True)
class Split:
    """A revision's weight."""
    revision: str
    """The revision."""
    weight: int
    """Its weight in hundredths of a percent."""


@dataclass
class Drained:
    """How far a drain got."""
    done: bool
    """Nothing is under way any more."""
    in_flight: int
    """Requests and WebSockets that still are."""
    cut: int
    """Those that were cut when the time was over."""


@dataclass
class Bucket:
    """A bucket of a histogram."""
    le_us: int
    """Its upper bound in microseconds."""
    count: int
    """How many."""


@dataclass
class Measured:
    """What a revision did in a window of time."""
    revision: str
    """The revision."""
    requests: int
    """Requests that ended; those that clients gave up are not among them."""
    errors: int
    """Those of them that failed: answered 5xx, or not wholly answered."""
    classes: List[int]
    """Answers by class: 1xx, 2xx, 3xx, 4xx, 5xx."""
    unreachable: int
    """Connections that could not be made."""
    client_aborts: int
    """Requests that the client gave up."""
    chosen: int
    """Requests for which a tester chose the revision."""
    p50_us: int
    """Median time to the first byte of the answer in microseconds; 0 without requests."""
    p99_us: int
    """The 99th percentile of it."""
    max_us: int
    """The longest."""
    latency: List[Bucket]
    """The distribution, ascending, without empty buckets. The bounds are the same in every answer."""
    in_flight: int
    """Requests and WebSockets under way now."""


@dataclass
class Measurements:
    """What was measured of a service. Times are milliseconds since 1970 by the router's clock."""
    from_ms: int
    """When the window begins: whole seconds."""
    to_ms: int
    """When it ends."""
    now_ms: int
    """The router's clock: where the next window begins."""
    since_ms: int
    """Since when the router has measured without a gap."""
    revisions: List[Measured]
    """By revision."""
    unserved: int
    """Requests that no revision could take."""


class Verdict(str, Enum):
    """What an analysis says of the new revision."""
    PASS = "pass"
    """Enough was seen, and nothing was wrong."""
    FAIL = "fail"
    """It is bad."""
    INSUFFICIENT_DATA = "insufficient-data"
    """Nobody can say yet."""
    ERROR = "error"
    """The source of the numbers does not work."""


@dataclass(kw_only=True)
class Judgement:
    """A judgement, for the record."""
    revision: str
    """The revision that was judged."""
    metric: str
    """What judged it: the metric's name, or the check's."""
    verdict: Verdict = Verdict.PASS
    """What it says."""
    next: str
    """What follows from it, as `abort`."""
    reason: str
    """Why, with the numbers."""


register(
    "traffic",
    __name__,
    types={
        "error": {"variant": {"denied": "string", "not-found": "string", "conflict": "string", "unsafe": "string", "invalid": "string", "unavailable": "string", "unsupported": "string", "other": "string"}},
        "replica-state": {"record": {"container": "string", "id": "string", "port": "u16", "address": "string", "ready": "bool", "because": "option<string>", "serving": "bool", "draining": "bool", "in-flight": "u64"}},
        "revision-state": {"record": {"name": "string", "weight": "u32", "share": "u32", "cap": "u32", "ready": "u32", "replicas": "u32", "in-flight": "u64", "endpoints": "list<traffic.replica-state>"}},
        "open-deployment": {"record": {"run": "string", "revision": "string", "previous": "option<string>", "strategy": "string", "committed": "bool"}},
        "state": {"record": {"service": "string", "generation": "u64", "current": "option<string>", "revisions": "list<traffic.revision-state>", "deployment": "option<traffic.open-deployment>", "unserved": "u32", "listeners": "list<string>"}},
        "route": {"record": {"host": "option<string>", "path": "string", "listeners": "list<string>", "revision": "option<string>"}},
        "sticky": {"record": {"cookie": "string", "max-age-s": "option<u64>"}},
        "router-check": {"record": {"path": "option<string>", "interval-ms": "u64", "timeout-ms": "u64", "up-after": "u32", "down-after": "u32"}},
        "deployment": {"record": {"service": "string", "revision": "string", "strategy": "string", "routes": "list<traffic.route>", "replicas": "u32", "sticky": "option<traffic.sticky>", "override-header": "option<string>", "check": "option<traffic.router-check>", "connect-timeout-ms": "u64", "read-timeout-ms": "u64", "downtime": "bool", "details": "list<value.pair>"}},
        "replica": {"record": {"container": "string", "port": "u16", "ready": "bool"}},
        "split": {"record": {"revision": "string", "weight": "u32"}},
        "drained": {"record": {"done": "bool", "in-flight": "u64", "cut": "u64"}},
        "bucket": {"record": {"le-us": "u64", "count": "u64"}},
        "measured": {"record": {"revision": "string", "requests": "u64", "errors": "u64", "classes": "list<u64>", "unreachable": "u64", "client-aborts": "u64", "chosen": "u64", "p50-us": "u64", "p99-us": "u64", "max-us": "u64", "latency": "list<traffic.bucket>", "in-flight": "u64"}},
        "measurements": {"record": {"from-ms": "u64", "to-ms": "u64", "now-ms": "u64", "since-ms": "u64", "revisions": "list<traffic.measured>", "unserved": "u64"}},
        "verdict": {"enum": ["pass", "fail", "insufficient-data", "error"]},
        "judgement": {"record": {"revision": "string", "metric": "string", "verdict": "traffic.verdict", "next": "string", "reason": "string"}},
    },
    functions={
        "read": {"params": {"service": "string"}, "answer": "traffic.state"},
        "begin": {"params": {"deployment": "traffic.deployment"}, "answer": "traffic.state"},
        "set-replicas": {"params": {"service": "string", "revision": "string", "replicas": "list<traffic.replica>"}, "answer": "traffic.state"},
        "shift": {"params": {"service": "string", "weights": "list<traffic.split>"}, "answer": "traffic.state"},
        "hold": {"params": {"service": "string", "limit-ms": "u64"}, "answer": None},
        "release": {"params": {"service": "string"}, "answer": None},
        "drain": {"params": {"service": "string", "revision": "string", "container": "option<string>", "limit-ms": "u64"}, "answer": "traffic.drained"},
        "take-down": {"params": {"service": "string"}, "answer": "traffic.state"},
        "commit": {"params": {"service": "string"}, "answer": "traffic.state"},
        "abort": {"params": {"service": "string", "drain-ms": "u64"}, "answer": None},
        "retire": {"params": {"service": "string", "revision": "string"}, "answer": "traffic.state"},
        "finish": {"params": {"service": "string"}, "answer": None},
        "measure": {"params": {"service": "string", "from-ms": "option<u64>", "last-ms": "u64"}, "answer": "traffic.measurements"},
        "judge": {"params": {"service": "string", "judgement": "traffic.judgement"}, "answer": None},
    },
)


def read(service: str) -> State:
    """Asks how a service stands. `not-found` if it was never deployed.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.read", service)


def begin(deployment: Deployment) -> State:
    """Reserves the service for this run, and makes it if it is new. The revisions that are there go on as they were.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.begin", deployment)


def set_replicas(service: str, revision: str, replicas: Sequence[Replica] = ()) -> State:
    """Says which containers a revision consists of. Leaving one out, or not vouching for it, takes it out of the
    traffic; that is refused where the others do not carry the revision's weight.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.set-replicas", service, revision, replicas)


def shift(service: str, weights: Sequence[Split] = ()) -> State:
    """Sets the weights of all revisions; those that are not named get none. They add up to 10000.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.shift", service, weights)


def hold(service: str, limit_ms: int) -> None:
    """Lets new requests wait until `release`, or until the time is over: 60 seconds at most.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.hold", service, limit_ms)


def release(service: str) -> None:
    """Lets held requests go on.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.release", service)


def drain(service: str, revision: str, container: Optional[str], limit_ms: int) -> Drained:
    """Lets what is under way finish: of a revision without weight, or of one of its containers that is not vouched
    for. Waits for it, and cuts what is left when the time is over.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.drain", service, revision, container, limit_ms)


def take_down(service: str) -> State:
    """Takes all weights away: nothing serves. Needs a deploy that was begun with `downtime`.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.take-down", service)


def commit(service: str) -> State:
    """Makes the new revision, which has all of the weight, the service's own. From here on there is no way back but
    another deploy.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.commit", service)


def abort(service: str, drain_ms: int) -> None:
    """Gives the previous revision all of the traffic back and ends the deploy: starts its containers again where they
    were stopped, and takes the new revision out. Fine if no deploy of this run is open.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.abort", service, drain_ms)


def retire(service: str, revision: str) -> State:
    """Takes a revision without weight, which is not the service's own, out of the router.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.retire", service, revision)


def finish(service: str) -> None:
    """Ends the deploy after its commit.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.finish", service)


def measure(service: str, from_ms: Optional[int], last_ms: int) -> Measurements:
    """Reads what was measured from a moment on, by the router's clock; without it, the last so many milliseconds.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.measure", service, from_ms, last_ms)


def judge(service: str, judgement: Judgement) -> None:
    """Writes a judgement into the record of the deploy.

    Raises `Error`, or one of its kinds.
    """
    return call("traffic.judge", service, judgement)
