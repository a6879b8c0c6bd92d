"""A site for a command that says what would happen and writes nothing: not even a database where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from monitor.config.secrets import secret
from monitor.service.opening import Configuration, Site, open_configured, read_configuration
from monitor.store.database import open_database
from monitor.store.schema import foreign, schema_version


@contextmanager
def site_for_a_dry_run(config: Path, database_url: str | None = None) -> Iterator[Site]:
    """As ``open_site``. Where a real run would make a database, an empty one that is gone afterwards: then ``made`` is true.

    Raises as ``open_site`` does.
    """
    configuration = read_configuration(config, database_url)
    if not _would_be_made(configuration):
        with open_configured(configuration) as site:
            yield site
        return
    with TemporaryDirectory(prefix="bipn-monitor-dry-run-") as folder:
        empty = replace(configuration.settings, database=f"sqlite:///{folder}/empty.db")
        with open_configured(replace(configuration, settings=empty), create=True) as site:
            yield site


def _would_be_made(configuration: Configuration) -> bool:
    """Whether there is no database yet, or one without any table. What cannot be opened a real run could not open either."""
    url = make_url(configuration.settings.database)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        return Path(url.database).parent.is_dir()
    password = secret("database_password", os.environ, configuration.folder)
    with closing(open_database(configuration.settings.database, password=password)) as database:
        return schema_version(database) is None and not foreign(database)
