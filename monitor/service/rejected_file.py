"""``<file>.rejected.csv``: the rows of a file that were refused, as they were, each with its place and what to do."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.importers.imported import ImportedFile, Rejected
from monitor.importers.names import REJECTED


def rejected_path(path: Path) -> Path:
    """Where the rejected rows of a file are written: beside it."""
    return path.with_name(path.name + REJECTED)


def write_rejected(path: Path, parts: Sequence[ImportedFile]) -> str | None:
    """Write the rejected rows beside the file, for its owner alone; remove what an earlier import left there.

    Returns what went wrong, in words, or None.
    """
    target = rejected_path(path)
    refused = [part for part in parts if part.rejected_rows or (part.items is not None and part.rejected)]
    try:
        if not refused:
            target.unlink(missing_ok=True)
            return None
        # A new file in place of the old: nobody reads half of it, and no link in a shared folder is followed.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            try:
                for imported in refused:
                    csv.writer(file, lineterminator="\n").writerows(_lines(imported))
                file.flush()
                unfinished.replace(target)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        return f"{target}: the rejected rows could not be written there: {error.strerror}"
    return None


def _lines(imported: ImportedFile) -> Iterator[list[str]]:
    """The header and every rejected row, with sheet, line, columns and problems; surplus cells come last."""
    if imported.items is not None:  # records that are no lines of cells: they are named
        yield ["record", "line", "column", "problem"]
        for each in imported.rejected:
            yield [each.record or "", "" if each.line is None else str(each.line), each.column or "", each.problem]
        return
    width = len(imported.header)
    sheet = ([], []) if imported.sheet is None else (["sheet"], [imported.sheet])
    yield [*imported.header, *sheet[0], "line", "column", "problem"]
    problems: dict[int, list[Rejected]] = {}
    for each in imported.rejected:
        problems.setdefault(each.line or 0, []).append(each)
    for row in imported.rejected_rows:
        found = problems[row.line]
        yield [
            *(*row.cells, *[""] * width)[:width],
            *sheet[1],
            str(row.line),
            "; ".join(each.column for each in found if each.column),
            "; ".join(f"{each.column}: {each.problem}" if len(found) > 1 else each.problem for each in found),
            *row.cells[width:],
        ]
