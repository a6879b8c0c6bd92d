"""A file is put into a watched folder, and the nurse has her mail: by real daemons, also when they end at any step of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.crash_points import EXIT_CODE
from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, assert_told, copies, daemon, is_known, waiting
from tests.smtp_server import SmtpServer

AT_ONCE = 3
SECONDS = 60.0
OWNER = "data@hospital.example"
MORE = f"""\
data_quality:
  owner: {{name: Data office, address: {OWNER}}}
  at: "00:00"
feeds:
  ward: {{kind: folder, path: drop, every: 1 s, stable_for: 1 s}}
"""
POINTS = (
    *(f"{when} commit: {what}" for what in ("import", "refused files", "feed") for when in ("before", "after")),
    "after moving the report",
    "after moving the file",
)


def a_ward(folder: Path, relay: SmtpServer) -> Installation:
    """One patient who is well so far, and a folder that is watched."""
    installed = Installation(folder, relay.port)
    with installed.config.open("a", encoding="utf-8") as config:
        config.write(MORE)
    (folder / "drop").mkdir(exist_ok=True)
    return installed


def drop(installed: Installation) -> None:
    """A fall to a wheelchair, and a row that nobody can read."""
    today = clock.now().date()
    header = "patient_id,assessed_at,ctcae_version,sensory_grade,motor_grade,walking,source_id\n"
    rows = f"P-1,{today},5,1,3,wheelchair,a1\nP-1,{today},5,1,very bad,wheelchair,a2\n"
    part = installed.folder / "drop" / "assessments.csv.part"
    part.write_text(header + rows, encoding="utf-8")
    part.rename(part.with_suffix(""))


def has_happened(installed: Installation) -> bool:
    """Whether the nurse and the owner of the data are told, and the folder is tidy."""
    told = {address for (address,) in installed.rows("SELECT recipient_address FROM messages WHERE state = 'accepted'")}
    left = [path for path in (installed.folder / "drop").iterdir() if path.is_file()]
    return is_known(installed, "P-1") and told >= {*NURSES, OWNER} and not left and not waiting(installed)


def runs_to_the_end(nursery: Nursery, installed: Installation, **environ: str) -> None:
    with daemon(nursery, installed, **environ) as watching:
        end = time.monotonic() + SECONDS
        while watching.code is None and not has_happened(installed):
            assert time.monotonic() < end, "the story did not come to its end"
            time.sleep(0.1)


def assert_taken_once(installed: Installation) -> None:
    """The good row is in once, the bad one is told of once, and file and report are in rejected/."""
    assert installed.rows("SELECT count(*) FROM assessments WHERE source_id IN ('a1', 'a2')") == [(1,)]
    assert len(installed.rows("SELECT id FROM rejects WHERE settled_at IS NULL")) == 1
    (day,) = (installed.folder / "drop" / "rejected").iterdir()
    assert sorted(path.name for path in day.iterdir()) == ["assessments.csv", "assessments.csv.rejected.csv"]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drop") / "ward"
    with SmtpServer() as relay:
        installed = a_ward(folder, relay)
        admit(installed, ("P-1",))
        installed.call("poll")
    return folder


@pytest.fixture(scope="module")
def nursery(ward: Path) -> Iterator[Nursery]:
    with Nursery(Installation(ward, port=1)) as made:
        yield made


def test_given_a_file_in_the_folder_when_the_daemon_watches_then_the_nurse_and_the_owner_of_the_data_have_a_mail(
    nursery: Nursery, ward: Path, tmp_path: Path
) -> None:
    with SmtpServer() as relay:
        shutil.copytree(ward, tmp_path / "ward")
        installed = a_ward(tmp_path / "ward", relay)
        with daemon(nursery, installed):
            drop(installed)
            until(lambda: has_happened(installed), seconds=SECONDS, what="the mails about a dropped file")
        assert_taken_once(installed)
        assert_told(installed, copies(relay.mails), most=1)


def test_given_a_daemon_that_dies_at_any_step_of_a_dropped_file_when_started_again_then_it_is_in_once_and_all_are_told(
    nursery: Nursery, ward: Path, tmp_path: Path
) -> None:
    def crashed_at(point: str) -> str:
        try:
            crash(nursery, ward, tmp_path / point.replace(" ", "-").replace(":", ""), point)
        except AssertionError as error:
            return f"{point}: {error}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(crashed_at, POINTS) if failure]
    assert failures == []


def crash(nursery: Nursery, ward: Path, folder: Path, point: str) -> None:
    """One crash and what came of it."""
    with SmtpServer() as relay:
        shutil.copytree(ward, folder)
        installed = a_ward(folder, relay)
        drop(installed)
        assert nursery.start(installed, "run", BIPN_MONITOR_CRASH_AT=point).wait() == EXIT_CODE, "the point was not reached"
        runs_to_the_end(nursery, installed)
        assert_taken_once(installed)
        assert_told(installed, copies(relay.mails), most=2)
