"""CI draws the same examples every time, so that a red run can be repeated; everywhere else every run draws new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
if os.environ.get("HYPOTHESIS_REPEATABLE"):
    settings.load_profile("repeatable")
