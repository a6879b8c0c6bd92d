"""``bipn-monitor selftest``: on this machine, as it is installed, is any alert lost when the program is cut off?"""

from __future__ import annotations

import typer

from monitor.cli.options import Format, FormatOption


def selftest(output: FormatOption = Format.TEXT) -> None:
    """End the program where an alert could get lost; say if any did."""
    from dataclasses import asdict
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from monitor.cli.output import emit, emit_json, note
    from monitor.errors import DONE, NEEDS_ATTENTION
    from monitor.service import clock
    from monitor.service import selftest as trying

    note(f"Ends and restarts the program at {len(trying.POINTS)} points, in a folder of its own; takes up to a minute.")
    begun = clock.monotonic_seconds()
    results = []
    with TemporaryDirectory(prefix="bipn-monitor-selftest-") as folder:
        for checked in trying.selftest(Path(folder)):
            results.append(checked)
            if output is Format.TEXT:
                emit(f"{'ok  ' if checked.ok else 'FAIL'}  {checked.words}")
    ok = all(checked.ok for checked in results)
    seconds = round(clock.monotonic_seconds() - begun, 1)
    if output is Format.JSON:
        emit_json({"ok": ok, "seconds": seconds, "points": [asdict(checked) for checked in results]})
    else:
        failed = sum(not checked.ok for checked in results)
        emit(
            f"No alert was lost at {len(results)} points ({seconds:.0f} s)"
            if ok
            else f"{failed} of {len(results)} points FAILED: do not rely on this installation, and report these lines"
        )
    raise typer.Exit(DONE if ok else NEEDS_ATTENTION)
