"""``selftest``: what it does on a machine where all is well, and that it would find a loss."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.service.selftest import POINTS, LostError, selftest, told


def test_given_an_installed_program_when_it_tests_itself_then_it_is_ended_at_each_point_and_no_alert_is_lost(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "monitor", "selftest", "--format", "json"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BIPN_")}
    # What configures the real installation must not reach it, nor it the real installation.
    ours = {"BIPN_MONITOR_CONFIG": "/nonexistent", "STATE_DIRECTORY": str(tmp_path), "TMPDIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env={**environ, **ours}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    assert report["ok"] is True
    assert [each["point"] for each in report["points"]] == list(POINTS)
    twice = {each["point"] for each in report["points"] if "twice" in each["words"]}
    assert twice >= {"before 250", "after 250", "before commit: outcome"}
    assert list(tmp_path.iterdir()) == []


def test_given_a_mail_that_did_not_arrive_when_counted_then_it_is_found(tmp_path: Path) -> None:
    first = next(selftest(tmp_path, POINTS[:1]))
    assert first.ok, first.words
    assert told(tmp_path / "0") == 0
    mails = sorted((tmp_path / "0" / "mail").glob("*.eml"))
    lost = mails[0].read_bytes()
    mails[0].unlink()
    with pytest.raises(LostError, match="LOST: 1 to"):
        told(tmp_path / "0")
    mails[0].write_bytes(lost)
    mails[0].with_name("900.eml").write_bytes(lost)
    with pytest.raises(LostError, match="does not say so"):
        told(tmp_path / "0")
