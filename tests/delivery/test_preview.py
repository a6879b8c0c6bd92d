"""The preview: every mail as files to look at."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

from monitor.delivery.facts import KINDS
from monitor.delivery.preview import preview_files
from tests.delivery.mails import EVERY


def test_given_every_kind_when_previewed_then_each_sample_is_three_files_and_an_index_names_them(tmp_path: Path) -> None:
    written = preview_files(tmp_path / "previews", KINDS)
    assert written[0].name == "index.html"
    assert len(written) == 1 + 3 * len(EVERY)
    assert len({path.name for path in written}) == len(written)
    index = written[0].read_text(encoding="utf-8")
    for path in written[1:]:
        assert f'href="{path.name}"' in index
        if path.suffix == ".eml":
            parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
