"""A secret that was written into a file by mistake is refused and never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import check
from monitor.config.problems import InvalidConfigError
from monitor.config.secrecy import looks_secret, masked
from monitor.config.secrets import SecretName, secret, variable
from monitor.config.settings import load_settings
from monitor.errors import ConfigError
from tests.config.files import MINIMAL, monitor_file

MARKER = "Xq7hunter2"
RELAY = "insecure: true}"


def _texts(path: Path) -> str:
    problems = check(path)
    return "\n".join([*map(str, problems), json.dumps([problem.as_json() for problem in problems]), repr(problems)])


@pytest.mark.parametrize(
    "key", ["password", "smtp_password", "passwd", "pwd", "secret", "api-key", "token", "smtp_pass", '"PassWord"']
)
def test_given_a_secret_in_the_relay_when_checked_then_it_is_refused_with_the_remedy_and_masked(tmp_path: Path, key: str) -> None:
    path = monitor_file(tmp_path, (RELAY, f"{key}: {MARKER}, insecure: true}}"))
    (problem,) = check(path)
    assert problem.code == "secret-in-file"
    assert (problem.line, problem.column) == (7, 38)
    assert "BIPN_MONITOR_SMTP_PASSWORD" in problem.message
    assert MARKER not in _texts(path)


def test_given_a_secret_over_several_lines_when_another_mistake_is_on_its_last_line_then_nothing_of_it_is_shown(
    tmp_path: Path,
) -> None:
    path = monitor_file(tmp_path, (RELAY, f'password: "a\n     {MARKER}", prot: 3, insecure: true}}'))
    assert [problem.code for problem in check(path)] == ["secret-in-file", "unknown-key"]
    assert MARKER not in _texts(path)


def test_given_a_secret_in_a_database_url_when_refused_then_it_is_not_shown(tmp_path: Path) -> None:
    path = monitor_file(tmp_path, ("sqlite:///bipn-monitor.db", f"postgresql://monitor:{MARKER}@db/monitor"))
    (problem,) = check(path)
    assert problem.code == "secret-in-file"
    assert "the file database_password" in problem.message
    assert MARKER not in _texts(path)
    with pytest.raises(InvalidConfigError) as refused:
        load_settings(path)
    assert MARKER not in str(refused.value)


SECRETS = st.sampled_from(
    [
        f"password: {MARKER}",
        f"password: *{MARKER}",
        f"password: &{MARKER} x",
        f"password: !{MARKER} x",
        f"password: '{MARKER}",
        f'password: "\\{MARKER}',
        f"password:\n    {MARKER}: 1\n    {MARKER}: 2",
        f"password: |\n    {MARKER}\n    more",
        f"tokens: [{MARKER}, {MARKER}: {MARKER}]",
        f"secret: {{{MARKER}: {MARKER}}}",
        f"pass: {MARKER}: x",
    ]
)
BREAKS = st.sampled_from(["", "\t", "  - [", "'", '"', "}", "x: y: z", "&a *a", "%", "a: 1\na: 2"])


@settings(max_examples=100, deadline=None)
@given(secret=SECRETS, broken=BREAKS, at=st.integers(0, MINIMAL.count("\n")), below=st.integers(0, 3))
def test_given_a_planted_secret_and_any_other_mistake_when_checked_then_no_text_shows_it(
    tmp_path_factory: pytest.TempPathFactory, secret: str, broken: str, at: int, below: int
) -> None:
    lines = MINIMAL.splitlines()
    lines[at:at] = secret.splitlines()
    lines.insert(min(at + 1 + below, len(lines)), broken)
    path = tmp_path_factory.mktemp("planted") / "monitor.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load_settings(path)
    except InvalidConfigError as refused:
        texts = [str(refused), *(json.dumps(problem.as_json()) + repr(problem) for problem in refused.problems)]
        assert not [text for text in texts if MARKER in text]
    else:
        pytest.fail("a secret in the file was accepted")


def test_given_a_line_without_secrets_when_masked_then_it_is_unchanged() -> None:
    assert (
        masked("  - {name: Nurse on duty, address: nurse@hospital.example}")
        == "  - {name: Nurse on duty, address: nurse@hospital.example}"
    )


def test_given_several_places_when_the_password_is_looked_for_then_the_credential_comes_first(tmp_path: Path) -> None:
    credentials, beside = tmp_path / "credentials", tmp_path / "config"
    for folder, text in ((credentials, "of systemd\n"), (beside, "of the file\n")):
        folder.mkdir()
        (folder / "smtp_password").write_text(text, encoding="utf-8")
        (folder / "smtp_password").chmod(0o600)
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "BIPN_MONITOR_SMTP_PASSWORD": "of the variable"}
    assert secret("smtp_password", environ, beside) == "of systemd"
    assert secret("smtp_password", {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}, beside) == "of the variable"
    assert secret("smtp_password", {}, beside) == "of the file"
    assert secret("smtp_password", {}, tmp_path) is None
    assert secret("smtp_password", {}) is None


def test_given_a_password_file_that_everybody_can_read_when_read_then_it_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "smtp_password"
    file.write_text(MARKER, encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o-r") as refused:
        secret("smtp_password", {}, tmp_path)
    assert MARKER not in str(refused.value)


def test_given_a_password_file_that_is_not_text_when_read_then_its_bytes_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "smtp_password"
    file.write_bytes(MARKER.encode() + b"\xff")
    file.chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        secret("smtp_password", {}, tmp_path)
    assert MARKER not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("name", get_args(SecretName))
def test_given_any_secret_when_looked_for_then_its_own_places_are_looked_at(tmp_path: Path, name: SecretName) -> None:
    assert secret(name, {variable(name): MARKER}, tmp_path) == MARKER
    (tmp_path / name).write_text(f"-----BEGIN-----\n{MARKER}\n-----END-----\n", encoding="utf-8")
    (tmp_path / name).chmod(0o600)
    assert secret(name, {}, tmp_path) == f"-----BEGIN-----\n{MARKER}\n-----END-----"
    others = [other for other in get_args(SecretName) if other != name]
    assert [secret(other, {}, tmp_path) for other in others] == [None] * len(others)


@pytest.mark.parametrize("key", ["token_url", "secretary", "secretariat", "certificate", "client_id"])
def test_given_a_key_that_only_sounds_like_a_secret_when_asked_then_it_is_none(key: str) -> None:
    assert not looks_secret(key)


@pytest.mark.parametrize("key", ["client_secret", "access_token", "refresh_token", "ping_url", "smime_private_key"])
def test_given_a_key_that_holds_a_secret_when_asked_then_it_is_one(key: str) -> None:
    assert looks_secret(key)
