"""The picture in a mail that was really received: there, the same again, cut where there is none, and never in the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from monitor.delivery.figure.drawer import Drawer
from monitor.delivery.message import LARGEST_MAIL
from monitor.service import clock
from monitor.service.figure_of import figure_svg
from monitor.service.outgoing import Writer
from monitor.store import claims, histories, outbox
from monitor.store.tables import FIGURES, MESSAGES
from tests.service.clinic import ZONE, Clinic, a_clinic, on
from tests.smtp_server import DROP, ReceivedMail

WELL: dict[str, Any] = {"sensory_grade": 0, "motor_grade": 0, "neuropathic_pain": "no", "walking": "unaided"}
LOST: dict[str, Any] = {"sensory_grade": 1, "motor_grade": 3, "neuropathic_pain": "no", "walking": "wheelchair"}
PNG = b"\x89PNG\r\n\x1a\n"


def lost_walking(clinic: Clinic, patient: str = "P-1") -> None:
    clinic.on_bortezomib(patient)
    clinic.assess(patient, 30, **WELL)
    clinic.assess(patient, 36, **LOST)


def page_of(mail: ReceivedMail) -> str:
    part = mail.message.get_body(preferencelist=("html",))
    assert part is not None
    return str(part.get_content())


def pictures_of(mail: ReceivedMail) -> list[EmailMessage]:
    return [part for part in mail.message.walk() if part.get_content_maintype() == "image"]


@pytest.fixture
def mails(clinic: Clinic) -> tuple[ReceivedMail, ...]:
    lost_walking(clinic)
    return clinic.poll(on(36, 15)).mails


def test_given_an_alert_when_its_mail_is_received_then_the_page_shows_the_picture_that_came_with_it(
    mails: tuple[ReceivedMail, ...],
) -> None:
    for mail in mails:
        (picture,) = pictures_of(mail)
        assert picture.get_payload(decode=True)[:8] == PNG  # type: ignore[index]  # bytes, of a part that is decoded
        assert picture.get_content_disposition() == "inline"
        assert picture.get_filename() == "1.png"
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in page_of(mail)
        assert len(mail.data) <= LARGEST_MAIL
        assert [part.get_content_type() for part in mail.message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
        ]


def test_given_two_who_are_told_when_received_then_they_see_one_picture_under_two_names(mails: tuple[ReceivedMail, ...]) -> None:
    one, other = (pictures_of(mail)[0] for mail in mails)
    assert one.get_payload() == other.get_payload()
    assert one["Content-ID"] != other["Content-ID"]


def test_given_a_picture_when_its_name_is_read_then_the_finding_is_told_in_words(mails: tuple[ReceivedMail, ...]) -> None:
    assert 'alt="Walking: unaided on 4 Feb 2026, wheelchair on 10 Feb 2026.' in page_of(mails[0])


def test_given_readers_of_two_languages_when_told_then_each_has_a_picture_in_his_own(tmp_path: Path) -> None:
    with a_clinic(tmp_path, second="de") as clinic:
        lost_walking(clinic)
        english, german = sorted(clinic.poll(on(36, 15)).mails, key=lambda mail: mail.recipient)
        assert pictures_of(english)[0].get_payload() != pictures_of(german)[0].get_payload()
        assert 'alt="Gehen: ohne Hilfe am 4. Feb. 2026, Rollstuhl am 10. Feb. 2026.' in page_of(german)
        assert [mail.message["Content-Language"] for mail in (english, german)] == ["en", "de"]


def test_given_an_outcome_that_stayed_unknown_when_sent_again_then_only_the_notice_is_new(clinic: Clinic) -> None:
    lost_walking(clinic)
    clinic.relay.script(".", DROP)
    (first, *_) = clinic.poll(on(36, 15)).mails
    again = next(mail for mail in clinic.poll(on(36, 16)).mails if mail.message["Message-ID"] == first.message["Message-ID"])
    assert pictures_of(again)[0].get_payload() == pictures_of(first)[0].get_payload()
    assert page_of(again) != page_of(first)
    assert pictures_of(again)[0]["Content-ID"] == pictures_of(first)[0]["Content-ID"]


def test_given_a_site_that_shows_nothing_of_patients_when_told_then_nothing_is_drawn_or_kept(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more="privacy: none\n") as clinic:
        lost_walking(clinic)
        mails = clinic.poll(on(36, 15)).mails
        assert mails
        assert not any(pictures_of(mail) for mail in mails)
        with clinic.site.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(FIGURES)).scalar_one() == 0


def test_given_a_figure_whose_data_are_lost_when_sent_then_the_mail_goes_without_its_place(clinic: Clinic) -> None:
    lost_walking(clinic)
    clinic.relay.always(".", "450 4.2.0 busy")
    clinic.poll(on(36, 15))
    with clinic.site.database.write() as connection:
        connection.execute(FIGURES.update().values(data="{}"))
    clinic.relay.forget_script()
    mails = clinic.poll(on(36, 18)).mails
    assert mails
    for mail in mails:
        assert pictures_of(mail) == []
        assert "figure-->" not in page_of(mail)
        assert "cid:" not in page_of(mail)


def test_given_a_message_with_a_figure_when_written_by_another_process_later_then_the_bytes_are_the_same(clinic: Clinic) -> None:
    lost_walking(clinic)
    (mail, *_) = clinic.poll(on(36, 15)).mails
    with clinic.site.database.read() as connection:
        number = connection.execute(select(MESSAGES.c.id).where(MESSAGES.c.message_id == mail.message["Message-ID"])).scalar_one()
        (message,) = outbox.with_ids(connection, [number])
        data = connection.execute(select(FIGURES.c.data)).scalar_one()
    with Drawer(clinic.folder, seconds_now=clock.monotonic_seconds) as drawer:
        assert Writer(clinic.site).bytes_of(message, drawer.draw(data, "png")) == mail.data


def test_given_a_drawing_process_that_hangs_when_written_then_the_mail_goes_without_and_the_next_waits_no_more(
    clinic: Clinic,
) -> None:
    lost_walking(clinic)
    clinic.poll(on(36, 15))
    with clinic.site.database.read() as connection:
        messages = outbox.with_ids(connection, connection.execute(select(MESSAGES.c.id)).scalars())
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with Drawer(clinic.folder, command=command, seconds_now=clock.monotonic_seconds, first_seconds=0.5) as hangs:
        writer = Writer(clinic.site, lambda: hangs)

        async def all_of_them() -> list[bytes]:
            return await asyncio.gather(*map(writer.written, messages * 5))

        begun = clock.monotonic_seconds()
        written = asyncio.run(all_of_them())
        assert clock.monotonic_seconds() - begun < 5  # two were waited for, not ten
    assert len(written) == 10
    assert not any(b"image/png" in data or b"cid:" in data for data in written)


def test_given_a_page_of_the_board_when_shown_twice_then_its_figure_is_drawn_once(clinic: Clinic) -> None:
    lost_walking(clinic)
    clinic.poll(on(36, 15))
    with clinic.site.database.read() as connection:
        history = histories.load(connection, ["P-1"], ZONE).histories["P-1"].as_known_at(on(36, 15))
    findings = [alert.finding for alert in clinic.alerts()]
    shown = [figure_svg(clinic.site.policy, history, findings, "de", on(36, 15)) for _ in range(2)]
    assert shown[0] is not None
    assert shown[0].startswith("<svg ")
    assert shown[0] is shown[1]
    assert "Rollstuhl" in shown[0]


def test_given_a_round_with_a_figure_when_it_is_over_then_this_program_holds_no_plotting_library(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from tests.service.test_figures_in_mails import lost_walking, pictures_of, a_clinic, on\n"
        "with a_clinic(pathlib.Path(sys.argv[1])) as clinic:\n"
        "    lost_walking(clinic)\n"
        "    mails = clinic.poll(on(36, 15)).mails\n"
        "    heavy = [name for name in ('matplotlib', 'numpy', 'PIL') if name in sys.modules]\n"
        "    print(sum(len(pictures_of(mail)) for mail in mails), heavy)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("2 []\n", 0), ran.stderr[-2000:]


def test_given_messages_in_the_outbox_when_claimed_then_they_know_their_figure(clinic: Clinic) -> None:
    lost_walking(clinic)
    clinic.relay.always("MAIL", "450 4.2.0 later")
    clinic.poll(on(36, 15))
    with clinic.site.database.read() as connection:
        assert claims.anything_due(connection, on(37, 15), holder="somebody")
        figures = set(connection.execute(select(MESSAGES.c.figure)).scalars())
        assert figures == set(connection.execute(select(FIGURES.c.sha256)).scalars())
