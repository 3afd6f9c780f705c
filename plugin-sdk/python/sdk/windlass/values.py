"""Values between Python and the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Tuple, Union


@dataclass(frozen=True)
class Secret:
    """The name of a secret in `[secrets]` of `pipeline.toml`. A plugin never holds the secret itself."""

    secret: str


def secret(name: str) -> Secret:
    """Stands for a secret wherever a `Value` is wanted: the host puts it in at the edge."""
    return Secret(name)


Value = Union[str, Secret]
"""Text, or a secret: an environment variable, a header, a credential."""

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
