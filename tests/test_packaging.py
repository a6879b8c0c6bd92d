"""What is shipped is what is committed: no stray file of an administrator, no missing template."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = "monitor/_shipped/"


def committed() -> set[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is committed is not known here")
    listed = subprocess.run([git, "ls-files", "templates", "config"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def test_given_a_checkout_when_the_wheel_is_built_then_it_ships_exactly_the_committed_files(tmp_path: Path) -> None:
    expected = committed()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert {name.removeprefix(SHIPPED) for name in names if name.startswith(SHIPPED)} == expected
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert "monitor/py.typed" in names


def test_given_this_installation_when_it_looks_for_its_files_then_templates_and_config_are_there() -> None:
    from monitor.shipped import shipped

    assert (shipped("templates") / "alert" / "subject.txt").is_file()
    assert (shipped("config") / "policy.yaml").is_file()
