"""CI draws the same examples every time, so that a red run can be repeated; everywhere else every run draws new ones.

With TESTS_MAY_NOT_SKIP a test that skips has failed: for a machine that has all that the tests drive.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ["tests.chromium", "tests.engines"]

settings.register_profile("repeatable", derandomize=True)
if os.environ.get("HYPOTHESIS_REPEATABLE"):
    settings.load_profile("repeatable")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("TESTS_MAY_NOT_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}\nskipped, and here no test may: see `make machine`"
    return report
