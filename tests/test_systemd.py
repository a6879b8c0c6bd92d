"""The units as systemd reads them: no mistake in them, and little that they could do beyond their work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from monitor.config.secrets import SecretName
from monitor.importers.sheet_worker import MOST_MEMORY

UNITS = Path(__file__).parent.parent / "systemd"
MOST_EXPOSED = {"bipn-monitor.service": 1.1, "bipn-monitor-failed@.service": 2.0}
"""``systemd-analyze security`` of Debian 12. The second one is root's: it writes to everybody's terminal and starts a service."""

pytestmark = [
    pytest.mark.skipif(not UNITS.is_dir(), reason="the units are in the checkout, not in the wheel"),
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"),
]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with programs that exist here: systemd looks whether they do."""
    for name in MOST_EXPOSED:
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(re.sub(r"/(opt|usr/local/lib)/bipn-monitor/\S+", "/bin/true", text), encoding="utf-8")
    return tmp_path


def said(*words: str) -> subprocess.CompletedProcess[str]:
    plain = dict(os.environ) | {"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "LC_ALL": "C.UTF-8"}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=plain)


@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_given_a_unit_when_verified_then_systemd_has_nothing_to_say(units: Path, name: str) -> None:
    ran = said("systemd-analyze", "verify", str(units / name))
    ours = [line for line in (ran.stdout + ran.stderr).splitlines() if "bipn-monitor" in line]
    assert (ran.returncode, ours) == (0, [])


@pytest.mark.parametrize(("name", "most"), MOST_EXPOSED.items())
def test_given_a_unit_when_its_exposure_is_measured_then_it_is_small(units: Path, name: str, most: float) -> None:
    ran = said("systemd-analyze", "security", "--offline=yes", "--no-pager", str(units / name))
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout)
    assert exposure is not None, ran.stderr
    assert float(exposure[1]) <= most


@pytest.mark.parametrize("name", get_args(SecretName))
def test_given_a_secret_when_the_unit_is_read_then_it_is_handed_over_and_may_be_absent(name: str) -> None:
    lines = (UNITS / "bipn-monitor.service").read_text(encoding="utf-8").splitlines()
    assert f"LoadCredential={name}:/etc/bipn-monitor/{name}" in lines
    assert rf"SetCredential={name}:\n" in lines


def test_given_the_board_when_the_unit_is_read_then_it_may_be_called_on_this_machine_and_by_no_other() -> None:
    lines = (UNITS / "bipn-monitor.service").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("IPAddress")] == ["IPAddressDeny=any", "IPAddressAllow=localhost"]
    (families,) = [line.partition("=")[2].split() for line in lines if line.startswith("RestrictAddressFamilies=")]
    assert {"AF_INET", "AF_INET6"} <= set(families)
    assert not [line for line in lines if line.startswith(("SocketBindDeny", "PrivateNetwork", "SystemCallFilter=~@network"))]


def test_given_the_account_and_the_folders_when_made_in_an_empty_root_then_the_records_are_the_services_alone(
    tmp_path: Path,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("accounts and folders of other users are made by root")
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib").mkdir(parents=True)
    for tool, kind in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        options = ["--create"] if kind == "tmpfiles" else []
        ran = said(tool, f"--root={tmp_path}", *options, str(UNITS / f"bipn-monitor.{kind}.conf"))
        assert ran.returncode == 0, ran.stderr
    (account,) = [line for line in (tmp_path / "etc/passwd").read_text(encoding="utf-8").splitlines() if "bipn-monitor" in line]
    _, _, user, group, _, home, shell = account.split(":")
    assert (home, shell) == ("/var/lib/bipn-monitor", "/usr/sbin/nologin")
    records, configuration = (tmp_path / "var/lib/bipn-monitor").stat(), (tmp_path / "etc/bipn-monitor").stat()
    assert (oct(records.st_mode), records.st_uid) == ("0o40700", int(user))
    assert (oct(configuration.st_mode), configuration.st_uid, configuration.st_gid) == ("0o40750", 0, int(group))


def a_failure_told(folder: Path, hook: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What the program that tells of a failure does where neither the journal nor any terminal listens."""
    found = {"RUNTIME_DIRECTORY": str(folder), "PATH": str(Path(shutil.which("timeout") or "/usr/bin").parent)}
    return subprocess.run(
        [UNITS / "bipn-monitor-failed", "bipn-monitor.service"],
        capture_output=True,
        text=True,
        check=True,
        env=found | {"BIPN_MONITOR_ON_FAILURE": str(hook or folder / "none")},
    )


def test_given_a_failed_unit_when_told_then_a_file_says_so_and_the_hook_runs_once_an_hour(tmp_path: Path) -> None:
    hook = tmp_path / "on-failure"
    hook.write_text('#!/bin/sh\necho "$1" >> "${0}.ran"\nexit 3\n', encoding="utf-8")
    hook.chmod(0o755)
    state = tmp_path / "bipn-monitor.service"
    a_failure_told(tmp_path, hook)
    a_failure_told(tmp_path, hook)
    assert "nobody is mailed" in state.read_text(encoding="utf-8")
    assert (tmp_path / "on-failure.ran").read_text(encoding="utf-8") == "bipn-monitor.service\n"
    an_hour_ago = state.stat().st_mtime - 3700
    os.utime(state, (an_hour_ago, an_hour_ago))
    a_failure_told(tmp_path, hook)
    assert len((tmp_path / "on-failure.ran").read_text(encoding="utf-8").splitlines()) == 2


def test_given_no_hook_when_a_failure_is_told_then_the_file_says_so(tmp_path: Path) -> None:
    a_failure_told(tmp_path)
    assert (tmp_path / "bipn-monitor.service").is_file()


def test_given_a_workbook_that_takes_all_it_may_when_the_unit_is_read_then_there_is_room_and_the_daemon_is_not_ended_for_it() -> (
    None
):
    lines = (UNITS / "bipn-monitor.service").read_text(encoding="utf-8").splitlines()
    assert "MemoryMax=1G" in lines
    assert 2 * MOST_MEMORY + (200 << 20) <= 1 << 30
    assert "OOMPolicy=continue" in lines
