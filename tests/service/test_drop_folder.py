"""A watched folder: each file imported once and moved, whoever owns the data told, and nothing lost by what goes wrong."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import pytest

from monitor.config.feed_folder import FolderFeed
from monitor.importers.imported import Clinic as Reading
from monitor.importers.imported import ImportedFile, Reader
from monitor.service import drop_seen
from monitor.service.drop_folder import pull_folder
from monitor.service.feeding import pull
from monitor.service.opening import open_site
from monitor.service.post import send_due
from monitor.service.pulled import Pulled
from monitor.service.readers import READERS
from monitor.store import feeds, rejects
from monitor.store.troubles import all_troubles
from tests.service.clinic import Clinic, a_clinic, on
from tests.smtp_server import ReceivedMail

OWNER = "data@hospital.example"
MORE = f"data_quality: {{owner: {{name: Data Office, address: {OWNER}}}}}\noperations: {{address: it@hospital.example}}\n"
PATIENTS = "patient_id,site\nP-1,North\n"
DOSES = "patient_id,given_at,dose_mg_per_m2,source_id\nP-1,2026-01-05,1.3,d1\n"
BAD_DOSES = DOSES + "P-1,2026-01-12,much,d2\n"
DAY = "2026-02-09"
NOW = on(35, 10)
NOBODY = 65534
EVERY = timedelta(seconds=10)


@dataclass
class Drop:
    """A folder that somebody drops files into, and the looks that the daemon takes at it."""

    clinic: Clinic
    folder: Path
    keep: timedelta | None = None
    looks: int = field(default=0)

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def look(self, *, days: int = 0) -> Pulled:
        """The next look, ten seconds later; its state is kept as the daemon keeps it."""
        now = NOW + timedelta(days=days) + self.looks * EVERY
        self.looks += 1
        feed = FolderFeed(kind="folder", path=str(self.folder), keep=self.keep)
        found = pull_folder(self.clinic.site, "ward", feed, now, lambda: False)
        with self.clinic.site.database.write() as connection:
            feeds.record(
                connection, "ward", "folder", now=now, received=found.received, cursor=found.cursor, problem=found.problem
            )
        return found

    def settle(self) -> Pulled:
        """Two looks: what is new is whole at the second."""
        self.look()
        return self.look()

    def names(self, place: str = "", day: str = DAY) -> list[str]:
        folder = self.folder / place / day if place else self.folder
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def rows(self, kind: str) -> int:
        with self.clinic.site.database.read() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {kind} WHERE superseded_at IS NULL").scalar_one())

    def open_rejects(self) -> list[rejects.Reject]:
        with self.clinic.site.database.read() as connection:
            return rejects.still_open(connection, at_most=100)

    def trouble(self) -> str:
        with self.clinic.site.database.read() as connection:
            return {each.name: each.words for each in all_troubles(connection)}.get("folder-ward", "")

    def mails(self) -> list[ReceivedMail]:
        before = len(self.clinic.relay.mails)
        send_due(self.clinic.site, NOW + timedelta(hours=1))
        return self.clinic.relay.mails[before:]


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Drop]:
    (tmp_path / "drop").mkdir()
    with a_clinic(tmp_path, more=MORE) as clinic:
        yield Drop(clinic, tmp_path / "drop")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_given_a_file_when_whole_then_it_is_imported_once_and_moved_to_done_for_this_user_alone(drop: Drop) -> None:
    drop.put("patients.csv", PATIENTS)
    assert not drop.look().received
    found = drop.look()
    assert (found.received, found.rejected, found.problem) == (True, 0, None)
    assert (drop.names(), drop.names("done"), drop.rows("patients")) == ([], ["patients.csv"], 1)
    assert (mode(drop.folder / "done"), mode(drop.folder / "done" / DAY)) == (0o700, 0o700)
    assert mode(drop.folder / "done" / DAY / "patients.csv") == 0o600
    assert drop.mails() == []


def test_given_a_file_that_grows_when_looked_at_then_it_is_left_until_it_has_not_changed_for_long_enough(drop: Drop) -> None:
    path = drop.put("doses.csv", DOSES)
    drop.look()
    with path.open("a", encoding="utf-8") as file:
        file.write("P-1,2026-01-12,1.3,d2\n")
    drop.look()
    assert (drop.names(), drop.rows("doses")) == (["doses.csv"], 0)
    drop.look()
    assert (drop.names("done"), drop.rows("doses")) == (["doses.csv"], 2)


@pytest.mark.parametrize("name", [".doses.csv", "doses.csv.tmp", "doses.csv.part", "doses.csv.filepart", "doses.csv~"])
def test_given_a_name_that_programs_give_to_what_they_have_not_finished_when_looked_at_then_it_is_left(
    drop: Drop, name: str
) -> None:
    drop.put(name, DOSES)
    drop.settle()
    assert drop.names() == [name]


def test_given_a_bad_row_when_imported_then_the_good_ones_are_in_and_file_and_report_are_in_rejected(drop: Drop) -> None:
    drop.put("doses.csv", BAD_DOSES)
    found = drop.settle()
    assert (found.received, found.rejected) == (True, 1)
    assert (drop.names(), drop.names("rejected"), drop.rows("doses")) == ([], ["doses.csv", "doses.csv.rejected.csv"], 1)
    report = drop.folder / "rejected" / DAY / "doses.csv.rejected.csv"
    assert ",much,d2,3,dose_mg_per_m2," in report.read_text(encoding="utf-8")
    assert mode(report) == 0o600
    (reject,) = drop.open_rejects()
    assert (reject.feed, reject.origin, reject.line, reject.column) == (
        "ward",
        str(drop.folder / "doses.csv"),
        3,
        "dose_mg_per_m2",
    )


def test_given_refused_files_when_told_then_it_is_one_mail_for_all_of_them_without_a_value(drop: Drop) -> None:
    drop.put("doses.csv", BAD_DOSES)
    drop.put("labs.csv", "patient_id,collected_at,analyte,value,unit\nP-1,2026-01-05,csf_protein,133,\n")
    drop.put("patients.csv", PATIENTS)
    drop.settle()
    (mail,) = drop.mails()
    assert mail.recipient == OWNER
    text = mail.text
    assert "feed ward: 2 files were not taken whole" in " ".join(text.split())
    assert "doses.csv: 1 row refused" in text
    assert "much" not in text
    assert "133" not in text
    assert "ward" not in mail.message["Subject"]


def test_given_the_corrected_file_when_dropped_under_its_name_then_its_rejects_are_settled(drop: Drop) -> None:
    drop.put("doses.csv", BAD_DOSES)
    drop.settle()
    drop.put("doses.csv", BAD_DOSES.replace("much", "1.0"))
    drop.settle()
    assert drop.open_rejects() == []
    assert (drop.names("done"), drop.rows("doses")) == (["doses.csv"], 2)


def test_given_a_name_that_is_in_done_already_when_moved_then_nothing_is_overwritten(drop: Drop) -> None:
    for number in range(3):
        drop.put("patients.csv", PATIENTS.replace("P-1", f"P-{number}"))
        drop.settle()
    assert drop.names("done") == ["patients-2.csv", "patients-3.csv", "patients.csv"]
    assert drop.rows("patients") == 3


@pytest.mark.parametrize("name", ["scan.pdf", "notes", "other.csv", "doses.csv.rejected.csv"])
def test_given_a_file_that_nobody_can_read_when_whole_then_it_is_rejected_with_the_reason_beside_it(
    drop: Drop, name: str
) -> None:
    drop.put(name, "x\n")
    assert drop.settle().rejected == 1
    assert drop.names("rejected") == sorted([name, f"{name}.rejected.csv"])
    assert b"record,line,column,problem\n,,," in (drop.folder / "rejected" / DAY / f"{name}.rejected.csv").read_bytes()
    assert len(drop.mails()) == 1


def test_given_files_that_are_refused_before_their_end_when_whole_then_none_holds_up_the_others(drop: Drop) -> None:
    texts = {"doses.csv": "patient_id,given_at\nP-1,2026-01-05\n", "labs.csv": "", "courses.csv": "a,a\n1,2\n", "ward.csv": "x\n"}
    texts |= {"a.json": "[]", "b.ndjson": "{\n", "c.hl7": "MSH", "d.xlsx": "PK", "treatments.csv": "\n\n", "e.json": '{"a": 1'}
    for name, text in texts.items():
        drop.put(name, text)
    drop.put("patients.csv", PATIENTS)
    found = drop.settle()
    assert (found.problem, drop.names(), drop.rows("patients")) == (None, [], 1)
    assert texts.keys() <= set(drop.names("rejected"))


def test_given_a_column_that_is_not_read_when_imported_then_the_owner_hears_of_it(drop: Drop) -> None:
    drop.put("patients.csv", "patient_id,sight\nP-1,North\n")
    drop.settle()
    (mail,) = drop.mails()
    assert "patients.csv: has columns that are not read" in " ".join(mail.text.split())
    assert drop.names("done") == ["patients.csv"]


def test_given_links_and_folders_when_looked_at_then_they_are_not_followed(drop: Drop, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(DOSES, encoding="utf-8")
    (drop.folder / "doses.csv").symlink_to(outside)
    (drop.folder / "inside").mkdir()
    (drop.folder / "inside" / "doses.csv").write_text(DOSES, encoding="utf-8")
    os.mkfifo(drop.folder / "labs.csv")
    assert drop.settle().problem is None
    assert drop.rows("doses") == 0
    assert outside.exists()


def test_given_a_link_in_place_of_done_when_moved_then_the_file_stays_and_that_is_told(drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (drop.folder / "done").symlink_to(tmp_path / "elsewhere")
    drop.put("patients.csv", PATIENTS)
    drop.settle()
    assert "1 file imported, and cannot be moved to done/ or rejected/: File exists" in drop.trouble()
    assert drop.names() == ["patients.csv"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_given_a_name_that_is_no_utf_8_when_dropped_then_it_is_taken_like_any_other(drop: Drop) -> None:
    raw = os.fsencode(drop.folder) + b"/doses-\xff.csv"
    with open(raw, "wb") as file:  # noqa: PTH123  # a name in bytes
        file.write(BAD_DOSES.encode())
    assert drop.settle().problem is None
    assert len(drop.names("rejected")) == 2
    assert "\\udcff" in drop.open_rejects()[0].origin
    assert len(drop.mails()) == 1


def test_given_a_folder_that_is_not_there_when_looked_at_then_that_is_the_problem_until_it_is(drop: Drop) -> None:
    shutil.rmtree(drop.folder)
    problem = drop.look().problem
    assert problem is not None
    assert "cannot be read: No such file or directory" in problem
    drop.folder.mkdir()
    assert drop.look().problem is None


@contextmanager
def as_an_ordinary_user(folder: Path) -> Iterator[None]:
    """Root reads everything: a test that runs as root goes on as somebody else, who owns the folder."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_given_a_file_without_the_right_to_read_when_looked_at_then_it_stays_and_the_others_go_on() -> None:
    with TemporaryDirectory() as folder, a_clinic(Path(folder), more=MORE) as clinic:
        (Path(folder) / "drop").mkdir()
        drop = Drop(clinic, Path(folder) / "drop")
        drop.put("doses.csv", DOSES).chmod(0)
        drop.put("patients.csv", PATIENTS)
        with as_an_ordinary_user(Path(folder)):
            drop.settle()
            drop.look()
        assert "1 file cannot be read: Permission denied" in drop.trouble()
        assert [mail.recipient for mail in drop.mails()] == ["it@hospital.example"]
        assert (drop.names(), drop.names("done")) == (["doses.csv"], ["patients.csv"])


def a_link_in_the_way(drop: Drop) -> Callable[[], None]:
    """Nothing can be moved into done/, whoever tries, until what is given back is called."""
    (drop.folder / "done").symlink_to("nowhere")
    return (drop.folder / "done").unlink


def test_given_a_file_that_cannot_be_moved_when_looked_at_again_then_it_is_imported_once_and_moved_when_it_can_be(
    drop: Drop,
) -> None:
    clear = a_link_in_the_way(drop)
    drop.put("patients.csv", PATIENTS)
    drop.settle()
    assert drop.trouble()
    assert not drop.look().received
    assert drop.rows("patients") == 1
    clear()
    drop.look()
    assert drop.trouble() == ""
    assert drop.names("done") == ["patients.csv"]


def test_given_a_refused_file_that_can_be_moved_only_later_when_it_is_then_its_report_still_says_why(drop: Drop) -> None:
    (drop.folder / "rejected").symlink_to("nowhere")
    drop.put("scan.pdf", "x")
    drop.settle()
    drop.look()
    assert drop.names() == ["scan.pdf"]
    (drop.folder / "rejected").unlink()
    drop.look()
    report = (drop.folder / "rejected" / DAY / "scan.pdf.rejected.csv").read_text(encoding="utf-8")
    assert "there is no reader for this kind of file" in report
    assert len(drop.mails()) == 2  # what was refused, to whoever owns the data; that it is stuck, to operations


def test_given_a_newer_file_in_place_of_the_imported_one_when_moving_then_the_newer_one_is_imported_too(drop: Drop) -> None:
    clear = a_link_in_the_way(drop)
    drop.put("patients.csv", PATIENTS)
    drop.settle()
    drop.put("patients.csv", PATIENTS + "P-2,South\n")
    clear()
    drop.settle()
    assert drop.rows("patients") == 2
    assert drop.names("done") == ["patients.csv"]


def test_given_files_of_several_kinds_when_taken_then_patients_come_first_and_of_one_kind_what_came_first(drop: Drop) -> None:
    for place, (name, text) in enumerate(
        [
            ("doses_2026-01-02.csv", DOSES),
            ("doses_2026-01-01.csv", DOSES.replace("1.3", "1.0")),
            ("patients.csv", PATIENTS),
        ]
    ):
        os.utime(drop.put(name, text), ns=(0, 10**18 + place))
    drop.settle()
    with drop.clinic.site.database.read() as connection:
        doses = connection.exec_driver_sql("SELECT dose_mg_per_m2 FROM doses WHERE superseded_at IS NULL").scalars().all()
    assert doses == [1.0]


def test_given_a_clock_that_was_set_back_when_looked_at_then_a_file_waits_anew(drop: Drop) -> None:
    drop.put("patients.csv", PATIENTS)
    drop.look()
    drop.look(days=-3)
    assert drop.names() == ["patients.csv"]
    drop.look(days=-3)
    assert drop.names("done", "2026-02-06") == ["patients.csv"]


def test_given_a_time_to_keep_when_it_is_over_then_done_is_deleted_and_rejected_is_not(drop: Drop) -> None:
    drop.keep = timedelta(days=30)
    drop.put("patients.csv", PATIENTS)
    drop.put("doses.csv", BAD_DOSES)
    drop.settle()
    drop.look(days=30)
    assert drop.names("done") == ["patients.csv"]
    drop.look(days=31)
    assert not (drop.folder / "done" / DAY).exists()
    assert drop.names("rejected") == ["doses.csv", "doses.csv.rejected.csv"]


def test_given_a_state_that_is_no_state_when_read_then_every_file_is_looked_at_anew() -> None:
    assert [drop_seen.from_text(text) for text in (None, "", "x", "[]", '{"a": 1}', '{"a": [1]}')] == [{}] * 6


def test_given_a_file_that_grows_while_it_is_taken_when_imported_then_nothing_of_it_is_in_until_it_is_whole(drop: Drop) -> None:
    path = drop.put("doses.csv", DOSES)
    drop.look()

    def written_on() -> bool:  # between the look and the import, as a slow sender may
        with path.open("a", encoding="utf-8") as file:
            file.write("P-1,2026-01-12,1.3,d2\n")
        return False

    feed = FolderFeed(kind="folder", path=str(drop.folder))
    pull_folder(drop.clinic.site, "ward", feed, NOW + EVERY, written_on)
    assert (drop.names(), drop.rows("doses")) == (["doses.csv"], 0)
    drop.looks = 2
    drop.settle()
    assert (drop.names("done"), drop.rows("doses")) == (["doses.csv"], 2)


def test_given_a_file_that_is_gone_when_its_turn_comes_then_the_others_go_on(drop: Drop) -> None:
    path = drop.put("patients.csv", PATIENTS)
    drop.put("doses.csv", DOSES)
    drop.look()

    def taken_away() -> bool:
        path.unlink(missing_ok=True)
        return False

    feed = FolderFeed(kind="folder", path=str(drop.folder))
    found = pull_folder(drop.clinic.site, "ward", feed, NOW + EVERY, taken_away)
    assert (found.received, drop.trouble(), drop.names("done")) == (True, "", ["doses.csv"])


@pytest.mark.both_engines
def test_given_two_daemons_when_both_look_then_one_takes_the_files_and_each_is_in_and_told_once(
    tmp_path: Path, engine: str
) -> None:
    (tmp_path / "drop").mkdir()
    more = MORE + "feeds: {ward: {kind: folder, path: drop, every: 1 s, stable_for: 1 s}}\n"
    with a_clinic(tmp_path, more=more) as clinic, open_site(tmp_path / "monitor.yaml") as second:
        drop = Drop(clinic, tmp_path / "drop")
        for number in range(20):
            drop.put(f"doses-2026-01-{number + 1:02}.csv", BAD_DOSES.replace("d1", f"a{number}").replace("P-1", f"P-{number}"))
        with ThreadPoolExecutor(2) as pool:
            for look in range(4):
                now = NOW + look * EVERY
                asked = [
                    pool.submit(pull, site, "ward", now, holder=holder, stopping=lambda: False)
                    for site, holder in ((clinic.site, "here:1:a"), (second, "there:2:b"))
                ]
                brought = [done for done in (each.result() for each in asked) if done is not None]
                assert len(brought) == 1
        assert (drop.names(), drop.rows("doses"), len(drop.open_rejects())) == ([], 20, 20)
        assert len(drop.names("rejected")) == 40
        assert len([mail for mail in drop.mails() if mail.recipient == OWNER]) == 1


def test_given_a_file_that_brings_out_a_defect_when_looked_at_then_it_alone_is_rejected(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(_name: str, _stream: BinaryIO, _clinic: Reading) -> Iterator[ImportedFile]:
        yield from (ImportedFile(kind=None) for _ in range(1 // len("")))

    monkeypatch.setitem(cast(dict[str, Reader], READERS), ".ods", defective)
    drop.put("doses.ods", "whatever")
    drop.put("patients.csv", PATIENTS)
    assert drop.settle().problem is None
    assert drop.names("rejected") == ["doses.ods", "doses.ods.rejected.csv"]
    assert drop.names("done") == ["patients.csv"]
    (told,) = drop.open_rejects()
    assert "a defect of this program, ZeroDivisionError" in told.problem
