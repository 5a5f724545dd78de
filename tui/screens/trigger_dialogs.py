"""What raises a rule, asked one thing at a time: family, kind, sources, text (manual rows AT-18, AT-05, TM-02, TM-03).

    trigger = await TriggerDialogs(app, desk, kinds).ask(before)      Trigger | None

Escape goes one step back; in the first step it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import App

from engine.wire_alarm_rules import TextMatch, Trigger, TriggerKind
from tui.alarm_wording import FAMILIES, SOURCES
from tui.camera_abilities import CameraAbilities
from tui.desk import Desk
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

ALL = "all"


class TriggerDialogs:
    """Asks; what exists comes from the mirror, what can be chosen from the engine's list of kinds."""

    def __init__(
        self, app: App[Any], desk: Desk, kinds: Sequence[TriggerKind], abilities: CameraAbilities
    ) -> None:
        self._app = app
        self._desk = desk
        self._abilities = abilities
        self._kinds = tuple(kinds)
        self._by_kind = {kind.kind: kind for kind in kinds}

    async def ask(self, before: Trigger | None = None) -> Trigger | None:
        """A new trigger, or one that exists with other sources or another text."""
        if before is not None:
            kind = self._by_kind.get(before.kind)
            return await self._details(kind, before) if kind is not None else before
        family = ALL
        while True:
            picked = await self._pick("What raises the alarm?", self._families(), chosen=family)
            if picked is None:
                return None
            family = picked
            trigger = await self._of_family(family)
            if trigger is not None:
                return trigger

    async def _of_family(self, family: str) -> Trigger | None:
        chosen = ""
        while True:
            title = "Trigger" if family == ALL else f"Trigger: {FAMILIES[_family(family)]}"
            options = [self._option(kind) for kind in self._kinds if family in (ALL, kind.family)]
            picked = await self._pick(title, options, chosen=chosen)
            if picked is None:
                return None
            chosen = picked
            trigger = await self._details(self._by_kind[chosen], Trigger(kind=chosen))
            if trigger is not None:
                return trigger

    def _option(self, kind: TriggerKind) -> Option:
        """AT-05: faint, with what has to be done first, until a camera reports such events."""
        _, many = SOURCES.get(kind.source, ("", f"{kind.source}s"))
        cameras = self._abilities.reporting(kind.kind) if kind.source == "camera" else 0
        if cameras:
            note = f"reported by {format.plural(cameras, 'camera')}"
        else:
            note = kind.hint or (f"of {many}" if kind.source else "")
        return Option(kind.kind, kind.title, note, help=kind.kind, is_faint=bool(kind.hint) and not cameras)

    def _families(self) -> list[Option]:
        options = []
        for family, title in FAMILIES.items():
            count = sum(kind.family is family for kind in self._kinds)
            if count:
                options.append(Option(str(family), title, format.plural(count, "trigger")))
        return [*options, Option(ALL, "All", "search them with /")]

    async def _details(self, kind: TriggerKind, before: Trigger) -> Trigger | None:
        """Which sources, then which text; a kind that has neither is taken as it is."""
        while True:
            sources = await self._sources(kind, before.sources)
            if sources is None:
                return None
            trigger = Trigger(
                kind=kind.kind,
                sources=sources,
                text=before.text,
                match=before.match,
                is_case_sensitive=before.is_case_sensitive,
            )
            if not kind.takes_text:
                return trigger
            found = await self._text(kind, trigger)
            if found is not None or not self._names(kind):
                return found
            before = trigger

    async def _sources(self, kind: TriggerKind, chosen: tuple[str, ...]) -> tuple[str, ...] | None:
        if not kind.source:
            return ()
        one, many = SOURCES.get(kind.source, (kind.source, f"{kind.source}s"))
        names = self._names(kind)
        if kind.source == "button" or not names:
            return await self._typed_sources(kind, one, many, chosen)
        options = [Option(name, name) for name in names]
        options += [Option(name, name, "does not exist now") for name in chosen if name not in names]
        return await self._app.push_screen_wait(
            PickDialog(
                f"{kind.title}: which {many}?",
                options,
                text=_hint(kind) + f"None picked: any {one}, also one that is added later.",
                is_many=True,
                chosen=chosen,
                submit="Go on",
            )
        )

    async def _typed_sources(
        self, kind: TriggerKind, one: str, many: str, chosen: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        is_button = kind.source == "button"
        field = Field(
            "sources",
            one.capitalize() if is_button else many.capitalize(),
            ", ".join(chosen),
            hint="for example panic" if is_button else "names with commas; empty = any",
            is_required=is_button,
        )
        values = await self._app.push_screen_wait(
            FormDialog(kind.title, [field], submit="Go on", text=_hint(kind).strip())
        )
        if values is None:
            return None
        return tuple(name.strip() for name in values["sources"].split(",") if name.strip())

    def _names(self, kind: TriggerKind) -> list[str]:
        mirror = self._desk.mirror
        chassis = mirror.chassis
        match kind.source:
            case "camera":
                return [camera.name for camera in mirror.cameras]
            case "volume":
                return [volume.name for volume in mirror.volumes]
            case "virtual_drive" if chassis is not None:
                return [drive.name for drive in chassis.inventory.virtual_drives]
            case "group":
                return [group.name for group in mirror.groups]
            case "sensor" if chassis is not None:
                return [sensor.name for sensor in chassis.sensors]
        return []

    async def _text(self, kind: TriggerKind, trigger: Trigger) -> Trigger | None:
        """TM-02, TM-03."""
        is_needed = kind.kind == "external.tcp_message"
        fields = [
            Field(
                "text",
                "Text",
                trigger.text,
                hint="for example door forced" if is_needed else "empty = any",
                is_required=is_needed,
            ),
            Field(
                "match",
                "The text",
                str(trigger.match),
                kind="choice",
                choices=tuple(str(each) for each in TextMatch),
            ),
            Field("case", "Case sensitive", "yes" if trigger.is_case_sensitive else "no", kind="switch"),
        ]
        text = (
            _hint(kind)
            + "contains: the text anywhere in the message; matches: the whole message is the text."
        )
        values = await self._app.push_screen_wait(FormDialog(kind.title, fields, submit="Keep", text=text))
        if values is None:
            return None
        return Trigger(
            kind=trigger.kind,
            sources=trigger.sources,
            text=values["text"],
            match=TextMatch(values["match"]),
            is_case_sensitive=values["case"] == "yes",
        )

    async def _pick(self, title: str, options: list[Option], *, chosen: str = "") -> str | None:
        picked = await self._app.push_screen_wait(PickDialog(title, options, chosen=(chosen,)))
        return picked[0] if picked else None


def kinds_by_name(kinds: Sequence[TriggerKind]) -> Mapping[str, TriggerKind]:
    return {kind.kind: kind for kind in kinds}


def _family(name: str) -> Any:
    return next(family for family in FAMILIES if family == name)


def _hint(kind: TriggerKind) -> str:
    """AT-05: what has to be set up before this ever happens."""
    return f"First: {kind.hint}\n" if kind.hint else ""
