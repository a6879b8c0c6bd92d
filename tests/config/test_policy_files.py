"""Which files make a policy, and what its fingerprint covers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config.policy_files import load_policy, load_policy_argument, shipped_guidelines, shipped_policy
from monitor.config.problems import InvalidConfigError
from monitor.errors import UsageError
from tests.config.files import guideline_file, monitor_file, policy_file

ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", ["eu-smpc", "imwg-2012", "us-label"])
def test_given_a_shipped_name_when_loaded_then_the_others_come_along_in_name_order(name: str) -> None:
    policy = load_policy(guideline=name, zone=ZONE)
    assert policy.guideline.name == name
    assert [other.name for other in policy.others] == sorted(shipped_guidelines().keys() - {name})
    assert policy.zone is ZONE


def test_given_nothing_but_a_zone_when_loaded_then_it_is_the_us_label_with_the_shipped_numbers() -> None:
    policy = load_policy(zone=ZONE)
    both = shipped_policy().read_bytes() + shipped_guidelines()["us-label"].read_bytes()
    assert policy.guideline.name == "us-label"
    assert policy.sha256 == hashlib.sha256(both).hexdigest()


def test_given_one_byte_changed_in_either_file_when_loaded_then_the_fingerprint_differs(tmp_path: Path) -> None:
    thresholds, table = policy_file(tmp_path, ("# Decision support.", "# decision support.")), guideline_file(tmp_path)
    table.write_text(table.read_text(encoding="utf-8") + "# ours\n", encoding="utf-8")
    prints = {
        load_policy(zone=ZONE).sha256,
        load_policy(thresholds=thresholds, zone=ZONE).sha256,
        load_policy(guideline=table, zone=ZONE).sha256,
        load_policy(thresholds=thresholds, guideline=str(table), zone=ZONE).sha256,
    }
    assert len(prints) == 4


def test_given_a_table_of_our_own_when_loaded_then_all_shipped_ones_of_other_names_are_the_others(tmp_path: Path) -> None:
    own = guideline_file(tmp_path, ("name: us-label", "name: our-clinic"))
    assert [other.name for other in load_policy(guideline=own, zone=ZONE).others] == list(shipped_guidelines())
    copy = guideline_file(tmp_path)
    assert [other.name for other in load_policy(guideline=copy, zone=ZONE).others] == ["eu-smpc", "imwg-2012"]


def test_given_mistakes_in_both_files_when_loaded_then_all_are_in_the_error(tmp_path: Path) -> None:
    thresholds, table = policy_file(tmp_path, ("points: 6", "points: 66")), guideline_file(tmp_path, ("name:", "nmae:"))
    with pytest.raises(InvalidConfigError) as refused:
        load_policy(thresholds=thresholds, guideline=table, zone=ZONE)
    assert [problem.code for problem in refused.value.problems] == ["unknown-key", "out-of-range"]


def test_given_a_guideline_that_is_not_shipped_when_loaded_then_the_nearest_is_suggested() -> None:
    with pytest.raises(UsageError, match="did you mean 'us-label'"):
        load_policy(guideline="us-lable", zone=ZONE)


def test_given_each_kind_of_argument_when_loaded_then_only_its_part_is_exchanged(tmp_path: Path) -> None:
    thresholds = policy_file(tmp_path, ('version: "2026.11"', 'version: "ours"'))
    table = guideline_file(tmp_path, ("name: imwg-2012", "name: ours"), name="imwg-2012")

    by_name = load_policy_argument("imwg-2012", thresholds=thresholds, zone=ZONE)
    assert (by_name.guideline.name, by_name.thresholds.version) == ("imwg-2012", "ours")
    by_policy = load_policy_argument(str(thresholds), guideline="eu-smpc", zone=ZONE)
    assert (by_policy.guideline.name, by_policy.thresholds.version) == ("eu-smpc", "ours")
    by_table = load_policy_argument(str(table), thresholds=thresholds, guideline="eu-smpc", zone=ZONE)
    assert (by_table.guideline.name, by_table.thresholds.version) == ("ours", "ours")


@pytest.mark.parametrize("text", ["imwg", "no/such/file.yaml"])
def test_given_an_argument_that_is_nothing_when_loaded_then_it_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=f"there is no file {text}"):
        load_policy_argument(text, zone=ZONE)


def test_given_files_that_are_neither_when_loaded_then_that_is_said(tmp_path: Path) -> None:
    listed = tmp_path / "list.yaml"
    listed.write_text("- 1\n", encoding="utf-8")
    for path in (monitor_file(tmp_path), listed):
        with pytest.raises(InvalidConfigError, match=r"neither a policy file .* nor a guideline file"):
            load_policy_argument(str(path), zone=ZONE)
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [\n", encoding="utf-8")
    with pytest.raises(InvalidConfigError, match="not valid YAML"):
        load_policy_argument(str(broken), zone=ZONE)
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        load_policy_argument(str(tmp_path), zone=ZONE)
