"""A watched folder, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Duration
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFeed:
    """A folder whose files are imported once and moved to done/ or rejected/ inside it."""

    kind: Annotated[Literal["folder"], Field(description="folder: a folder on this machine that is watched for import files.")]
    path: Annotated[str, Field(description="The folder, relative to this file or a full path. It must be there.", min_length=1)]
    every: Annotated[Duration, Field(description="How often it is looked into.")] = timedelta(seconds=10)
    stable_for: Annotated[Duration, Field(description="A file is taken once its size and time have not changed for so long.")] = (
        timedelta(seconds=10)
    )
    keep: Annotated[
        Duration | None, Field(description="How long files stay in done/ before they are deleted. Default: for good.")
    ] = None
    quiet_after: Annotated[
        Duration | None,
        Field(description="After how long without any new record this feed is reported as quiet. Default: feed_quiet_after."),
    ] = None


def check_folder(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed. That the folder is there is seen each time: a share may come later."""
    written = document.get((*here, "path"), str)
    if written is None:
        return
    if "\0" in written:
        yield document.at((*here, "path"), "wrong-value", "the path of a folder is expected")
        return
    base = document.path.resolve().parent
    for other in document.get(("feeds",), dict) or ():
        if other == here[-1]:
            return
        theirs = document.get(("feeds", other, "path"), str)
        if theirs is not None and "\0" not in theirs and (base / theirs).resolve() == (base / written).resolve():
            message = f"feed '{other}' watches this folder already: a file would belong to whichever comes first"
            yield document.at((*here, "path"), "duplicate-folder", message)
