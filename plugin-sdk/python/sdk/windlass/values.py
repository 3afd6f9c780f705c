"""Values between Python and the contract."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Iterable, Mapping, Tuple, Union


@dataclass(frozen=True)
class Secret:
    """The name of a secret in `[secrets]` of `pipeline.toml`. A plugin never holds the secret itself."""

    secret: str


def secret(name: str) -> Secret:
    """Stands for a secret wherever a `Value` is wanted: the host puts it in at the edge."""
    return Secret(name)


Value = Union[str, Secret]
"""Text, or a secret: an environment variable, a header, a credential."""

class Duration(int):
    """A time in milliseconds. In `with` it is text, as `"90s"` or `"1m30s"`."""

    PATTERN: ClassVar[str] = r"^([0-9]+(\.[0-9]+)?(ms|s|m|min|h|d) *)+$"

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Reads the written form."""
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|min|s|m|h|d) *", text)
        if not re.fullmatch(cls.PATTERN, text):
            raise ValueError(f'"{text}" is no time like "90s" or "1m30s"')
        return cls(round(sum(float(number) * _TIMES[unit] for number, unit in parts)))


class Size(int):
    """A size in bytes. In `with` it is text, as `"256MiB"`."""

    PATTERN: ClassVar[str] = r"^[0-9]+(\.[0-9]+)? *(B|[kK]B|[MGT]B|[KMGT]iB)$"

    @classmethod
    def parse(cls, text: str) -> Size:
        """Reads the written form."""
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z]+)", text)
        if found is None or found[2] not in _SIZES:
            raise ValueError(f'"{text}" is no size like "256MiB"')
        return cls(round(float(found[1]) * _SIZES[found[2]]))


_TIMES = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}

_SIZES = {
    **{"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40},
}

Pairs = Union[Mapping[str, str], Iterable[Tuple[str, str]]]
"""Names with text."""

Values = Union[Mapping[str, Value], Iterable[Tuple[str, Value]]]
"""Names with values that may be secret."""


class Variant:
    """One of several forms: made by the class methods that are named after them."""

    def __init__(self, case: str, value: Any = None) -> None:
        self.case = case
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (other.case, other.value) == (self.case, self.value)

    def __hash__(self) -> int:
        return hash(self.case)

    def __repr__(self) -> str:
        value = "" if self.value is None else repr(self.value)
        return f"{type(self).__name__}.{self.case.replace('-', '_')}({value})"
