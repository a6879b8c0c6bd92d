"""How a connection to a server is asked for: encryption, password, and what the URL says itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from monitor.config.database_url import resolve_database
from monitor.errors import DatabaseError
from monitor.store.database import open_database
from monitor.store.server import engine_options
from tests.postgres import a_server, remove

pytestmark = pytest.mark.postgresql_only("connections to a server")


def arguments(url: str, environ: dict[str, str] | None = None, password: str | None = None) -> dict[str, Any]:
    resolved = make_url(resolve_database(url, folder=Path()))
    found: dict[str, Any] = engine_options(resolved, password, environ or {})["connect_args"]
    return found


@pytest.mark.parametrize(
    ("url", "environ", "mode"),
    [
        ("postgresql://u@db.hospital.example/d", {}, "verify-full"),
        ("postgresql://u@192.0.2.7:5433/d", {}, "verify-full"),
        ("postgresql://u@/d?host=db-1,db-2&port=5432,5432", {}, "verify-full"),
        ("postgresql://u@/d?host=/run/postgresql,db-2", {}, "verify-full"),
        ("postgresql://u@/d?host=db-1:5432&host=db-2:5432", {}, "verify-full"),
        ("postgresql://u@/d", {"PGHOST": "db.hospital.example"}, "verify-full"),
        ("postgresql://u@db.hospital.example/d?sslmode=require", {}, None),
        ("postgresql://u@db.hospital.example/d", {"PGSSLMODE": "disable"}, None),
        ("postgresql://u@/d?service=clinic", {}, None),
        ("postgresql://u@/d", {}, None),
        ("postgresql://u@/d?host=/run/postgresql", {}, None),
        ("postgresql://u@localhost/d", {}, None),
        ("postgresql://u@127.0.0.1:5433/d", {}, None),
        ("postgresql://u@[::1]/d", {}, None),
    ],
)
def test_given_a_server_when_asked_for_then_another_host_must_prove_itself_unless_somebody_wrote_otherwise(
    url: str, environ: dict[str, str], mode: str | None
) -> None:
    assert arguments(url, environ).get("sslmode") == mode


def test_given_an_authority_in_the_url_when_asked_for_then_it_counts_and_else_those_of_the_system() -> None:
    assert "sslrootcert" not in arguments("postgresql://u@db/d?sslrootcert=/etc/ca.pem")
    assert arguments("postgresql://u@db/d", {"HOME": "/nowhere"})["sslrootcert"]


def test_given_options_in_the_url_when_asked_for_then_they_stand_beside_ours() -> None:
    found = arguments("postgresql://u@/d?options=-c%20work_mem%3D8MB&connect_timeout=3&application_name=ward")
    assert found["options"].endswith("-c work_mem=8MB")
    assert "timezone=UTC" in found["options"]
    assert not {"connect_timeout", "application_name"} & set(found)


def test_given_a_password_when_asked_for_then_it_is_in_no_url() -> None:
    word = "Xq7hunter2"
    assert arguments("postgresql://u@/d", password=word)["password"] == word
    assert "password" not in arguments("postgresql://u@/d")


NAMED = "db.hospital.example"


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of a server that speaks TLS on 127.0.0.1 by the name NAMED, and its certificate."""
    folder = tmp_path_factory.mktemp("certificate")
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={NAMED} -addext subjectAltName=DNS:{NAMED}"
    made = ["openssl", *words.split(), "-keyout", "server.key", "-out", "server.crt"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    server, port = a_server(), free_port()
    data = server.folder / "data"
    for name in ("server.key", "server.crt"):
        shutil.copy(folder / name, data / name)
        (data / name).chmod(0o600)
        os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n", encoding="utf-8")
    server.stop("fast")
    server.start(listen_addresses="127.0.0.1", port=str(port), ssl="on")
    yield f"postgresql://postgres@{NAMED}:{port}/postgres?hostaddr=127.0.0.1", folder / "server.crt"
    remove(server)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def uses_tls(url: str) -> bool:
    database = open_database(resolve_database(url, folder=Path()))
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar_one()
    database.close()
    return bool(found)


def test_given_a_server_with_a_certificate_when_its_authority_is_named_then_it_is_encrypted(encrypted: tuple[str, Path]) -> None:
    url, certificate = encrypted
    assert uses_tls(f"{url}&sslrootcert={certificate}")


@pytest.mark.parametrize("more", ["", "&sslrootcert={certificate}"])
def test_given_a_server_that_cannot_prove_its_name_when_opened_then_it_is_refused_with_the_remedy(
    encrypted: tuple[str, Path], more: str
) -> None:
    url, certificate = encrypted
    if more:
        url = url.replace(NAMED, "other.hospital.example")  # somebody else's certificate, by a known authority
    with pytest.raises(DatabaseError, match="sslrootcert=FILE"):
        uses_tls(url + more.format(certificate=certificate))


def test_given_what_somebody_wrote_when_opened_then_that_is_done(encrypted: tuple[str, Path]) -> None:
    url, _ = encrypted
    assert uses_tls(f"{url}&sslmode=require")
    assert not uses_tls(f"{url}&sslmode=disable")
