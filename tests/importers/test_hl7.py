"""HL7 v2: results, given doses, patients and merges, whatever they are wrapped in; nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from monitor.importers.hl7.mapping import Hl7Mapping, PatientKeys, Records
from monitor.importers.hl7.reading import hl7_reader
from monitor.importers.imported import ImportedFile
from monitor.importers.items import DOSE_MG, ORDER, Item, Merge
from monitor.service.hl7_file import load_hl7
from monitor.service.ingest import ImportReport, import_paths
from monitor.shipped import shipped
from monitor.store.database import Database
from tests.importers.reading import CLINIC, NOW, ZONE
from tests.store.databases import a_database

MAPPING = load_hl7(shipped("config") / "hl7.yaml")
PID = "PID|1||P-1^^^HOSPITAL^MR||Muster^Erika||19580312|F"
SAMPLE = Path(__file__).parent / "samples" / "ward.hl7"


def msh(kind: str = "ORU^R01", control: str = "M1", at: str = "20261110120000+0100", charset: str = "UNICODE UTF-8") -> str:
    return rf"MSH|^~\&|LAB|HOSPITAL|BIPN|HOSPITAL|{at}||{kind}|{control}|P|2.5.1|||||DEU|{charset}"


def obr(at: str = "20261110113000+0100") -> str:
    return f"OBR|1|P-90|F-90|NEURO^Neuropathy visit^L|||{at}"


def obx(code: str, value: str, kind: str = "NM", unit: str = "", status: str = "F", sub: str = "") -> str:
    return f"OBX|1|{kind}|{code}|{sub}|{value}|{unit}|||||{status}"


def own(column: str) -> str:
    return f"{column}^^99BIPN"


def oru(*segments: str, **header: str) -> list[str]:
    return [msh(**header), PID, obr(), *segments]


def rxa(amount: str = "1.3", unit: str = "mg/m2", status: str = "CP", action: str = "A", drug: str = "358258^^RXNORM") -> str:
    return f"RXA|0|1|20261102100000+0100||{drug}|{amount}|{unit}|||||||||||||{status}|{action}"


def ras(*segments: str) -> list[str]:
    return [msh("RAS^O17"), PID, "ORC|RE|P-77|F-77", *segments]


def read(segments: list[str] | bytes, mapping: Hl7Mapping = MAPPING) -> tuple[list[Item | Merge], ImportedFile]:
    data = segments if isinstance(segments, bytes) else "\r".join(segments).encode()
    (file,) = hl7_reader(mapping)("messages.hl7", BytesIO(data), CLINIC)
    assert file.items is not None
    return list(file.items), file


def item(segments: list[str], mapping: Hl7Mapping = MAPPING) -> Item:
    (found,), file = read(segments, mapping)
    assert isinstance(found, Item)
    assert file.rejected == []
    return found


def problem(segments: list[str]) -> str:
    found, file = read(segments)
    assert found == []
    (refused,) = file.rejected
    return refused.problem


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def imported(database: Database, folder: Path, *segments: str) -> ImportReport:
    path = folder / "messages.hl7"
    path.write_text("\r".join(segments), encoding="utf-8")
    return import_paths(database, [path], zone=ZONE, now=NOW)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_given_a_result_when_read_then_it_is_a_piece_of_the_examination_of_its_order() -> None:
    found = item(oru(obx(own("motor_grade"), "2")))
    assert (found.patient_id, found.kind, found.group) == ("P-1", "assessments", "F-90")
    assert found.cells == {"assessed_at": "2026-11-10T11:30:00+01:00", "motor_grade": "2"}
    assert found.recorded_at == "2026-11-10T12:00:00+01:00"


def test_given_a_time_of_the_observation_itself_when_read_then_it_counts_and_not_the_order_s() -> None:
    assert item(oru(f"{obx(own('motor_grade'), '2')}|||20261110114500+0100")).cells["assessed_at"] == "2026-11-10T11:45:00+01:00"


def test_given_a_published_code_when_read_then_it_is_the_column_with_the_version_of_ctcae() -> None:
    found = item(oru(obx("C143750^^NCIT", "C41340^Grade 3^NCIT", kind="CWE")))
    assert found.cells["motor_grade"] == "3"
    assert found.cells["ctcae_version"] == "5.0"


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\x1c\r\x0b"])
def test_given_any_ending_of_lines_and_frames_when_read_then_the_segments_are_the_same(ending: bytes) -> None:
    data = b"\x0b" + ending.join(each.encode() for each in oru(obx(own("motor_grade"), "2"))) + b"\x1c\r"
    assert len(read(data)[0]) == 1


@pytest.mark.parametrize(("charset", "encoding"), [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("8859/15", "iso-8859-15")])
def test_given_a_character_set_when_read_then_the_text_is_what_was_written(charset: str, encoding: str) -> None:
    data = "\r".join([msh(charset=charset), PID, obr(), obx(own("notes"), "Füße taub", kind="TX")]).encode(encoding)
    (found,), _ = read(data)
    assert isinstance(found, Item)
    assert found.cells["notes"] == "Füße taub"


def test_given_escapes_when_read_then_they_are_resolved() -> None:
    assert item(oru(obx(own("notes"), r"a \T\ b\.br\c", kind="TX"))).cells["notes"] == "a & b\nc"


def test_given_a_file_of_batches_when_imported_twice_then_each_message_is_accounted_for_and_nothing_comes_twice(
    database: Database,
) -> None:
    report = import_paths(database, [SAMPLE], zone=ZONE, now=NOW)
    assert {each.kind: each.inserted for each in report.files if each.kind} == {
        "patients": 1,
        "doses": 2,
        "assessments": 1,
        "labs": 2,
    }
    assert {what: times for (_, what), times in report.passed_over.items()} == {
        "an observation of a code that is not mapped": 1,
        "segment SCH": 1,
        "message SIU^S12": 1,
    }
    again = import_paths(database, [SAMPLE], zone=ZONE, now=NOW)
    assert sum(each.inserted + each.corrected for each in again.files) == 0


def test_given_one_examination_by_csv_and_by_hl7_when_imported_then_the_rows_say_the_same(
    database: Database, tmp_path: Path
) -> None:
    columns = "patient_id, assessed_at, motor_grade, pain_nrs, walking, mrc_deltoid_left, ctcae_version, recorded_at"
    (tmp_path / "assessments.csv").write_text(
        f"{columns.replace(' ', '')},source_id\nP-1,2026-11-10T11:30:00+01:00,2,4,cane,4-,5.0,2026-11-10T12:00:00+01:00,csv\n",
        encoding="utf-8",
    )
    import_paths(database, [tmp_path / "assessments.csv"], zone=ZONE, now=NOW)
    imported(
        database,
        tmp_path,
        *oru(
            obx("C143750^^NCIT", "2"),
            obx("72514-3^^LN", "4"),
            obx(own("walking"), "cane", kind="ST"),
            obx(own("mrc_deltoid_left"), "4-", kind="ST"),
        ),
    )
    by_csv, by_hl7 = rows(database, f"SELECT {columns} FROM assessments ORDER BY id")
    assert by_csv == by_hl7


def test_given_a_corrected_result_when_imported_then_it_is_a_new_version_and_the_older_message_does_not_undo_it(
    database: Database, tmp_path: Path
) -> None:
    first = oru(obx(own("motor_grade"), "3"))
    imported(database, tmp_path, *first)
    imported(database, tmp_path, *oru(obx(own("motor_grade"), "1", status="C"), control="M2", at="20261110130000+0100"))
    imported(database, tmp_path, *first)
    assert rows(database, "SELECT motor_grade FROM assessments WHERE superseded_at IS NULL") == [(1,)]


@pytest.mark.parametrize("status", ["D", "W", "X"])
def test_given_a_result_that_is_taken_back_when_imported_then_the_examination_is_void(
    database: Database, tmp_path: Path, status: str
) -> None:
    imported(database, tmp_path, *oru(obx(own("motor_grade"), "3")))
    imported(database, tmp_path, *oru(obx(own("motor_grade"), "", status=status), control="M2", at="20261110130000+0100"))
    assert rows(database, "SELECT voided FROM assessments WHERE superseded_at IS NULL") == [("yes",)]


def test_given_a_preliminary_result_when_the_mapping_wants_none_then_it_is_passed_over() -> None:
    preliminary = oru(obx(own("motor_grade"), "3", status="P"))
    assert len(read(preliminary)[0]) == 1
    found, file = read(preliminary, replace(MAPPING, records=Records(read_preliminary=False)))
    assert found == []
    assert file.passed_over == {"a preliminary observation": 1}


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        (obx("2880-3^^LN", "133"), "no unit"),
        (obx("2880-3^^LN", "133", unit="mmol/L"), "no unit"),
        (obx("2880-3^^LN", ">^500", kind="SN", unit="mg/dL"), "a limit"),
        (obx(own("grip_kpa_right"), "30", unit="kg"), "a unit that is not read"),
        (obx(own("motor_grade"), ""), "no value"),
        (f"{obx(own('motor_grade'), '2')}|||yesterday", "no day and time"),
    ],
)
def test_given_a_value_that_could_mean_another_when_read_then_it_is_refused(segment: str, why: str) -> None:
    assert why in problem(oru(segment))


def test_given_a_dose_in_mg_per_m2_when_read_then_it_is_a_dose() -> None:
    found = item(ras(rxa(), "RXR|SC^^HL70162"))
    assert found.kind == "doses"
    assert found.cells == {
        "given_at": "2026-11-02T10:00:00+01:00",
        "drug": "bortezomib",
        "dose_mg_per_m2": "1.3",
        "route": "SC",
    }


def test_given_a_dose_in_mg_and_its_order_when_read_then_the_level_is_the_order_s() -> None:
    (order, dose), _ = read(ras("RXO|358258^^RXNORM|1.3||mg/m2", rxa("2.3", "mg")))
    assert isinstance(order, Item)
    assert isinstance(dose, Item)
    assert (order.kind, order.cells) == (ORDER, {"drug": "bortezomib", "mg_per_m2": "1.3"})
    assert (dose.cells[DOSE_MG], dose.cells[ORDER]) == ("2.3", "ORC/F-77")


def test_given_a_dose_in_mg_alone_when_imported_then_it_is_refused_with_what_is_missing(
    database: Database, tmp_path: Path
) -> None:
    report = imported(database, tmp_path, *ras(rxa("2.3", "mg")))
    assert [each.problem for _, each in report.rejected if "mg/m2" in each.problem]
    assert rows(database, "SELECT count(*) FROM doses") == [(0,)]


@pytest.mark.parametrize(("status", "action"), [("RE", "A"), ("NA", "A"), ("CP", "D")])
def test_given_a_dose_that_was_not_given_after_all_when_imported_then_it_counts_no_more(
    database: Database, tmp_path: Path, status: str, action: str
) -> None:
    imported(database, tmp_path, *ras(rxa()))
    later = [msh("RAS^O17", "M2", "20261110130000+0100"), PID, "ORC|RE|P-77|F-77", rxa(status=status, action=action)]
    imported(database, tmp_path, *later)
    assert rows(database, "SELECT count(*) FROM doses WHERE superseded_at IS NULL") == [(0,)]


def test_given_a_dose_that_does_not_say_whether_it_was_given_when_read_then_it_is_refused() -> None:
    assert "RXA-20" in problem(ras(rxa(status="")))


def test_given_a_dose_of_another_drug_when_read_then_it_is_passed_over() -> None:
    found, file = read(ras(rxa(drug="161^^RXNORM")))
    assert found == []
    assert file.passed_over == {"a dose of a drug that is not watched": 1}


def test_given_an_admission_when_read_then_it_is_the_patient_s_row_with_the_ward_as_the_site_is_called() -> None:
    mapping = replace(MAPPING, patient=PatientKeys(sites={"ONC1": "North"}, sexes={"F": "female"}, names=True))
    found = item([msh("ADT^A08"), PID, "PV1|1|O|ONC1^2^3"], mapping)
    assert found.cells == {"birth_date": "1958-03-12", "sex": "female", "display_name": "Muster, Erika", "site": "North"}


def test_given_several_identifiers_when_read_then_the_configured_authority_s_names_the_patient() -> None:
    pid = "PID|1||99^^^OTHER^PI~P-1^^^HOSPITAL&1.2.3&ISO^MR"
    for authority in ("HOSPITAL", "1.2.3"):
        mapping = replace(MAPPING, patient=PatientKeys(assigning_authority=authority))
        assert item([msh(), pid, obr(), obx(own("motor_grade"), "1")], mapping).patient_id == "P-1"
    none = replace(MAPPING, patient=PatientKeys(assigning_authority="NOWHERE"))
    found, file = read([msh(), pid, obr(), obx(own("motor_grade"), "1")], none)
    assert found == []
    assert [each.record for each in file.rejected] == ["M1 PID 1", "M1 OBX 1"]


def test_given_a_merge_message_when_imported_then_the_history_is_the_surviving_patient_s(
    database: Database, tmp_path: Path
) -> None:
    imported(database, tmp_path, *oru(obx(own("motor_grade"), "3")))
    surviving = PID.replace("P-1", "P-2")
    report = imported(database, tmp_path, msh("ADT^A40", "M2"), surviving, "MRG|P-1^^^HOSPITAL^MR")
    assert report.rejected == []
    assert rows(database, "SELECT patient_id FROM assessments WHERE superseded_at IS NULL") == [("P-2",)]
    imported(database, tmp_path, *oru(obx(own("sensory_grade"), "1"), control="M3", at="20261110140000+0100"))
    found = rows(database, "SELECT patient_id, motor_grade, sensory_grade FROM assessments WHERE superseded_at IS NULL")
    assert found == [("P-2", 3, 1)]


def test_given_a_merge_when_the_record_that_ended_is_told_of_again_then_the_surviving_patient_s_own_row_stands(
    database: Database, tmp_path: Path
) -> None:
    surviving = PID.replace("P-1", "P-2")
    for control, pid, ward in (("M1", PID, "SOUTH"), ("M2", surviving, "NORTH")):
        imported(database, tmp_path, msh("ADT^A08", control), pid, f"PV1|1|O|{ward}")
    imported(database, tmp_path, msh("ADT^A40", "M3"), surviving, "MRG|P-1^^^HOSPITAL^MR")
    imported(database, tmp_path, msh("ADT^A08", "M4", "20261111120000+0100"), PID, "PV1|1|O|WEST")
    assert rows(database, "SELECT patient_id, site FROM patients WHERE superseded_at IS NULL") == [("P-2", "NORTH")]


@pytest.mark.parametrize(
    ("segments", "why"),
    [
        ([msh("ADT^A37"), PID], "are two again"),
        ([msh("ADT^A40"), PID], "MRG"),
        ([msh("ADT^A08")], "no patient"),
        ([PID], "no message header"),
        (["MSH|||||"], "divided"),
        ([msh("", "M1")], "of what kind"),
        ([msh(charset="ISO IR87"), PID], "character set"),
        ([""], "no message in the file"),
    ],
)
def test_given_a_message_that_cannot_be_taken_when_read_then_it_says_why(segments: list[str], why: str) -> None:
    assert why in problem(segments)


def test_given_one_message_that_cannot_be_read_when_read_then_the_others_come_in() -> None:
    bad = b"MSH|^~\\&|LAB||||20261110||ORU^R01|M0|P|2.5.1|||||DEU|UNICODE UTF-8\rOBX|1|TX|\xff\xff\r"
    found, file = read(bad + "\r".join(oru(obx(own("motor_grade"), "2"))).encode())
    assert len(found) == 1
    assert len(file.rejected) == 1


def test_given_a_message_beyond_all_measure_when_read_then_it_is_refused_and_the_next_comes_in() -> None:
    huge = "\r".join(oru(obx(own("notes"), "x" * (5 << 20), kind="TX"))).encode()
    found, file = read(huge + b"\r" + "\r".join(oru(obx(own("motor_grade"), "2"))).encode())
    assert len(found) >= 1
    assert not any("x" * 50 in each.problem for each in file.rejected)
