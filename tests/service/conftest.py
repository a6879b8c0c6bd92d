"""A clinic for each test, on the engine of the test: modules marked ``both_engines`` are run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import on_engine, run_marked_on_both
from tests.service.clinic import Clinic, a_clinic
from tests.store.databases import close_all


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_marked_on_both(metafunc)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The engine of the databases below the test's folder."""
    chosen = getattr(request, "param", "sqlite")
    with on_engine(tmp_path, chosen):
        yield chosen
        close_all()


@pytest.fixture
def clinic(tmp_path: Path, engine: str) -> Iterator[Clinic]:
    with a_clinic(tmp_path) as found:
        yield found
