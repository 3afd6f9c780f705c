"""From functions of Python to those of the host, whose types componentize-py makes when the plugin is built.

What a plugin passes may have easy forms: a mapping for a record, text for bytes, a mapping for a list of names with
values. What it gets are always the dataclasses of `windlass.interfaces`.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Optional

from .values import Secret, Variant

running = False
"""Whether a step runs: while a plugin is built, there is no host yet."""

_tables: dict[str, dict[str, Any]] = {}


def register(interface: str, module: str, *, types: dict[str, Any], functions: dict[str, Any]) -> None:
    """Makes the types and functions of an interface known."""
    try:
        host: Any = importlib.import_module(f"wit_world.imports.{interface}")
    except ImportError:
        # The plugin is not in a component: a test of its author has imported it.
        host = None
    _tables[interface] = {"types": types, "functions": functions, "module": sys.modules[module], "host": host}


def functions() -> dict[str, dict[str, Any]]:
    """The functions of all interfaces by their names, as `docker.inspect-image`: their parameters and answers."""
    return {f"{name}.{of}": spec for name, table in _tables.items() for of, spec in table["functions"].items()}


def shape(type_: str) -> dict[str, Any]:
    """What a named type consists of: `{"record": ...}`, `{"enum": ...}` or `{"variant": ...}`."""
    interface, name = type_.split(".")
    return _tables[interface]["types"][name]


def made(type_: str) -> Any:
    """The class of a named type."""
    interface, name = type_.split(".")
    return getattr(_tables[interface]["module"], pascal(name))


def call(function: str, *args: Any) -> Any:
    """Calls a function of the host."""
    interface, name = function.split(".")
    table = _tables[interface]
    spec = table["functions"][name]
    params = spec["params"].items()
    lowered = [lower(type_, arg, f"{function}: {snake(param)}") for (param, type_), arg in zip(params, args)]
    if table["host"] is None:
        raise RuntimeError(f"{function} needs a host: build the plugin, and test it with `windlass plugin test`")
    if not running:
        raise RuntimeError(f"{function} is called while the plugin is built: call it when a step runs")
    try:
        answer = getattr(table["host"], snake(name))(*lowered)
    except Exception as error:
        raised = _error(table, function, error)
        if raised is None:
            raise
        raise raised from None
    return None if spec["answer"] is None else lift(spec["answer"], answer)


def _error(table: dict[str, Any], function: str, error: Exception) -> Optional[Exception]:
    # componentize_py_types.Err, whose value is an instance of a class Error_NotFound.
    value = getattr(error, "value", None)
    prefix, _, case = type(value).__name__.partition("_")
    if prefix != "Error" or not case:
        return None
    return getattr(table["module"], case)(value.value, call=function)


def _wrong(place: str, wanted: str, value: Any) -> TypeError:
    return TypeError(f"{place} has to be {wanted}, not {type(value).__name__}")


_RANGES = {
    "u8": (0, 2**8 - 1),
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "s32": (-(2**31), 2**31 - 1),
    "s64": (-(2**63), 2**63 - 1),
}


def lower(type_: str, value: Any, place: str) -> Any:
    """A value as the host takes it. `place` says what it is, for whoever passed a wrong one."""
    generic, inner = parts(type_)
    if generic == "option":
        return None if value is None else lower(inner, value, place)
    if generic == "list":
        return _bytes(value, place) if inner == "u8" else _list(inner, value, place)
    if type_ == "string":
        if not isinstance(value, str):
            raise _wrong(place, "text", value)
        return value
    if type_ == "bool":
        if not isinstance(value, bool):
            raise _wrong(place, "true or false", value)
        return value
    if type_ == "f64":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(place, "a number", value)
        return float(value)
    if type_ in _RANGES:
        least, most = _RANGES[type_]
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(place, "a whole number", value)
        if not least <= value <= most:
            raise ValueError(f"{place} has to be from {least} to {most}, not {value}")
        return value
    return _named(type_, value, place)


def _bytes(value: Any, place: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise _wrong(place, "bytes or text", value)


def _list(inner: str, value: Any, place: str) -> list[Any]:
    items = value.items() if isinstance(value, Mapping) and inner in ("value.pair", "value.named-value") else value
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise _wrong(place, "a list", value)
    return [lower(inner, item, f"{place}[{at}]") for at, item in enumerate(items)]


def _named(type_: str, value: Any, place: str) -> Any:
    interface, name = type_.split(".")
    host = _tables[interface]["host"]
    spec = shape(type_)
    if "record" in spec:
        fields = _fields(type_, value, place)
        lowered = {}
        for field, of in spec["record"].items():
            if snake(field) not in fields:
                raise TypeError(f"{place}.{snake(field)} is left out")
            lowered[snake(field)] = lower(of, fields[snake(field)], f"{place}.{snake(field)}")
        return getattr(host, pascal(name))(**lowered) if host else lowered
    if "enum" in spec:
        case = value.value if isinstance(value, Enum) else value
        if case not in spec["enum"]:
            raise ValueError(f"{place} has to be one of {', '.join(spec['enum'])}, not {value!r}")
        return getattr(getattr(host, pascal(name)), snake(case).upper()) if host else case
    case, payload = _case(value, spec["variant"], place)
    of = spec["variant"][case]
    if not host:
        return case
    kind = getattr(host, f"{pascal(name)}_{pascal(case)}")
    return kind() if of is None else kind(lower(of, payload, f"{place}.{snake(case)}"))


def _fields(type_: str, value: Any, place: str) -> dict[str, Any]:
    """The fields of a record, with what stands for those that are left out."""
    class_ = made(type_)
    if type_ in ("value.pair", "value.named-value") and isinstance(value, (tuple, list)) and len(value) == 2:
        return {"name": value[0], "value": value[1]}
    if isinstance(value, Mapping):
        known = [field.name for field in dataclasses.fields(class_)]
        unknown = next((key for key in value if key not in known), None)
        if unknown is not None:
            raise TypeError(f"{place} has no field {unknown}: there are {', '.join(known)}")
        defaults = {
            field.name: field.default
            for field in dataclasses.fields(class_)
            if field.default is not dataclasses.MISSING
        }
        return {**defaults, **value}
    if not isinstance(value, class_):
        raise _wrong(place, f"a {class_.__name__}", value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(class_)}


def _case(value: Any, cases: dict[str, Any], place: str) -> tuple[str, Any]:
    if isinstance(value, Variant) and value.case in cases:
        return value.case, value.value
    if "plain" in cases and isinstance(value, str):
        return "plain", value
    if isinstance(value, Secret) and "secret" in cases:
        return "secret", value.secret
    if isinstance(value, str) and value in cases and cases[value] is None:
        return value, None
    if isinstance(value, Mapping) and len(value) == 1:
        [(case, payload)] = value.items()
        case = str(case).replace("_", "-")
        if cases.get(case) is not None:
            return case, payload
    raise _wrong(place, f"one of {', '.join(cases)}", value)


def lift(type_: str, value: Any) -> Any:
    """A value of the host as a plugin gets it."""
    generic, inner = parts(type_)
    if generic == "option":
        return None if value is None else lift(inner, value)
    if generic == "list":
        return bytes(value) if inner == "u8" else [lift(inner, item) for item in value]
    if "." not in type_:
        return value
    spec = shape(type_)
    if "record" in spec:
        fields = {snake(field): lift(of, getattr(value, snake(field))) for field, of in spec["record"].items()}
        return made(type_)(**fields)
    if "enum" in spec:
        return made(type_)(value.name.lower().replace("_", "-"))
    raise TypeError(f"the host does not answer with a {type_}")


def parts(type_: str) -> tuple[str, str]:
    """`list<string>` as `list` and `string`; a type that is neither list nor option is nothing and itself."""
    generic, bracket, inner = type_.partition("<")
    return (generic, inner[:-1]) if bracket else ("", type_)


def snake(name: str) -> str:
    """`image-id` as `image_id`."""
    return name.replace("-", "_")


def pascal(name: str) -> str:
    """`image-id` as `ImageId`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("-"))
