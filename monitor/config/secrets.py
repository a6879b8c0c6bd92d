"""The secrets: passwords, a key, the dead-man's switch. They are never in the configuration and never in a text."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from monitor.errors import ConfigError

SecretName = Literal[
    "smtp_password",
    "smtp_password_fallback",
    "smtp_oauth_secret",
    "smtp_oauth_secret_fallback",
    "smime_key",  # PEM text
    "imap_password",
    "ping_url",
    "database_password",
]


def secret(name: SecretName, environ: Mapping[str, str], config_folder: Path | None = None) -> str | None:
    """The first of: systemd's credential, the variable, the file ``name`` beside the configuration. None without any.

    Raises ConfigError for a file that cannot be read, or that everybody can.
    """
    return _secret(name, environ, config_folder)


def _secret(name: str, environ: Mapping[str, str], config_folder: Path | None) -> str | None:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / name).is_file():
        return _read(Path(folder) / name)
    if environ.get(variable(name)):
        return environ[variable(name)]
    if config_folder is not None and (config_folder / name).is_file():
        path = config_folder / name
        if path.stat().st_mode & stat.S_IROTH:
            raise ConfigError(f"{path} can be read by everybody; run: chmod o-r {path}")
        return _read(path)
    return None


def feed_secret(feed: str, environ: Mapping[str, str], config_folder: Path | None = None) -> str | None:
    """The secret of a feed, ``feed_NAME``, from where ``secret`` looks. Raises ConfigError as it does."""
    return _secret(f"feed_{feed}", environ, config_folder)


def variable(name: str) -> str:
    """The environment variable that may hold the secret.

    >>> variable("smtp_password"), variable("feed_ward-files")
    ('BIPN_MONITOR_SMTP_PASSWORD', 'BIPN_MONITOR_FEED_WARD_FILES')
    """
    return f"BIPN_MONITOR_{name.upper().replace('-', '_')}"


def remedy(loc: Sequence[str | int]) -> str:
    """What to do with a secret that was written at a place of the configuration."""
    if loc[:1] == ("board",):
        return "a secret does not belong in this file, and the board needs none: it makes its own"
    relay = "_fallback" if "fallback_relay" in loc else ""
    places = {
        "imap": "imap_password",
        "answers": "imap_password",
        "smime": "smime_key",
        "coverage": "ping_url",
        "ping_url": "ping_url",
        "database": "database_password",
    }
    name = next((name for key, name in places.items() if key in loc), f"smtp_password{relay}")
    name = f"smtp_oauth_secret{relay}" if "oauth" in loc else name
    name = f"feed_{loc[1]}" if loc[:1] == ("feeds",) and len(loc) > 1 else name
    return f"a secret does not belong in this file; give it as the systemd credential or the file {name}, or in {variable(name)}"


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except PermissionError:
        raise ConfigError(f"{path} cannot be read by this user: run this as one who may, or let this user read it") from None
    except (OSError, UnicodeDecodeError) as error:
        # `from None`: the text of a decoding error holds bytes of the secret
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}") from None
    return text.rstrip("\r\n") or None
