"""Values of the contract as the journal writes them, and as Python has them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from windlass import _calls
from windlass._calls import snake as snake

FUNCTIONS = _calls.functions()

# What is too long for an output is told by its size and sum.
_LONG = 64 * 1024


def given(type_: str, json: Any) -> Any:
    """A value of this type from JSON."""
    generic, inner = _calls.parts(type_)
    if generic == "option":
        return None if json is None else given(inner, json)
    if generic == "list" and inner == "u8":
        return json if isinstance(json, str) else bytes(json)
    if generic == "list":
        return [given(inner, item) for item in json]
    if type_ == "value.value" or "." not in type_:
        return json
    shape = _calls.shape(type_)
    if "record" in shape:
        fields = {snake(name): given(shape["record"][name], value) for name, value in json.items()}
        # Each kind of record goes through its class, as a plugin's author would write it.
        return _calls.made(type_)(**fields)
    if "enum" in shape:
        return _calls.made(type_)(json)
    variant = _calls.made(type_)
    if isinstance(json, str):
        return getattr(variant, snake(json))()
    [(case, value)] = json.items()
    return getattr(variant, snake(case))(given(shape["variant"][case], value))


def told(type_: str, value: Any) -> Any:
    """A value of this type as JSON."""
    generic, inner = _calls.parts(type_)
    if generic == "option":
        return None if value is None else told(inner, value)
    if generic == "list" and inner == "u8":
        return _bytes(value)
    if generic == "list":
        return [told(inner, item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if "." not in type_:
        return value
    record = _calls.shape(type_)["record"]
    return {name: told(of, getattr(value, snake(name))) for name, of in record.items()}


def _bytes(value: bytes) -> Any:
    if len(value) > _LONG:
        return {"size": len(value), "sum": sum(value) % 2**32}
    try:
        return value.decode()
    except UnicodeDecodeError:
        return list(value)
