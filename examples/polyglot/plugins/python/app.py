"""Writes the release notes, in Markdown, and keeps them as an artifact of the run."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from string import Template
from textwrap import fill
from typing import Annotated, Literal

from windlass import Context, artifacts, plugin

HEADINGS = {"breaking": "Breaking changes", "feature": "New", "fix": "Mended", "docs": "Documentation"}
ORDER = list(HEADINGS)
NOTES = Template("# $product $version\n\nReleased on $date.\n\n$sections\n## Files\n\n$files\n")


@dataclass
class Change:
    """A change."""

    issue: int
    kind: Literal["breaking", "feature", "fix", "docs"]
    text: str


@dataclass
class File:
    """A file of the release."""

    name: str
    size: int
    sha256: str


@dataclass
class With:
    """What a step gives to the plugin."""

    product: Annotated[str, "What is released."]
    version: Annotated[str, "Its version."]
    changes: Annotated[list[Change], "What has changed."]
    files: Annotated[list[File], "What there is to be fetched."]


@dataclass
class Outputs:
    """What a step gives to later ones."""

    headline: Annotated[str, "The release in a line."]
    text: Annotated[str, "The notes."]
    artifact: Annotated[str, "The artifact with the notes."]


@plugin(name="notes", version="0.1.0", uses={"artifacts": "to keep the notes"})
def notes(given: With, context: Context) -> Outputs:
    """Writes the release notes."""
    text = NOTES.substitute(
        product=given.product,
        version=given.version,
        date=f"{date.today():%-d %B %Y}",
        sections="\n".join(sections(given.changes)),
        files="\n".join(f"- `{file.name}`, {file.size} bytes, SHA-256 `{file.sha256}`" for file in given.files),
    )
    stored = artifacts.put("notes.md", text)
    print(f"{stored.size} bytes of notes, {stored.digest}")
    context.summary = f"notes on {len(given.changes)} changes"
    return Outputs(headline=headline(given), text=text, artifact=stored.name)


def sections(changes: list[Change]):
    """A section for each kind of change, the most important first."""
    changes = sorted(changes, key=lambda change: (ORDER.index(change.kind), change.issue))
    for kind, those in groupby(changes, key=lambda change: change.kind):
        items = (fill(f"{change.text} (#{change.issue})", 80, initial_indent="- ", subsequent_indent="  ") for change in those)
        yield "## {}\n\n{}\n".format(HEADINGS[kind], "\n".join(items))


def headline(given: With) -> str:
    """What a message to people says."""
    counts = {kind: sum(change.kind == kind for change in given.changes) for kind in ORDER}
    told = ", ".join(f"{count} {HEADINGS[kind].lower()}" for kind, count in counts.items() if count)
    return f"{given.product} {given.version} is out: {told}"
