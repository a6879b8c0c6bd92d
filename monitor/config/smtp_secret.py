"""The one secret: the relay's password. It is never in the configuration and never in a text."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from monitor.errors import ConfigError

NAME = "smtp_password"
VARIABLE = "BIPN_MONITOR_SMTP_PASSWORD"


def smtp_password(environ: Mapping[str, str], config_folder: Path | None = None) -> str | None:
    """The first of: systemd's credential, the variable, the file ``smtp_password`` beside the configuration. None without any.

    Raises ConfigError for a file that cannot be read, or that everybody can.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / NAME).is_file():
        return _read(Path(folder) / NAME)
    if environ.get(VARIABLE):
        return environ[VARIABLE]
    if config_folder is not None and (config_folder / NAME).is_file():
        path = config_folder / NAME
        if path.stat().st_mode & stat.S_IROTH:
            raise ConfigError(f"{path} can be read by everybody; run: chmod o-r {path}")
        return _read(path)
    return None


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except PermissionError:
        raise ConfigError(f"{path} cannot be read by this user: run this as one who may, or let this user read it") from None
    except (OSError, UnicodeDecodeError) as error:
        # `from None`: the text of a decoding error holds bytes of the secret
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}") from None
    return text.rstrip("\r\n") or None
