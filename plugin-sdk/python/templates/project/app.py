"""What the plugin does."""

from dataclasses import dataclass
from typing import Annotated

from windlass import Failure, plugin


@dataclass
class With:
    """What a step gives to the plugin."""

    name: Annotated[str, "Whom to greet."]


@dataclass
class Outputs:
    """What a step gives to later ones."""

    greeting: Annotated[str, "The greeting."]


@plugin(name="{{name}}", version="0.1.0")
def greet(given: With) -> Outputs:
    """Greets somebody."""
    if not given.name:
        raise Failure("there is nobody to greet")
    greeting = f"hello, {given.name}"
    print(greeting)
    return Outputs(greeting)
