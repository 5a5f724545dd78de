"""The catalog as the parts of the engine see it: calls by name, answered later. engine/catalog_thread.py is the real one."""

from __future__ import annotations

from typing import Any, Protocol


class CatalogAccess(Protocol):
    """Methods of storage.catalog.db.Catalog by name."""

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...
