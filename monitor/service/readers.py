"""Which reader takes which file, by the end of its name. A new kind of file is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.importers.csv_file import read_csv
from monitor.importers.imported import Reader
from monitor.importers.sheets import read_sheets

READERS: Mapping[str, Reader] = {".csv": read_csv, ".xlsx": read_sheets, ".xls": read_sheets, ".ods": read_sheets}
