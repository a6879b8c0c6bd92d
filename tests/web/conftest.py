"""A clinic with a board in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.clinic import a_clinic
from tests.web.house import BOARD, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_clinic(tmp_path, more=BOARD) as clinic:
        yield House(clinic)
