"""The last configuration that held, kept so that a mistake in it does not end the watching, not even across a reboot.

``<state folder>/last-good/`` has monitor.yaml, the clinic's own policy, guideline, mappings and templates, and where they were.
The state folder is systemd's $STATE_DIRECTORY, else that of the database file. No secret is in it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from monitor.config.database_url import resolve_database
from monitor.config.feeds_file import MAPPINGS, shipped_mapping
from monitor.config.policy_files import is_path, shipped_policy
from monitor.config.settings import Settings, read_settings
from monitor.config.yaml_source import read_document
from monitor.errors import MonitorError
from monitor.service.opening import Configuration, Source, with_policy

log = logging.getLogger(__name__)

FOLDER, REPLACED, NEXT = "last-good", "last-good.old", "last-good.new"
ORIGIN, FILE, POLICY, GUIDELINE, TEMPLATES = "origin.json", "monitor.yaml", "policy.yaml", "guideline.yaml", "templates"
MAPPING = "mapping-"
_DATABASE_LINE = re.compile(r"^database:\s*[\"']?(sqlite:///[^\s\"']+)", re.MULTILINE)


def save(settings: Settings, source: Source, environ: Mapping[str, str]) -> None:
    """Keep this configuration, which holds, in place of the one kept before. That it cannot be kept is logged only."""
    state = _state_folder(environ, settings.database)
    if state is None:
        return
    try:
        wanted = _contents(settings, source)
        if _kept(state / FOLDER) == wanted:
            return
        _write(state / NEXT, wanted)
        shutil.rmtree(state / REPLACED, ignore_errors=True)
        if (state / FOLDER).exists():
            (state / FOLDER).rename(state / REPLACED)
        (state / NEXT).rename(state / FOLDER)
        _sync(state)
        shutil.rmtree(state / REPLACED, ignore_errors=True)
    except OSError as error:
        log.warning("the configuration could not be kept for a later start", extra={"errno": error.errno})


def load(source: Source, environ: Mapping[str, str]) -> Configuration | None:
    """The configuration that was kept of ``source``, None without one that can be used. Paths count from its own place."""
    state = _state_folder(environ, source.database_url or _written_database(source.config))
    if state is None:
        return None
    for folder in (state / FOLDER, state / REPLACED):  # the second where the power failed between two renames
        with suppress(OSError, ValueError, MonitorError):
            return _configuration(folder, source)
    return None


def _configuration(folder: Path, source: Source) -> Configuration:
    origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
    if origin != {"source": str(source.config.resolve())}:
        raise ValueError("kept of another configuration")
    document = read_document(folder / FILE)
    document.path = source.config.resolve()
    for key, name in (("policy", POLICY), ("guideline", GUIDELINE), ("templates", TEMPLATES)):
        if (folder / name).exists():
            document.data[key] = str(folder / name)
    for name in MAPPINGS:
        if (folder / f"{MAPPING}{name}.yaml").exists():
            document.data.setdefault("mappings", {})[name] = str(folder / f"{MAPPING}{name}.yaml")
    settings, _ = read_settings(document)
    if settings is None:
        raise ValueError("another version of this program kept it")
    return with_policy(settings, source.config.parent, source.database_url)


def _state_folder(environ: Mapping[str, str], database: str | None) -> Path | None:
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    path = (database or "").removeprefix("sqlite:///")
    return Path(path).parent if path and path != database else None


def _written_database(config: Path) -> str | None:
    """The database that a file names which cannot be used: one line of it may be read all the same."""
    try:
        found = _DATABASE_LINE.search(config.read_text(encoding="utf-8", errors="replace"))
        return resolve_database(found[1], folder=config.resolve().parent) if found else None
    except (OSError, MonitorError):
        return None


def _contents(settings: Settings, source: Source) -> dict[str, bytes]:
    found = {
        ORIGIN: json.dumps({"source": str(source.config.resolve())}).encode(),
        FILE: settings.source.read_bytes(),
    }
    if settings.policy != shipped_policy():
        found[POLICY] = settings.policy.read_bytes()
    if is_path(settings.guideline):
        found[GUIDELINE] = Path(settings.guideline).read_bytes()
    for name, path in settings.mappings.items():
        if path != shipped_mapping(name):
            found[f"{MAPPING}{name}.yaml"] = path.read_bytes()
    if settings.templates is not None:
        found |= {f"{TEMPLATES}/{name}": data for name, data in _files(settings.templates)}
    return found


def _kept(folder: Path) -> dict[str, bytes]:
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, data in contents.items():
        path = folder / name
        for parent in reversed(path.relative_to(folder).parents):
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
