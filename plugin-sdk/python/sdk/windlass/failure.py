"""Why a step failed, in words for people."""

from __future__ import annotations

from typing import ClassVar, Optional


class Failure(Exception):
    """Why a step failed: raised by a plugin, and told to the person who runs the pipeline.

    The message says what failed and why, the hint what to do next. The message of the exception that it is raised
    `from` is added.
    """

    def __init__(self, message: str, *, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CapabilityError(Failure):
    """A call that the host answered with an error. Each interface has its own kinds: `docker.NotFound`, say."""

    code: ClassVar[str] = "other"
    """Which kind of error, as the contract names it."""

    def __init__(self, message: str, *, call: str = "") -> None:
        capability = call.partition(".")[0]
        # An error without words would make an empty failure.
        super().__init__(message or f"{call}: {self.code}", hint=_HINTS.get(f"{capability}.{self.code}"))
        self.call = call
        """The function that was called, as `docker.inspect`."""


_DOCKER = "is Docker running? `windlass doctor` looks"

# The host's messages say what failed; which capability it was says what to do about it. A denial names the grant that
# is missing itself.
_HINTS = {
    "docker.unavailable": _DOCKER,
    "docker.registry-unavailable": "is the registry's name right, and is it running?",
    "docker.unauthorized": "check the credentials of the step, or log in at the registry",
    "docker.port-in-use": "choose another port on the host, or leave it out to get one that is free",
    "docker.disk-full": "`docker system prune` frees what is not used",
    "health.unavailable": _DOCKER,
    "query.unavailable": "is Prometheus running, and is its URL right?",
    "traffic.unavailable": "`windlass router status` looks; `windlass router start` starts the router",
}


def told(raised: BaseException) -> tuple[str, Optional[str]]:
    """Anything that was raised, as a message and a hint."""
    message = _words(raised)
    hint = getattr(raised, "hint", None)
    cause = raised.__cause__
    while cause is not None:
        message += f": {_words(cause)}"
        hint = hint or getattr(cause, "hint", None)
        cause = cause.__cause__
    return message, hint if isinstance(hint, str) else None


def _words(raised: BaseException) -> str:
    if isinstance(raised, SystemExit):
        return f"exited with {raised.code}"
    text = str(raised)
    # The name of a plain exception says nothing, that of others often more than their text.
    plain = isinstance(raised, Failure) or type(raised) in (Exception, RuntimeError)
    name = type(raised).__name__
    return text if text and plain else f"{name}: {text}" if text else name
