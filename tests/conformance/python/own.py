"""What Python has beside the contract: its own ways onto it."""

from __future__ import annotations

import logging
import os
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Callable

from windlass import Failure, artifacts, docker, http, secret


def _outcome(act: Callable[[], Any]) -> Any:
    """What `act` gives, or what it raises."""
    try:
        return act()
    except Exception as error:
        return {"name": type(error).__name__, "message": str(error)}


def requests() -> Any:
    """HTTP requests."""
    plain = http.get("http://localhost:8080/api")
    posted = http.post(
        "http://localhost:8080/api",
        params={"x": "ü"},
        headers={"Authorization": secret("token"), "X-Plain": "plain"},
        json={"a": "grüße"},
        timeout=5,
        redirects=0,
        max_body=1024,
    )
    sent = http.put("http://localhost:8080/api", data=b"\x00\xff")
    return {
        "plain": [plain.ok, plain.status, plain.url, plain.header("Content-Type"), plain.json()],
        "posted": [posted.ok, posted.status, posted.text],
        "sent": list(sent.body),
        "missing": _outcome(lambda: http.get("http://localhost:8080/api").raise_for_status()),
        "refused": _outcome(lambda: http.get("http://localhost:8080/api")),
    }


def printed() -> Any:
    """Everything that prints."""
    print("printed", 1, "grüße ✓", sep=", ")
    print("half of it, ", end="")
    print("and the rest")
    print("of the errors", file=sys.stderr)
    logging.getLogger("mine").warning("logged %s", 5)
    logging.info("more")
    print("without an end", end="")
    return {}


def chance() -> Any:
    """What nobody knows before."""
    return {
        "random": random.random(),
        "bytes": list(os.urandom(8)),
        "uuid": str(uuid.uuid4()),
        "now": time.time(),
        "hash": hash("text"),
    }


def wait() -> Any:
    """Time passes."""
    before = time.monotonic()
    time.sleep(0.02)
    return {"waited": time.monotonic() - before >= 0.02}


def files() -> Any:
    """Files of granted folders."""
    made = Path("dist/made")
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "b.txt").write_text("grüße ✓", encoding="utf-8")
    (made / "a.bin").write_bytes(bytes([0, 255, 10]))
    (made / "deep" / "b.txt").rename(made / "c.txt")
    (made / "deep").rmdir()
    return {
        "given": Path("data/a").read_text(encoding="utf-8"),
        "names": sorted(os.listdir(made)),
        "bytes": list((made / "a.bin").read_bytes()),
        "kinds": [Path("data").is_dir(), Path("data/a").is_file(), Path("data/none").exists()],
        "absent": _outcome(lambda: Path("data/none").read_text()),
        "outside": _outcome(lambda: Path("secret/key").read_text()),
        "above": _outcome(lambda: Path("data/../../key").read_text()),
    }


def environment() -> Any:
    """The step's variables."""
    return dict(os.environ)


def mistakes() -> Any:
    """Wrong arguments."""
    wrong: Any = docker
    return {
        "field": _outcome(lambda: wrong.run({"imagee": "x"})),
        "type": _outcome(lambda: wrong.tag("a", 5)),
        "missing": _outcome(lambda: wrong.run({})),
        "range": _outcome(lambda: wrong.stop("a", -1)),
        "choice": _outcome(lambda: wrong.run({"image": "x", "restart": "sometimes"})),
        "kept": _outcome(lambda: artifacts.get("none")),
    }


def throws() -> Any:
    """A failure with its cause."""
    try:
        docker.inspect("web")
    except docker.Unavailable as error:
        raise Failure("cannot look at the database") from error
    return {}


def mistake() -> Any:
    """A mistake of the code."""
    return {}["missing"]


def leaves() -> Any:
    """Ends as a program would."""
    sys.exit("not today")


def undescribed() -> Any:
    """An output that nobody knows of."""
    return {"undescribed": True}


OWN: dict[str, Callable[[], Any]] = {
    each.__name__: each
    for each in (
        requests,
        printed,
        chance,
        wait,
        files,
        environment,
        mistakes,
        throws,
        mistake,
        leaves,
        undescribed,
    )
}
