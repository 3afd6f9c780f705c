"""The step's log. Needs no grant. `print` and `logging` write to it as well."""

from __future__ import annotations

import io
import logging
import sys

from .interfaces.log import Level as Level
from .interfaces.log import log as log


def debug(message: object) -> None:
    """Logs detail for the plugin's author."""
    log(Level.DEBUG, str(message))


def info(message: object) -> None:
    """Logs what the step does."""
    log(Level.INFO, str(message))


def warn(message: object) -> None:
    """Logs that something is off, and the step goes on."""
    log(Level.WARN, str(message))


def error(message: object) -> None:
    """Logs that something failed."""
    log(Level.ERROR, str(message))


class Lines(io.TextIOBase):
    """A stream whose lines go to the log."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            log(self._level, line)
        return len(text)

    def end(self) -> None:
        """Writes what has no end of a line yet."""
        if self._begun:
            begun, self._begun = self._begun, ""
            log(self._level, begun)


class Handler(logging.Handler):
    """Writes the records of `logging`."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelno
        if level >= logging.ERROR:
            kind = Level.ERROR
        elif level >= logging.WARNING:
            kind = Level.WARN
        elif level >= logging.INFO:
            kind = Level.INFO
        else:
            kind = Level.DEBUG
        log(kind, self.format(record))


class Captured:
    """While it lasts, `print` and `logging` write to the step's log."""

    def __enter__(self) -> None:
        self._before = sys.stdout, sys.stderr
        self._lines = Lines(Level.INFO), Lines(Level.WARN)
        sys.stdout, sys.stderr = self._lines
        root = logging.getLogger()
        if not root.handlers:
            root.addHandler(Handler())
            root.setLevel(logging.INFO)

    def __exit__(self, *_: object) -> None:
        for lines in self._lines:
            lines.end()
        sys.stdout, sys.stderr = self._before
