"""A clinic with a board in a folder of its own, on the engine of the test: modules marked ``both_engines`` are run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import on_engine, run_marked_on_both
from tests.service.clinic import a_clinic
from tests.web.house import BOARD, House


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_marked_on_both(metafunc)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The engine of the databases below the test's folder."""
    chosen = getattr(request, "param", "sqlite")
    with on_engine(tmp_path, chosen):
        yield chosen


@pytest.fixture
def house(tmp_path: Path, engine: str) -> Iterator[House]:
    with a_clinic(tmp_path, more=BOARD) as clinic:
        yield House(clinic)
