"""What the revisions write columns, checks and indexes with. A revision that has run anywhere must go on to make the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from monitor.store.dialect import Key, Words


def required(name: str, type_: Any = Words, default: Any = None) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, server_default=default)


def all_required(names: str, type_: Any = Words) -> list[sa.Column[Any]]:
    return [required(name, type_) for name in names.split()]


def optional(names: str, type_: Any = Words) -> list[sa.Column[Any]]:
    return [sa.Column(name, type_) for name in names.split()]


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def one_of(table: str, names: str, allowed: Sequence[str]) -> list[sa.CheckConstraint]:
    found = []
    for name in names.split():
        listed = " OR ".join(f"{name} = '{word}'" for word in allowed)
        found.append(check(table, name, f"{name} IS NULL OR {listed}"))
    return found


def between(table: str, names: str, low: int, high: int) -> list[sa.CheckConstraint]:
    return [check(table, name, f"{name} BETWEEN {low} AND {high}") for name in names.split()]


def dated(table: str, names: str) -> list[sa.CheckConstraint]:
    return [check(table, name, f"{name} LIKE '____-__-__%'") for name in names.split()]


def partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def key() -> sa.Column[Any]:
    return sa.Column("id", Key, primary_key=True, nullable=False)
