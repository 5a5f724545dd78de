"""A real catalog without its threads, behind the calls of the engine's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage.catalog.db import Catalog


class DirectCatalog:
    """Each call at once."""

    def __init__(self, path: Path) -> None:
        self._catalog = Catalog.open(path)

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._catalog, call)(*args, **kwargs)

    write = read

    def close(self) -> None:
        self._catalog.close()
