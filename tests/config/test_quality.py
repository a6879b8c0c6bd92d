"""``data_quality`` and watched folders, as they are written."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

from monitor.config import check
from monitor.config.feed_folder import FolderFeed
from monitor.config.settings import DataOwner, DataQuality, load_settings
from tests.config.files import monitor_file

OWNER = "data_quality:\n  owner: {name: Data office, address: data@hospital.example}\n"


def written(folder: Path, more: str) -> Path:
    path = monitor_file(folder)
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    return path


def test_given_an_owner_of_the_data_when_loaded_then_the_rest_has_its_default(tmp_path: Path) -> None:
    quality = load_settings(written(tmp_path, OWNER)).data_quality
    owner = DataOwner(name="Data office", address="data@hospital.example", language="en")
    assert quality == DataQuality(owner=owner, at=time(7), again_after=timedelta(days=7))


def test_given_an_owner_whose_address_is_none_when_checked_then_it_is_told_at_its_place(tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, OWNER.replace("data@hospital.example", "data office")))
    assert (problem.code, "a plain mail address is expected" in problem.message) == ("bad-address", True)


def test_given_an_owner_outside_the_staff_domains_when_checked_then_it_is_refused(tmp_path: Path) -> None:
    path = monitor_file(
        tmp_path, ("sender: alerts@hospital.example", "sender: alerts@hospital.example\n  staff_domains: [hospital.example]")
    )
    path.write_text(path.read_text(encoding="utf-8") + OWNER.replace("hospital", "elsewhere"), encoding="utf-8")
    assert [problem.code for problem in check(path)] == ["not-staff"]


def test_given_a_watched_folder_that_is_not_there_yet_when_loaded_then_the_daemon_may_start(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "feeds: {ward: {kind: folder, path: drop}}\n"))
    assert settings.feeds["ward"] == FolderFeed(kind="folder", path=str(tmp_path / "drop"))


def test_given_two_feeds_on_one_folder_when_checked_then_the_second_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "feeds:\n  ward: {kind: folder, path: drop}\n  other: {kind: folder, path: ./drop/}\n")
    (problem,) = check(path)
    assert (problem.code, "'ward' watches this folder already" in problem.message) == ("duplicate-folder", True)
