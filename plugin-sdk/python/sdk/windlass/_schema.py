"""JSON Schemas of dataclasses, and values of one from JSON.

A field `dry_run` is the key `dry-run`; `Annotated[str, "What it means."]` says what it means.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from enum import Enum
from typing import Any, Union, get_args, get_origin

from .values import Duration, Secret, Size, Value

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    list: {"type": "array"},
    dict: {"type": "object"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
}

_SECRET = {
    "type": "object",
    "properties": {"secret": {"type": "string", "description": "The name of a secret in `[secrets]`."}},
    "required": ["secret"],
    "additionalProperties": False,
}


def key(field: str) -> str:
    """`dry_run` as `dry-run`, and `from_` as `from`."""
    return field.rstrip("_").replace("_", "-")


def hints(of: Any) -> dict[str, Any]:
    """The annotations of a class or function, those in text as well."""
    return typing.get_type_hints(of, include_extras=True)


def bare(hint: Any) -> tuple[Any, str]:
    """A type without `Annotated`, and what that said."""
    if get_origin(hint) is typing.Annotated:
        inner, *notes = get_args(hint)
        return inner, next((note for note in notes if isinstance(note, str)), "")
    return hint, ""


def _is_union(origin: Any) -> bool:
    return origin is Union or origin is types.UnionType


def schema(hint: Any) -> dict[str, Any]:
    """The schema of a type."""
    hint, said = bare(hint)
    made = _schema(hint)
    return {**made, "description": said} if said else made


def _schema(hint: Any) -> dict[str, Any]:
    if hint == Value:
        return {**_SECRET, "type": ["string", "object"]}
    if hint is Secret:
        return dict(_SECRET)
    if hint in (Duration, Size):
        return {"type": "string", "pattern": hint.PATTERN}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, args = get_origin(hint), get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(args)}
    if _is_union(origin):
        # TOML has no null: what is optional is left out.
        choices = [schema(choice) for choice in args if choice is not type(None)]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin in (list, tuple, set, frozenset) or getattr(origin, "__name__", "") in ("Sequence", "Iterable"):
        return {"type": "array", "items": schema(args[0])}
    if origin is dict or getattr(origin, "__name__", "") == "Mapping":
        return {"type": "object", "additionalProperties": schema(args[1])}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [case.value for case in hint]}
    if dataclasses.is_dataclass(hint):
        return _record(hint)
    raise TypeError(f"{hint!r} has no JSON Schema: use what JSON has, dataclasses, enums, Value or Secret")


def _record(class_: Any) -> dict[str, Any]:
    all_hints = hints(class_)
    fields = [field for field in dataclasses.fields(class_) if field.init]
    required = [key(field.name) for field in fields if not _has_default(field)]
    made: dict[str, Any] = {
        "type": "object",
        "properties": {key(field.name): _property(field, all_hints[field.name]) for field in fields},
        "additionalProperties": False,
    }
    if required:
        made["required"] = required
    return made


def _property(field: Any, hint: Any) -> dict[str, Any]:
    made = schema(hint)
    default = field.default
    if isinstance(default, (str, int, float)) and not isinstance(default, (Duration, Enum, Size)):
        made["default"] = default
    return made


def _has_default(field: Any) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def read(hint: Any, value: Any) -> Any:
    """A value of a type from JSON, which the host has held against the schema."""
    hint, _ = bare(hint)
    if hint == Value or hint is Secret:
        return Secret(value["secret"]) if isinstance(value, dict) else value
    if hint in (Duration, Size):
        return hint.parse(value)
    origin, args = get_origin(hint), get_args(hint)
    if _is_union(origin):
        return _first(args, value)
    if origin in (set, frozenset, tuple):
        return origin(read(args[0], item) for item in value)
    if isinstance(value, list) and args:
        return [read(args[0], item) for item in value]
    if isinstance(value, dict) and origin is not None and len(args) == 2:
        return {name: read(args[1], item) for name, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        all_hints = hints(hint)
        names = {key(field.name): field.name for field in dataclasses.fields(hint) if field.init}
        return hint(**{names[name]: read(all_hints[names[name]], item) for name, item in value.items()})
    return float(value) if hint is float and not isinstance(value, bool) else value


def _first(choices: Any, value: Any) -> Any:
    """The value as the first of the choices that it fits."""
    for choice in choices:
        if _fits(choice, value):
            return read(choice, value)
    return value


def _fits(hint: Any, value: Any) -> bool:
    hint, _ = bare(hint)
    origin = get_origin(hint)
    if isinstance(value, dict):
        if dataclasses.is_dataclass(hint):
            fields = [field for field in dataclasses.fields(hint) if field.init]
            names = {key(field.name) for field in fields}
            needed = {key(field.name) for field in fields if not _has_default(field)}
            return needed <= set(value) <= names
        return hint is Secret and set(value) == {"secret"} or dict in (hint, origin)
    if isinstance(value, list):
        return list in (hint, origin)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in [case.value for case in hint]
    if hint in (Duration, Size):
        return isinstance(value, str) and re.fullmatch(hint.PATTERN, value) is not None
    return origin is None and isinstance(hint, type) and isinstance(value, hint)


def plain(value: Any) -> Any:
    """A value as JSON can hold it; what is None is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {key(name): plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value
