"""FHIR files: Bundles and NDJSON in every shape, whole and broken; nothing is lost without a word."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO

import pytest

from monitor.importers.fhir.bundle import LONGEST
from monitor.importers.fhir.reading import MOST_REFUSED, fhir_reader
from tests.importers.fhir.resources import (
    LOINC,
    Read,
    Resource,
    a_quantity,
    an_administration,
    an_observation,
    coded,
    read,
    read_bytes,
    the_mapping,
)
from tests.importers.reading import CLINIC

NRS = coded(LOINC, "72514-3")
GOOD = an_observation(NRS, valueQuantity=a_quantity(6, "{score}"))


def a_bundle(*resources: Resource, type_: str = "collection", **said: object) -> Read:
    entries = [{"resource": each} for each in resources]
    return read_bytes("a.json", json.dumps({"resourceType": "Bundle", "type": type_, "entry": entries} | said).encode())


def test_given_one_resource_as_a_file_when_read_then_it_counts() -> None:
    assert read_bytes("a.json", json.dumps(GOOD).encode()).cells == {"pain_nrs": "6"}


@pytest.mark.parametrize("type_", ["collection", "searchset", "transaction", "batch", "history", "document"])
def test_given_a_bundle_of_any_type_when_read_then_its_entries_count(type_: str) -> None:
    done = a_bundle(GOOD, GOOD | {"id": "18"}, type_=type_)
    assert (done.file.records, len(done.items)) == (2, 2)


def test_given_a_bundle_among_resources_when_read_then_it_is_refused_and_not_left_out_with_all_that_is_in_it() -> None:
    inner = {"resourceType": "Bundle", "id": "b", "type": "searchset", "entry": [{"resource": GOOD}]}
    assert "a file of its own" in read(inner).rejected.problem
    assert "a file of its own" in a_bundle(inner, type_="batch-response").rejected.problem


def test_given_an_observation_within_a_report_when_read_then_it_is_told_that_it_was_not() -> None:
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "contained": [GOOD]}
    assert list(read(report).file.warnings) == ["DiagnosticReport: the Observation within it (contained) was not read"]


def test_given_a_history_when_read_then_the_oldest_version_comes_first() -> None:
    versions = [GOOD | {"meta": {"versionId": str(number)}} for number in (3, 2, 1)]
    assert [each.version for each in a_bundle(*versions, type_="history").items] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text", ['{"resourceType":"Bundle"}', '{"resourceType":"Bundle","entry":[]}', ' {"entry":[],"resourceType":"Bundle"}']
)
def test_given_an_empty_bundle_when_read_then_nothing_is_wrong(text: str) -> None:
    done = read_bytes("a.json", text.encode())
    assert (done.items, done.file.rejected, done.file.records) == ([], [], 0)


def test_given_references_by_uuid_when_read_then_they_are_those_of_the_same_bundle() -> None:
    patient = {"resourceType": "Patient"}
    given = an_administration(subject={"reference": "urn:uuid:aaa"}, medicationReference={"reference": "urn:uuid:bbb"})
    del given["medicationCodeableConcept"], given["id"]
    medication = {"resourceType": "Medication", "id": "m", "code": coded(LOINC, "x")}
    entries = [
        {"fullUrl": f"urn:uuid:{name}", "resource": each}
        for name, each in (("ccc", given), ("aaa", patient), ("bbb", medication))
    ]
    data = json.dumps({"entry": entries, "type": "transaction", "resourceType": "Bundle"}).encode()
    dose, person, _ = [each for each in read_bytes("a.json", data).items if not each.voided]
    assert (dose.id, dose.patient_id, dose.cells["@medication"]) == ("ccc", "aaa", "Medication/m")
    assert (person.id, person.patient_id) == ("aaa", "aaa")


def test_given_a_deletion_in_a_bundle_when_read_then_what_it_names_is_taken_back() -> None:
    entry = {"request": {"method": "DELETE", "url": "Observation/17"}, "response": {"lastModified": "2026-11-02T00:00:00Z"}}
    data = json.dumps({"resourceType": "Bundle", "type": "history", "entry": [entry]}).encode()
    (gone,) = read_bytes("a.json", data).items
    assert (gone.type, gone.id, gone.voided, gone.recorded_at) == ("Observation", "17", True, "2026-11-02T00:00:00Z")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends in the middle"),
        (b"[]", "not JSON"),
        (b'{"resourceType":"Bundle","entry":[{"resource":', "ends in the middle"),
        (b'{"resourceType":"Bundle","entry":[{}]', "ends in the middle"),
        (b'{"resourceType":"Bundle","entry":[{} {}]}', "not JSON"),
        (b'{"resourceType":"Bundle","n":NaN}', "no numbers"),
        (b'{"resourceType":"B\xff"}', "not UTF-8"),
        ('{"resourceType":"Bundle"}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_given_a_broken_bundle_when_read_then_nothing_of_it_is_taken(data: bytes, words: str) -> None:
    assert words in read_bytes("a.json", data).rejected.problem


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON"),
        (b"null", "FHIR does not have"),
        (b"[1]", "FHIR does not have"),
        (b"{}", "no resourceType"),
        (b'{"resourceType":7}', "FHIR does not have"),
        (b'{"resourceType":"Observation"}', "no id"),
        (b'{"resourceType":"Observation","id":"1","status":["final"]}', "FHIR does not have"),
        (b'{"resourceType":"Observation","id":"\xff"}', "not JSON in UTF-8"),
        (b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":NaN}}', "not JSON"),
        (b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":1e999}}', "does not allow"),
        (b'{"resourceType":"Observation","id":"1","component":' + b"[" * 100_000, "nested too deeply"),
        (b'{"resourceType":"Observation","id":"\\ud800"}', "not JSON"),
    ],
)
def test_given_a_line_that_is_no_resource_when_read_then_it_is_refused_and_the_others_count(line: bytes, words: str) -> None:
    good = json.dumps(GOOD).encode()
    done = read_bytes("a.ndjson", b"\n".join([good, line, b"", good.replace(b'"17"', b'"18"')]))
    assert [each.id for each in done.items] == ["17", "18"]
    (refused,) = done.file.rejected
    assert refused.line == 2
    assert words in refused.problem


def test_given_a_key_twice_when_read_then_it_is_refused() -> None:
    line = json.dumps(GOOD).replace('"value": 6', '"value": 6, "value": 2')
    assert "twice" in read_bytes("a.ndjson", line.encode()).rejected.problem


def test_given_a_modifier_that_nobody_knows_when_read_then_it_is_refused() -> None:
    assert "modifier" in read(GOOD | {"modifierExtension": [{"url": "urn:not"}]}).rejected.problem


def test_given_a_line_without_end_when_read_then_it_is_refused_alone_within_bounded_memory() -> None:
    stream = BytesIO(b'{"x":"' + b"x" * (3 * LONGEST) + b'"}\n' + json.dumps(GOOD).encode())
    (file,) = fhir_reader(the_mapping())("a.ndjson", stream, CLINIC)
    tracemalloc.start()
    items = list(file.items or ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(items), [each.line for each in file.rejected]) == (1, [1])
    assert peak < 4 * LONGEST


def test_given_a_file_of_something_else_when_read_then_its_rejections_are_counted_and_not_all_kept() -> None:
    done = read_bytes("a.ndjson", b"x\n" * (MOST_REFUSED + 5))
    assert len(done.file.rejected) == MOST_REFUSED + 1
    assert (done.file.records, done.file.refused_untold) == (MOST_REFUSED + 5, 5)


def test_given_a_long_bundle_when_read_then_it_is_never_in_memory_as_a_whole() -> None:
    entry = json.dumps({"resource": an_observation(coded(LOINC, "1"), note=[{"text": "x" * 2000}])})
    data = b'{"resourceType":"Bundle","entry":[' + b",".join([entry.encode()] * 8000) + b"]}"
    (file,) = fhir_reader(the_mapping())("a.json", BytesIO(data), CLINIC)
    tracemalloc.start()
    taken = sum(1 for _ in file.items or ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken == 8000
    assert peak < len(data) / 2


def test_given_what_a_record_says_when_it_is_refused_then_none_of_it_is_repeated() -> None:
    marked = an_observation(NRS, valueString="MARKER", note=[{"text": "MARKER"}], performer=[{"display": "MARKER"}])
    strange = {"resourceType": "Observation", "id": "MARKER MARKER", "status": {"MARKER": 1}}
    for each in (marked, strange, marked | {"effectiveDateTime": "MARKER"}, marked | {"status": "MARKER"}):
        refused = read(each).file.rejected[0]
        assert "MARKER" not in f"{refused.problem} {refused.column}"
