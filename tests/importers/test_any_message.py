"""Any message of the right shape between two good ones: nothing is raised, and what is good comes in all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import DONE, SOME_REJECTED
from monitor.service.ingest import import_paths
from monitor.store.database import Database
from tests.importers.reading import NOW, ZONE
from tests.store.databases import a_database

HEADER = r"MSH|^~\&|LAB|HOSPITAL|BIPN|HOSPITAL|20261110120000+0100||{kind}|{control}|P|2.5.1|||||DEU|UNICODE UTF-8"
DOSE = (
    "PID|1||P-GOOD^^^HOSPITAL^MR\rORC|RE|P-77|F-{number}\r"
    "RXA|0|1|202611021{number}0000+0100||358258^^RXNORM|1.3|mg/m2^mg/m2^UCUM|||||||||||||CP|A"
)
FIELD = st.one_of(
    st.sampled_from(
        ["", "1", "4-", "5/5", "1.33", "-1", "g/L", "mg/m2", "F", "C", "D", "CP", "NA", "Y^Yes^HL70136", "NaN", "~", "^^", "&&"]
    ),
    st.sampled_from(
        ["P-1^^^HOSPITAL^MR", "C143750^^NCIT", "2880-3^^LN", "358258^^RXNORM", "20261110113000+0100", "20261399", "20991231"]
    ),
    st.text(max_size=12),
)
SEGMENT = st.tuples(
    st.sampled_from(["PID", "PV1", "ORC", "OBR", "OBX", "RXA", "RXO", "RXE", "RXR", "MRG", "NTE", "SPM", "EVN", "ZZZ"]),
    st.lists(FIELD, max_size=14),
).map(lambda made: "|".join([made[0], *made[1]]))
KIND = st.sampled_from(["ORU^R01", "RAS^O17", "ADT^A08", "ADT^A40", "ADT^A47", "ADT^A37", "SIU^S12", "", "ORU"])
MESSAGE = st.tuples(KIND, st.lists(SEGMENT, max_size=7)).map(
    lambda made: "\r".join([HEADER.format(kind=made[0], control="ANY"), *made[1]])
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def test_given_any_message_between_good_ones_when_imported_then_the_good_ones_are_in(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "ward.hl7"
    good = [f"{HEADER.format(kind='RAS^O17', control=f'GOOD{number}')}\r{DOSE.format(number=number)}" for number in (0, 1)]

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(MESSAGE)
    def holds(message: str) -> None:
        path.write_bytes("\r".join([good[0], message, good[1]]).encode("utf-8", "replace"))
        report = import_paths(database, [path], zone=ZONE, now=NOW)
        assert report.exit_code in (DONE, SOME_REJECTED)
        doses = [each for each in report.files if each.kind == "doses"]
        assert sum(each.inserted + each.corrected + each.unchanged for each in doses) >= 2

    holds()
