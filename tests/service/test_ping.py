"""The dead-man's switch, against a real HTTP server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.service.ping import ping
from tests.service.switch import Switch, a_switch


@pytest.fixture
def switch() -> Iterator[Switch]:
    with a_switch() as found:
        yield found


def test_given_a_switch_when_all_is_well_then_it_is_called_once(switch: Switch) -> None:
    assert ping(switch.url, True) is None
    assert switch.called == ["/6f1f-secret"]


def test_given_a_switch_when_all_is_not_well_then_its_failure_address_is_called(switch: Switch) -> None:
    assert ping(switch.url + "/?rid=1", False) is None
    assert switch.called == ["/6f1f-secret/fail?rid=1"]


def test_given_a_switch_that_fails_twice_when_called_then_the_third_call_counts(switch: Switch) -> None:
    switch.codes = [500, 503]
    assert ping(switch.url, True) is None
    assert len(switch.called) == 3


def test_given_a_switch_that_goes_on_failing_when_called_then_its_answer_is_told_without_the_address(switch: Switch) -> None:
    switch.codes = [500] * 9
    problem = ping(switch.url, True)
    assert problem == "it answers with 500"
    assert len(switch.called) == 3


def test_given_a_switch_that_sends_elsewhere_when_called_then_nobody_goes_there(switch: Switch) -> None:
    switch.codes = [302, 302, 302]
    assert ping(switch.url, True) == "it answers with 302"
    assert "/elsewhere" not in switch.called


def test_given_nobody_listening_when_called_then_that_is_told_without_the_address(switch: Switch) -> None:
    url = switch.url.replace(str(switch.port), "1")
    problem = ping(url, True, retries=0)
    assert problem is not None
    assert "cannot be reached" in problem
    assert "secret" not in problem


@pytest.mark.parametrize("url", ["http://hc.example/secret", "ftp://127.0.0.1/secret", "secret", "https://", "http://[secret"])
def test_given_an_address_that_is_none_or_goes_in_clear_when_called_then_it_is_refused_and_not_told(url: str) -> None:
    problem = ping(url, True, retries=0)
    assert problem is not None
    assert problem.startswith("the secret ping_url")
    assert "hc.example" not in problem
