"""What a feed that shows its present state says of one place of one record: an item, or why there is none."""

from __future__ import annotations

from typing import NamedTuple

from monitor.importers.imported import Rejected
from monitor.importers.items import Item


class Said(NamedTuple):
    """``record`` is whose state it is, ``id`` the item's.

    With an empty id: the record is there; and where something is refused, nothing of it can be told.
    With an empty record besides: it may be anybody's.
    """

    record: str
    id: str
    item: Item | None
    refused: tuple[Rejected, ...] = ()
