"""Layouts, views and tours of the live wall, and what consoles show first. Cells and cameras inside are the engine's: here they are JSON.

What names what is kept here: a tour names views, a start-up row names a view or a tour. A name that is changed is changed there,
too, in the same transaction; what is named is not removed. Names are the same in any case, as everywhere in the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from storage.catalog.connection import CatalogConnection
from storage.catalog.names import checked_name
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound

ArrangementKind = Literal["layout", "view", "tour"]
KIND_LIMIT = 256
"""Of each kind: a console asks for all of them at once."""
START_UP_KEY = "start_up"
"""Of `station_setting`: `{"rows": [{"terminal", "shows"}]}`."""


LAST_WALL_KEY = "last_wall "
"""Of `station_setting`, with the person behind it: `{terminal: body}`, the newest last."""
TERMINAL_LIMIT = 32
"""Of a person; what was left longest ago is forgotten."""


class ArrangementRow(msgspec.Struct, frozen=True, kw_only=True):
    kind: ArrangementKind
    name: str
    body: str
    """JSON."""


class TourBody(msgspec.Struct, frozen=True, kw_only=True):
    """How the body of a tour is kept."""

    stops: tuple[TourBodyStop, ...] = ()


class TourBodyStop(msgspec.Struct, frozen=True, kw_only=True):
    view: str
    seconds: int


class StartUpRecord(msgspec.Struct, frozen=True, kw_only=True):
    terminal: str
    shows: str
    """A word of the engine's, or `view NAME` or `tour NAME`."""


class _StartUpBody(msgspec.Struct, frozen=True, kw_only=True):
    rows: tuple[StartUpRecord, ...] = ()


_TOUR = msgspec.json.Decoder(TourBody)
_START_UP = msgspec.json.Decoder(_StartUpBody)
_LAST_WALLS = msgspec.json.Decoder(dict[str, str])


class ArrangementRows(CatalogConnection):
    """Table `arrangement`, and the setting `start_up`."""

    def arrangements(self) -> tuple[list[ArrangementRow], tuple[StartUpRecord, ...]]:
        """All, by kind and name, and the start-up rows, as of one moment."""
        with self._snapshot():
            rows = self._rows("SELECT kind, name, body FROM arrangement ORDER BY kind, name")
            shown = self._start_up()
        return [ArrangementRow(kind=kind, name=name, body=body) for kind, name, body in rows], shown

    def put_arrangement(
        self,
        kind: ArrangementKind,
        known_as: str,
        *,
        name: str,
        body: str | bytes,
        changed_us: int,
        changed_by: str = "",
    ) -> str:
        """Make it, give it another body, or another name as well. Returns the name it had, "" = it is new.

        Raises AlreadyExists, Conflict (too many), InvalidInput, NotFound (an old name that is not there; a view of a tour).
        """
        checked, text = checked_name(name, kind), body if isinstance(body, str) else body.decode()
        with self.transaction():
            before = self._name_of(kind, known_as)
            if before is None and known_as.strip().casefold() != checked.casefold():
                raise _missing(kind, known_as)
            taken = self._name_of(kind, checked)
            if taken is not None and taken != before:
                raise AlreadyExists(f"a {kind} is called {taken!r} already", "choose another name")
            if before is None:
                self._check_room(kind)
            if kind == "tour":
                text = self._with_known_views(text)
            if before is not None:
                self._run("DELETE FROM arrangement WHERE kind = ? AND name = ?", (kind, before))
            self._run(
                "INSERT INTO arrangement (kind, name, body, changed_us, changed_by) VALUES (?, ?, ?, ?, ?)",
                (kind, checked, text, changed_us, changed_by),
            )
            if before is not None and before != checked:
                self._rename(kind, before, checked)
        return before or ""

    def remove_arrangement(self, kind: ArrangementKind, name: str) -> str:
        """Returns its name as it was kept. Raises NotFound; Conflict, saying what shows it."""
        with self.transaction():
            known = self._name_of(kind, name)
            if known is None:
                raise _missing(kind, name)
            if users := [*self._tours_with(kind, known), *self._start_up_of(kind, known)]:
                raise Conflict(
                    f"the {kind} {known!r} is shown by {', '.join(users)}", "take it out there first"
                )
            self._run("DELETE FROM arrangement WHERE kind = ? AND name = ?", (kind, known))
        return known

    def put_start_up(self, rows: Iterable[StartUpRecord]) -> None:
        """Replace all rows. Raises NotFound for a view or tour that is not there."""
        with self.transaction():
            self._put_start_up(tuple(self._with_known_name(row) for row in rows))

    # -- names -----------------------------------------------------------------------------------------------

    def _name_of(self, kind: str, name: str) -> str | None:
        """As it is kept."""
        row = self._row("SELECT name FROM arrangement WHERE kind = ? AND name = ?", (kind, name.strip()))
        return None if row is None else str(row[0])

    def _check_room(self, kind: str) -> None:
        row = self._row("SELECT count(*) FROM arrangement WHERE kind = ?", (kind,))
        if row is not None and row[0] >= KIND_LIMIT:
            raise Conflict(f"there are {KIND_LIMIT} {kind}s already", "remove one")

    def _tours(self) -> list[tuple[str, TourBody]]:
        rows = self._rows("SELECT name, body FROM arrangement WHERE kind = 'tour' ORDER BY name")
        return [(name, _TOUR.decode(body)) for name, body in rows]

    def _tours_with(self, kind: str, name: str) -> list[str]:
        if kind != "view":
            return []
        return [
            f"the tour {tour!r}" for tour, body in self._tours() if any(s.view == name for s in body.stops)
        ]

    def _start_up_of(self, kind: str, name: str) -> list[str]:
        return [f"consoles on {row.terminal}" for row in self._start_up() if row.shows == f"{kind} {name}"]

    def _rename(self, kind: str, before: str, after: str) -> None:
        """Wherever it is named."""
        if kind == "view":
            for tour, body in self._tours():
                stops = tuple(
                    msgspec.structs.replace(stop, view=after) if stop.view == before else stop
                    for stop in body.stops
                )
                if stops != body.stops:
                    text = msgspec.json.encode(TourBody(stops=stops)).decode()
                    self._run(
                        "UPDATE arrangement SET body = ? WHERE kind = 'tour' AND name = ?", (text, tour)
                    )
        rows = self._start_up()
        changed = tuple(
            msgspec.structs.replace(row, shows=f"{kind} {after}") if row.shows == f"{kind} {before}" else row
            for row in rows
        )
        if changed != rows:
            self._put_start_up(changed)

    def _with_known_views(self, text: str) -> str:
        """A tour's body with its views named as they are kept."""
        stops = []
        for stop in _TOUR.decode(text).stops:
            known = self._name_of("view", stop.view)
            if known is None:
                raise _missing("view", stop.view)
            stops.append(msgspec.structs.replace(stop, view=known))
        return msgspec.json.encode(TourBody(stops=tuple(stops))).decode()

    def _with_known_name(self, row: StartUpRecord) -> StartUpRecord:
        kind, _, name = row.shows.partition(" ")
        if not name:
            return row
        known = self._name_of(kind, name)
        if known is None:
            raise _missing(kind, name)
        return msgspec.structs.replace(row, shows=f"{kind} {known}")

    # -- as it was left --------------------------------------------------------------------------------------

    def last_wall(self, person: str, terminal: str) -> str | None:
        """JSON of the engine's; None = nothing was kept."""
        return self._last_walls(person).get(terminal)

    def put_last_wall(self, person: str, terminal: str, body: str) -> None:
        """Instead of what was kept there."""
        with self.transaction():
            kept = self._last_walls(person)
            kept.pop(terminal, None)
            kept[terminal] = body
            newest = dict(list(kept.items())[-TERMINAL_LIMIT:])
            text = msgspec.json.encode(newest).decode()
            self._run("INSERT OR REPLACE INTO station_setting VALUES (?, ?)", (LAST_WALL_KEY + person, text))

    def _last_walls(self, person: str) -> dict[str, str]:
        row = self._row("SELECT value FROM station_setting WHERE key = ?", (LAST_WALL_KEY + person,))
        return {} if row is None else _LAST_WALLS.decode(row[0])

    # -- start-up --------------------------------------------------------------------------------------------

    def _start_up(self) -> tuple[StartUpRecord, ...]:
        row = self._row("SELECT value FROM station_setting WHERE key = ?", (START_UP_KEY,))
        return () if row is None else _START_UP.decode(row[0]).rows

    def _put_start_up(self, rows: tuple[StartUpRecord, ...]) -> None:
        text = msgspec.json.encode(_StartUpBody(rows=rows)).decode()
        self._run("INSERT OR REPLACE INTO station_setting VALUES (?, ?)", (START_UP_KEY, text))


def _missing(kind: str, name: str) -> NotFound:
    if kind not in ("layout", "view", "tour"):
        raise InvalidInput(f"{kind!r} has no name behind it")
    return NotFound(f"no {kind} is called {name!r}", f"`watchdeck {kind} list` shows them")
