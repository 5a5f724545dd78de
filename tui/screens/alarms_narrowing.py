"""The dialogs that narrow the alarm list: status, sources, kinds, dates. Each ends in the view's `narrow`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from engine.wire_alarms import AlarmQuery, AlarmView
from tui.screens.alarms_filters import LEVELS, STATUS_CHOICES, StatusChoice
from tui.when import HINT, parse_when
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

if TYPE_CHECKING:
    from tui.screens.alarms import AlarmsView

GROUPS_LOOKED_AT = 1_000
"""For the pickers: one answer of the engine."""
STATION = "station"
"""How the source of alarms about the station itself is called."""


class Narrowing:
    """Changes the view's filters."""

    def __init__(self, view: AlarmsView) -> None:
        self._view = view

    # -- status and severity -----------------------------------------------------------------------------

    def choose_status(self, word: str) -> None:
        """By its word, or out of a list."""
        view = self._view
        if word:
            folded = word.casefold().replace("_", " ")
            found = [choice for choice in STATUS_CHOICES if choice.key.startswith(folded)]
            if found:
                self._take_status(found[0])
            else:
                names = ", ".join(choice.key for choice in STATUS_CHOICES)
                view.say(f"no status {word!r}; there are: {names}", is_error=True)
            return
        options = [Option(choice.key, choice.key, choice.help) for choice in STATUS_CHOICES]
        dialog = PickDialog("Which alarms", options, chosen=(view.filters.status.key,), submit="Show")
        view.app.push_screen(dialog, self._status_picked)

    def _status_picked(self, picked: tuple[str, ...] | None) -> None:
        if picked:
            self._take_status(next(choice for choice in STATUS_CHOICES if choice.key == picked[0]))

    def _take_status(self, choice: StatusChoice) -> None:
        self._view.filters.status = choice
        self._view.narrow()

    def next_level(self) -> None:
        """All, warnings and worse, critical."""
        filters = self._view.filters
        filters.level = (filters.level + 1) % len(LEVELS)
        self._view.narrow()

    # -- sources and kinds -------------------------------------------------------------------------------

    async def choose_sources(self, name: str) -> None:
        """By name, or out of those that alarms of the list have."""
        filters = self._view.filters
        if name:
            filters.sources = ("" if name == STATION else name,)
            self._view.narrow()
            return
        found = await self._groups()
        if found is None:
            return
        counts: Counter[str] = Counter()
        for alarm in found:
            counts[alarm.source] += alarm.members
        picked = await self._pick("Whose alarms", counts, filters.sources)
        if picked is not None:
            filters.sources = () if len(picked) == len(counts) else picked
            self._view.narrow()

    async def choose_kinds(self, kind: str) -> None:
        """The same for kinds of event."""
        filters = self._view.filters
        if kind:
            filters.kinds = (kind,)
            self._view.narrow()
            return
        found = await self._groups()
        if found is None:
            return
        counts: Counter[str] = Counter()
        for alarm in found:
            counts[alarm.kind] += alarm.members
        picked = await self._pick("Alarms of which kinds", counts, filters.kinds)
        if picked is not None:
            filters.kinds = () if len(picked) == len(counts) else picked
            self._view.narrow()

    async def _groups(self) -> list[AlarmView] | None:
        """One row for each kind and source, whatever is chosen of these now."""
        view = self._view
        wide = msgspec.structs.replace(view.source.filter, sources=(), kinds=())
        query = AlarmQuery(**msgspec.structs.asdict(wide), grouped=True, limit=GROUPS_LOOKED_AT)
        page = await view.ask(view.desk.client.alarms(query), "sources")
        if page is not None and not page.alarms:
            view.say("there is nothing to choose from: the list is empty")
            return None
        return list(page.alarms) if page is not None else None

    async def _pick(
        self, title: str, counts: Mapping[str, int], chosen: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        ordered = sorted(counts, key=lambda name: (-counts[name], name))
        options = [
            Option(name or STATION, name or STATION, format.plural(counts[name], "alarm")) for name in ordered
        ]
        dialog = PickDialog(
            title,
            options,
            is_many=True,
            chosen=[name or STATION for name in chosen],
            submit="Show",
            text="None picked: all of them.",
        )
        picked = await self._view.app.push_screen_wait(dialog)
        return None if picked is None else tuple("" if name == STATION else name for name in picked)

    # -- dates -------------------------------------------------------------------------------------------

    def choose_dates(self, text: str) -> None:
        """`FROM`, `FROM to UNTIL`, or by a form; empty fields: no end."""
        view = self._view
        if text:
            first, _, last = (part.strip() for part in text.partition(" to "))
            self._take_dates({"from": first, "until": last})
            return
        filters, zone = view.filters, view.desk.zone
        shown = [
            format.local_time(time_us, zone) if time_us is not None else ""
            for time_us in (filters.start_us, filters.end_us)
        ]
        fields = [
            Field("from", "From", shown[0], check=self._complaint, hint=HINT),
            Field("until", "Until", shown[1], check=self._complaint, hint="now"),
        ]
        form = FormDialog("Alarms of which time", fields, submit="Show", text="Empty: no limit on that side.")
        view.app.push_screen(form, self._take_dates)

    def _when(self, text: str) -> int | None:
        now_us = self._view.desk.mirror.now_us
        return parse_when(text, now_us, now_us, self._view.desk.zone)

    def _complaint(self, text: str) -> str:
        return "" if not text.strip() or self._when(text) is not None else f"not a time: {text!r}"

    def _take_dates(self, values: dict[str, str] | None) -> None:
        view = self._view
        if values is None:
            return
        times = []
        for key in ("from", "until"):
            if complaint := self._complaint(values[key]):
                view.say(f"{complaint} (try {HINT})", is_error=True)
                return
            times.append(self._when(values[key]) if values[key].strip() else None)
        start_us, end_us = times
        if start_us is not None and end_us is not None and start_us >= end_us:
            view.say("that ends before it begins", is_error=True)
            return
        view.filters.start_us, view.filters.end_us = start_us, end_us
        view.narrow()
