"""The preview: every mail as files to look at."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

from playwright.sync_api import Page

from monitor.delivery.facts import KINDS
from monitor.delivery.preview import preview_files
from tests.chromium import serious
from tests.delivery.mails import SAID

PNG = b"\x89PNG\r\n\x1a\n"


def test_given_every_kind_when_previewed_then_each_sample_is_three_files_in_each_language_and_an_index_names_them(
    tmp_path: Path,
) -> None:
    written = preview_files(tmp_path / "previews", KINDS)
    assert written[0].name == "index.html"
    assert len(written) == 1 + 3 * len(SAID)
    assert len({path.name for path in written}) == len(written)
    index = written[0].read_text(encoding="utf-8")
    for path in written[1:]:
        assert f'href="{path.name}"' in index
        if path.suffix == ".eml":
            parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_given_a_figure_when_previewed_then_the_mail_has_it_and_the_page_shows_the_file_beside_it(tmp_path: Path) -> None:
    preview_files(tmp_path, ["alert"], draw=lambda language: PNG + language.encode())
    page = (tmp_path / "alert-immediate-full.de.html").read_text(encoding="utf-8")
    assert 'src="figure.de.png"' in page
    assert (tmp_path / "figure.de.png").read_bytes() == PNG + b"de"
    mail = email.message_from_bytes((tmp_path / "alert-immediate-full.de.eml").read_bytes(), policy=email.policy.default)
    assert [part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"] == [PNG + b"de"]


def test_given_no_figure_when_previewed_then_neither_page_nor_mail_leaves_a_hole(tmp_path: Path) -> None:
    preview_files(tmp_path, ["alert"])
    for name in ("alert-immediate-full.en.html", "alert-immediate-full.en.eml"):
        assert b"<img" not in (tmp_path / name).read_bytes()


def test_given_a_clinic_s_own_file_when_previewed_then_it_wins_and_the_index_says_which(tmp_path: Path) -> None:
    own = tmp_path / "own" / "test" / "subject.txt"
    own.parent.mkdir(parents=True)
    own.write_text("{{ 'Probe' if language == 'de' else 'Trial' }}", encoding="utf-8")
    index, *_ = preview_files(tmp_path / "out", ["test"], templates=tmp_path / "own")
    page = " ".join(index.read_text(encoding="utf-8").split())
    assert f"subject.txt <code>{own}</code>, body.txt <code>as shipped</code>" in page
    assert '<p class="subject" lang="de">Probe</p>' in page
    assert '<p class="subject" lang="en">Trial</p>' in page


def test_given_a_hostile_subject_of_a_template_when_previewed_then_the_index_stays_a_page(tmp_path: Path) -> None:
    own = tmp_path / "own" / "test" / "subject.txt"
    own.parent.mkdir(parents=True)
    own.write_text("<script>alert(1)</script>", encoding="utf-8")
    index, *_ = preview_files(tmp_path / "out", ["test"], templates=tmp_path / "own")
    assert "<script" not in index.read_text(encoding="utf-8")


def test_given_an_index_when_axe_reads_it_then_nothing_is_serious(tmp_path: Path, page: Page) -> None:
    index, *_ = preview_files(tmp_path, ["test", "operations"])
    page.goto(index.as_uri())
    assert serious(page) == []
