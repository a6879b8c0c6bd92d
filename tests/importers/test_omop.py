"""Whatever stands in an OMOP database's columns: each row is an item or refused, and rows are named the same in any order."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.importers.omop import Person, Row, read
from monitor.importers.omop_mapping import Concept, Drug, Measure, OmopMapping

MAPPING = OmopMapping(
    drugs={"bortezomib": Drug(name="bortezomib", concept=Concept(vocabulary="RxNorm", code="358258"))},
    measures={
        "pain": Measure(table="measurement", kind="assessments", column="pain_nrs", source_value="pain"),
        "protein": Measure(
            table="measurement",
            kind="labs",
            column="value",
            source_value="protein",
            units={"mg/dL": "mg/dL"},
            always={"analyte": "csf_protein"},
        ),
        "surface": Measure(table="measurement", kind="@surface", column="m2", source_value="surface", units={"m2": ""}),
    },
    dose_units={"mg/m2": "mg/m2", "mg": "mg"},
)
ANYTHING = st.none() | st.text(max_size=12) | st.integers() | st.floats() | st.decimals() | st.dates() | st.datetimes()
EXPOSURE = (
    "drug_exposure_start_date",
    "drug_exposure_start_datetime",
    "drug_exposure_end_date",
    "quantity",
    "dose_unit_source_value",
    "route_source_value",
)
MEASURED = (
    "date",
    "datetime",
    "operator_concept_id",
    "unit_code",
    "value_as_number",
    "value_code",
    "value_as_string",
    "value_source_value",
)


def a_row(*columns: str) -> st.SearchStrategy[dict[str, Any]]:
    units = st.sampled_from(["mg", "mg/m2", "mg/dL", "m2"])
    return st.fixed_dictionaries({column: units | ANYTHING if "unit" in column else ANYTHING for column in columns})


@settings(max_examples=100)
@given(
    a_row("person_id", "person_source_value", "gender_code", "year_of_birth", "month_of_birth", "day_of_birth"),
    st.lists(a_row(*EXPOSURE), max_size=3),
    st.lists(st.tuples(st.sampled_from(sorted(MAPPING.measures)), a_row(*MEASURED)), max_size=4),
)
def test_given_anything_in_the_columns_when_read_then_each_row_is_an_item_or_refused(
    person: dict[str, Any], exposures: list[dict[str, Any]], measured: list[tuple[str, Row]]
) -> None:
    found = list(read([Person(person=person, exposures=[("bortezomib", row) for row in exposures], measured=measured)], MAPPING))
    told = [each for each in found if each.id]
    assert all(each.item is not None or each.refused for each in told)
    assert len({each.id for each in told}) == len(told)
    if told:
        assert len(told) == 1 + len(exposures) + len(measured)


@settings(max_examples=50)
@given(st.permutations([1.3, 1.0, 0.7, 1.3]))
def test_given_rows_of_one_name_in_any_order_when_read_then_they_have_the_same_names_and_values(quantities: list[float]) -> None:
    def rows(amounts: list[float]) -> list[tuple[str, str]]:
        exposures: list[tuple[str, Row]] = [
            (
                "bortezomib",
                {
                    "drug_exposure_start_date": date(2026, 2, 1),
                    "drug_exposure_start_datetime": datetime.fromisoformat("2026-02-01T00:00"),
                    "drug_exposure_end_date": date(2026, 2, 1),
                    "quantity": Decimal(str(amount)),
                    "dose_unit_source_value": "mg/m2",
                    "route_source_value": None,
                    "drug_exposure_id": number,
                },
            )
            for number, amount in enumerate(amounts)
        ]
        people = [Person(person={"person_id": 7, "person_source_value": "P-7"}, exposures=exposures)]
        return [(each.id, each.item.version) for each in read(people, MAPPING) if each.item is not None]

    assert rows(quantities) == rows([1.3, 1.0, 0.7, 1.3])
