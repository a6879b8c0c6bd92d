"""The configuration kept for a later start has the board, the levels and the languages, paths counted from its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.feed_fhir import FhirFeed
from monitor.config.settings import load_settings
from monitor.errors import ConfigError
from monitor.service import last_good
from monitor.service.opening import Source, open_site
from monitor.service.reload import reloaded
from monitor.shipped import shipped
from monitor.store.troubles import all_troubles
from tests.config.files import BOARD, monitor_file
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


def test_given_feeds_and_a_mapping_of_ones_own_when_that_is_gone_then_the_kept_one_stands_in(tmp_path: Path) -> None:
    shipped_fhir = (shipped("config") / "fhir.yaml").read_bytes()
    (tmp_path / "own-fhir.yaml").write_bytes(shipped_fhir)
    feed = "feeds: {lab: {kind: fhir, url: 'https://fhir.h.example'}}"
    path = monitor_file(tmp_path, ("poll_every: 60 s", f"{feed}\nmappings: {{fhir: own-fhir.yaml}}"))
    source = Source(config=path, database_url=None)
    last_good.save(load_settings(path), source, {})
    (tmp_path / "own-fhir.yaml").unlink()
    with pytest.raises(ConfigError, match=r"own-fhir\.yaml"):
        load_settings(path)
    kept = last_good.load(source, {})
    assert kept is not None
    assert kept.settings.feeds == {"lab": FhirFeed(kind="fhir", url="https://fhir.h.example")}
    assert kept.settings.mappings["fhir"].read_bytes() == shipped_fhir


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
