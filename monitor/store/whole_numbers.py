"""How PostgreSQL's numbers of any length come to us: whole ones as int, as SQLite hands them over."""

from __future__ import annotations

from decimal import Decimal

from psycopg.abc import Buffer
from psycopg.adapt import Loader


class WholeLoader(Loader):
    """For NUMERIC, the type of columns that other programs write whole numbers into (``dialect.Whole``)."""

    def load(self, data: Buffer) -> int | Decimal:
        """An int for ``3`` and for ``3.0``."""
        text = bytes(data)
        if text.isdigit():
            return int(text)
        number = Decimal(text.decode())
        return int(number) if number.is_finite() and number == number.to_integral_value() else number
