"""Every test of the store runs on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import on_engine, run_on_both
from tests.store.databases import close_all


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on_both(metafunc)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The engine of ``a_database(tmp_path)``, closed after the test."""
    with on_engine(tmp_path, request.param):
        yield request.param
        close_all()
