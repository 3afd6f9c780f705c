"""What needs no host: `python3 -m unittest discover plugin-sdk/python/tests`."""

from __future__ import annotations

import sys
import unittest
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

sys.path.insert(0, str(Path(__file__).parents[1] / "sdk"))

from windlass import Duration, Failure, Secret, Size, Value, _calls, _schema, docker, failure, secret, traffic  # noqa: E402


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass
class Inner:
    x: int
    y: Annotated[Optional[str], "Why."] = None


@dataclass
class With:
    image: Annotated[str, "The image."]
    dry_run: bool = False
    timeout: Duration = Duration(5)
    limit: Optional[Size] = None
    mode: Mode = Mode.FAST
    many: list[Inner] = field(default_factory=list)
    env: dict[str, Value] = field(default_factory=dict)
    from_: Literal["a", "b"] = "a"
    either: Union[str, list[str], Inner, None] = None


class Schemas(unittest.TestCase):
    def test_a_dataclass_says_what_is_right(self) -> None:
        schema = _schema.schema(With)
        self.assertEqual(schema["required"], ["image"])
        self.assertIs(schema["additionalProperties"], False)
        properties = schema["properties"]
        self.assertEqual(properties["image"], {"type": "string", "description": "The image."})
        self.assertEqual(properties["dry-run"], {"type": "boolean", "default": False})
        self.assertEqual(properties["mode"], {"enum": ["fast", "slow"]})
        self.assertEqual(properties["from"], {"enum": ["a", "b"], "default": "a"})
        self.assertEqual(properties["env"]["additionalProperties"]["type"], ["string", "object"])
        self.assertEqual(properties["many"]["items"]["required"], ["x"])

    def test_json_becomes_a_dataclass(self) -> None:
        given = {
            "image": "i",
            "dry-run": True,
            "timeout": "1m30s",
            "limit": "1KiB",
            "mode": "slow",
            "many": [{"x": 1, "y": "z"}],
            "env": {"A": "b", "T": {"secret": "t"}},
            "from": "b",
        }
        expected = With(
            image="i",
            dry_run=True,
            timeout=Duration(90_000),
            limit=Size(1024),
            mode=Mode.SLOW,
            many=[Inner(1, "z")],
            env={"A": "b", "T": Secret("t")},
            from_="b",
        )
        self.assertEqual(_schema.read(With, given), expected)
        for either in ("a", ["a"], {"x": 1}):
            read = _schema.read(With, {"image": "i", "either": either}).either
            self.assertEqual(read, Inner(1) if isinstance(either, dict) else either)

    def test_what_has_no_schema_is_told(self) -> None:
        self.assertRaisesRegex(TypeError, "has no JSON Schema", _schema.schema, complex)

    def test_outputs_are_written_as_keys(self) -> None:
        self.assertEqual(_schema.plain(With("i"))["dry-run"], False)
        self.assertEqual(_schema.plain(Inner(1)), {"x": 1})

    def test_times_and_sizes(self) -> None:
        self.assertEqual([Duration.parse(text) for text in ("90s", "1.5h 2min", "5ms")], [90_000, 5_520_000, 5])
        self.assertEqual([Size.parse(text) for text in ("1B", "1.5 kB", "256MiB")], [1, 1500, 268_435_456])
        for wrong in ("", "5", "5x", "5s!"):
            self.assertRaises(ValueError, Duration.parse, wrong)
        for wrong in ("", "5", "5XB", "MB"):
            self.assertRaises(ValueError, Size.parse, wrong)


class Calls(unittest.TestCase):
    def lower(self, type_: str, value: Any) -> Any:
        return _calls.lower(type_, value, "it")

    def test_easy_forms_stand_for_records(self) -> None:
        spec = docker.ContainerSpec(
            image="i", env={"T": secret("t")}, restart=docker.Restart.on_failure(3), labels=[("a", "b")]
        )
        lowered = self.lower("docker.container-spec", spec)
        by_hand = {"image": "i", "env": {"T": secret("t")}, "restart": {"on_failure": 3}, "labels": {"a": "b"}}
        self.assertEqual(lowered, self.lower("docker.container-spec", by_hand))
        self.assertEqual(lowered["labels"], [{"name": "a", "value": "b"}])
        self.assertEqual((lowered["no_network"], lowered["memory"], lowered["networks"]), (False, None, []))

    def test_what_is_wrong_is_told_by_its_place(self) -> None:
        for type_, value, message in (
            ("docker.container-spec", {"imagee": "i"}, "it has no field imagee"),
            ("docker.container-spec", {}, "it.image is left out"),
            ("docker.container-spec", docker.ContainerSpec(image="i", networks="net"), "it.networks has to be a list"),
            ("docker.lifetime", "ever", "it has to be one of run, kept"),
            ("u16", 65_536, "it has to be from 0 to 65535"),
            ("u64", True, "it has to be a whole number, not bool"),
        ):
            self.assertRaisesRegex((TypeError, ValueError), message, self.lower, type_, value)

    def test_without_a_host_a_call_says_so(self) -> None:
        self.assertRaisesRegex(RuntimeError, "needs a host", traffic.read, "shop")


class Failures(unittest.TestCase):
    def test_causes_are_told_and_their_hint_is_kept(self) -> None:
        try:
            try:
                raise docker.Unavailable("no daemon", call="docker.list")
            except docker.Error as error:
                raise Failure("cannot look") from error
        except Failure as raised:
            self.assertEqual(failure.told(raised), ("cannot look: no daemon", "is Docker running? `windlass doctor` looks"))

    def test_a_name_is_told_where_it_says_more(self) -> None:
        self.assertEqual(failure.told(KeyError("a"))[0], "KeyError: 'a'")
        self.assertEqual(failure.told(RuntimeError("why"))[0], "why")
        self.assertEqual(failure.told(docker.NotFound("", call="docker.inspect"))[0], "docker.inspect: not-found")


if __name__ == "__main__":
    unittest.main()
