"""Bytes of a feed in, validated rows and the rejected ones out. Knows no database."""

from monitor.importers.csv_file import read_csv

IMPORTERS = {".csv": read_csv}
"""Reader by the suffix of a file's name."""
