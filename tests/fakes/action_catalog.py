"""The catalog as actions see it: settings, secrets and results in dictionaries."""

from __future__ import annotations

from typing import Any

import msgspec

from storage.catalog.alarm_records import ResultRow
from storage.errors import CatalogDamaged


class ActionCatalog:
    """`results` holds the newest of each action, `history` all that were written, in order."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.results: dict[tuple[int, int], ResultRow] = {}
        self.history: list[ResultRow] = []
        self.is_broken = False

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.is_broken:
            raise CatalogDamaged("the disk is gone")
        match call:
            case "station_setting":
                return self.settings.get(args[0])
            case "secret":
                return self.secrets.get(args[0])
        raise AssertionError(call)

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any:
        if self.is_broken:
            raise CatalogDamaged("the disk is full")
        match call:
            case "put_action_results":
                for row in args[0]:
                    self.results[row.alarm_id, row.position] = row
                    self.history.append(row)
            case "end_action_results":
                for key, row in self.results.items():
                    if row.state in ("waiting", "running"):
                        self.results[key] = msgspec.structs.replace(row, state="failed", text=args[0])
            case "put_station_setting":
                self.settings[args[0]] = args[1]
            case _:
                raise AssertionError(call)

    def states(self, alarm_id: int) -> list[str]:
        return [row.state for (id, _), row in sorted(self.results.items()) if id == alarm_id]
