"""Makes as many calls as it is told to."""

from dataclasses import dataclass
from typing import Annotated

from windlass import log, metrics, plugin


@dataclass
class With:
    """What a step gives to the plugin."""

    log: Annotated[int, "How many lines to log."]
    emit: Annotated[int, "How many measurements to record."]


@plugin(name="meter", version="0.1.0")
def meter(given: With) -> None:
    """Makes as many calls as it is told to."""
    for _ in range(given.log):
        log.info("a line of the log")
    for number in range(given.emit):
        metrics.emit(metrics.Metric(name="meter", value=float(number), unit="1"))
