"""Bytes of a feed in, validated rows and the rejected ones out. Knows no database. `service/readers.py` lists the readers."""
