"""The configuration kept for a later start has the board, the levels and the languages, paths counted from its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.settings import load_settings
from monitor.errors import ConfigError
from monitor.service import last_good
from monitor.service.opening import Source, open_site
from monitor.service.reload import reloaded
from monitor.store.troubles import all_troubles
from tests.config.files import BOARD
from tests.service.clinic import Clinic, on

SMIME = "  smime: {certificate: own.pem, encrypt: true}\n"


def _configured(folder: Path, text: str) -> Path:
    for name in ("own.pem", "b.pem"):
        (folder / name).write_text("", encoding="utf-8")
    path = folder / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_given_every_new_key_when_kept_and_the_file_is_broken_then_the_kept_one_says_the_same(tmp_path: Path) -> None:
    text = BOARD.read_text(encoding="utf-8").replace("  staff_domains", f"{SMIME}  staff_domains")
    path = _configured(tmp_path, text.replace("user: berger", "user: berger, certificate: b.pem"))
    settings = load_settings(path)
    source = Source(config=path, database_url=None)
    last_good.save(settings, source, {})
    path.write_text(f"{text}polly: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="polly"):
        load_settings(path)
    kept = last_good.load(source, {})
    assert kept is not None
    assert kept.settings == settings
    assert kept.settings.board is not None
    assert kept.settings.directory.people["berger"].recipient.certificate == str(tmp_path / "b.pem")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (("privacy: pseudonym", "privacy: identified"), "privacy: identified would name patients"),
        (("privacy: pseudonym", "board: {port: 8480, address: http://alerts.hospital.example}"), "https:// is expected"),
        (("insecure: true}", "insecure: true}\n  staff_domains: [other.example]"), "no channel"),
    ],
)
def test_given_a_mistake_in_a_new_key_when_reloaded_then_it_is_refused_and_the_one_before_stays_in_force(
    clinic: Clinic, change: tuple[str, str], refused: str
) -> None:
    path = clinic.folder / "monitor.yaml"
    before = path.read_text(encoding="utf-8") + "privacy: pseudonym\n"
    path.write_text(before, encoding="utf-8")
    source = Source(config=path, database_url=None)
    with open_site(path) as site:
        assert reloaded(site, source, on(0)) is not None
        path.write_text(before.replace(*change), encoding="utf-8")
        assert reloaded(site, source, on(0)) is None
        with site.database.read() as connection:
            (trouble,) = all_troubles(connection)
        assert refused in trouble.words
        path.write_text(before, encoding="utf-8")
        assert reloaded(site, source, on(1)) is not None


def test_given_the_new_keys_when_reloaded_then_they_are_in_force(clinic: Clinic) -> None:
    path = clinic.folder / "monitor.yaml"
    more = "privacy: none\nboard: {port: 8480, address: 'http://localhost:8480', session: 1 h}\n"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    with open_site(path) as site:
        changed = reloaded(site, Source(config=path, database_url=None), on(0))
    assert changed is not None
    assert (changed.settings.privacy, changed.settings.board is not None) == ("none", True)
