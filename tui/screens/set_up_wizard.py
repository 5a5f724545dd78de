"""Setting up storage step by step: what can be made is the engine's word, the choices become one operation, which it plans.

    wanted = await SetUpWizard(app, desk).begin()        Wanted | None
        simple: level, number of virtual drives; advanced: drives, level, spares, details; or the default for 128 cameras

Escape goes one step back. Nothing is done here: the operation goes through its plan (operation_dialog.py) afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from textual.app import App

from engine.wire_chassis import Drive, LevelChoice, Migrate, SetUpChoices, SetUpStorage, VirtualDrive
from tui.bay_wording import drive_label
from tui.desk import Desk
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

MOST_VIRTUAL_DRIVES = 8
SIMPLE, ADVANCED, FOR_128 = "simple", "advanced", "for_128"
OWN, MAIN = "its own", "main"
KIB = 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """An operation, and in a few lines what it makes."""

    operation: SetUpStorage | Migrate
    makes: tuple[str, ...]


class SetUpWizard:
    """Asks; raises WatchdeckError when the engine does not answer."""

    def __init__(self, app: App[Any], desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def begin(self) -> Wanted | None:
        """The choice of the way, then that way; escape in its first step comes back here."""
        while True:
            choices = await self._desk.client.set_up_choices()
            way = await self._pick("Set up storage", _ways(choices))
            if way is None:
                return None
            if way == FOR_128:
                return Wanted(choices.for_128_cameras, _makes_128())
            wanted = await (self.simple() if way == SIMPLE else self.advanced())
            if wanted is not None:
                return wanted

    # -- simple ------------------------------------------------------------------------------------------

    async def simple(self) -> Wanted | None:
        """Level, number of virtual drives (rows VD-03..07)."""
        client = self._desk.client
        by_count = {1: await client.set_up_choices()}
        free = sum(not drive.refused for drive in by_count[1].drives)
        for count in range(2, min(free, MOST_VIRTUAL_DRIVES) + 1):
            by_count[count] = await client.set_up_choices((), count)
        recommended = by_count[1].recommended
        level = str(recommended.level)
        while True:
            options = [_level_option(one, is_bare=True) for one in _best(by_count)]
            picked = await self._pick("RAID level", options, text=_free_words(free), chosen=level)
            if picked is None:
                return None
            level = picked
            made = _with_first_refusal(
                {count: _of_level(choices, level) for count, choices in by_count.items()}
            )
            counts = [
                _count_option(count, one, count == recommended.virtual_drives) for count, one in made.items()
            ]
            number = await self._pick(
                f"How many virtual drives of RAID {level}?",
                counts,
                text="Each becomes a volume with a recording group. A volume that is lost takes only its own footage.",
                chosen=str(recommended.virtual_drives),
            )
            if number is not None:
                choice = made[int(number)]
                operation = SetUpStorage(level=choice.level, virtual_drives=int(number))
                return Wanted(operation, _makes(operation, choice))

    # -- advanced ----------------------------------------------------------------------------------------

    async def advanced(self) -> Wanted | None:
        """Drives, level, dedicated spares, spans and the rest."""
        choices = await self._desk.client.set_up_choices()
        members: tuple[str, ...] = tuple(drive.drive for drive in choices.drives if not drive.refused)
        while True:
            picked = await self._pick_drives(
                "Drives of the virtual drive", choices, members, needs="pick its drives"
            )
            if picked is None:
                return None
            members = picked
            wanted = await self._level_and_details(choices, members)
            if wanted is not None:
                return wanted

    async def _level_and_details(self, choices: SetUpChoices, members: tuple[str, ...]) -> Wanted | None:
        made = await self._desk.client.set_up_choices(members)
        level = str(made.recommended.level)
        while True:
            picked = await self._pick(
                "RAID level",
                [_level_option(one) for one in made.levels],
                text=f"Of {format.plural(len(members), 'drive')}: {self._names(members)}",
                chosen=level,
            )
            if picked is None:
                return None
            level = picked
            spares: tuple[str, ...] | None = ()
            left = [one for one in choices.drives if not one.refused and one.drive not in members]
            if left and _of_level(made, level).can_lose:
                spares = await self._pick_drives(
                    "Dedicated hot spares",
                    replace(choices, drives=tuple(left)),
                    (),
                    text="None is fine: enter.",
                )
            if spares is None:
                continue
            operation = await self._details(made, _of_level(made, level), members, spares)
            if operation is not None:
                spans = (await self._desk.client.set_up_choices(members, 1, operation.spans)).levels
                choice = next(one for one in spans if one.level == operation.level)
                return Wanted(operation, _makes(operation, choice))

    async def _details(
        self, made: SetUpChoices, choice: LevelChoice, members: tuple[str, ...], spares: tuple[str, ...]
    ) -> SetUpStorage | None:
        stripes = tuple(f"{size // KIB} KiB" for size in made.stripes_bytes)
        spans = tuple(str(count) for count in choice.span_choices)
        fields = [
            Field("name", "Name", "", hint="empty = the next free letter"),
            *(
                [Field("spans", "Spans", str(choice.spans), kind="choice", choices=spans)]
                if len(spans) > 1
                else []
            ),
            Field(
                "stripe",
                "Stripe",
                f"{made.recommended.stripe_bytes // KIB} KiB",
                kind="choice",
                choices=stripes,
            ),
            *([Field("bitmap", "Bitmap", "yes", kind="switch")] if choice.can_lose else []),
            Field(
                "file_system",
                "File system",
                made.recommended.file_system,
                kind="choice",
                choices=made.file_systems,
            ),
            Field("group", "Recording group", OWN, kind="choice", choices=(OWN, MAIN)),
        ]
        bitmap = "With a bitmap a drive that was pulled by mistake is back in minutes, without a rebuild."
        text = bitmap if choice.can_lose else "Footage on it is gone with the first drive that fails."
        values = await self._app.push_screen_wait(
            FormDialog(
                f"RAID {choice.level} of {format.plural(len(members), 'drive')}",
                fields,
                submit="Plan",
                text=text,
            )
        )
        if values is None:
            return None
        return SetUpStorage(
            level=choice.level,
            drives=members,
            spans=int(values["spans"]) if "spans" in values else 0,
            stripe_bytes=int(values["stripe"].split()[0]) * KIB,
            file_system=values["file_system"],
            names=(values["name"].strip(),) if values["name"].strip() else (),
            group_each=values["group"] == OWN,
            has_bitmap=values.get("bitmap", "yes") == "yes",
            dedicated_spares=spares,
        )

    # -- migration ---------------------------------------------------------------------------------------

    async def migrate(self, virtual: VirtualDrive, members: tuple[str, ...]) -> Wanted | None:
        """Drives to add, then the level (row VD-02)."""
        choices = await self._desk.client.set_up_choices()
        added: tuple[str, ...] = ()
        while True:
            picked = await self._pick_drives(
                f"Drives to add to {virtual.name}", choices, added, text="None: only the level changes."
            )
            if picked is None:
                return None
            added = picked
            made = await self._desk.client.set_up_choices((*members, *added))
            level = await self._pick(
                f"RAID level of {virtual.name}",
                [_level_option(one) for one in made.levels],
                text=f"It is RAID {virtual.level} of {format.plural(len(members), 'drive')} now.",
                chosen=str(virtual.level),
            )
            if level is not None:
                choice = _of_level(made, level)
                words = f"{virtual.name} becomes RAID {level} of {format.plural(len(members) + len(added), 'drive')}: "
                operation = Migrate(virtual_drive=virtual.id, level=choice.level, add=added)
                return Wanted(operation, (words + _room(choice),))

    # -- asking ------------------------------------------------------------------------------------------

    async def _pick(
        self, title: str, options: list[Option], *, text: str = "", chosen: str = ""
    ) -> str | None:
        picked = await self._app.push_screen_wait(PickDialog(title, options, text=text, chosen=(chosen,)))
        return picked[0] if picked else None

    async def _pick_drives(
        self, title: str, choices: SetUpChoices, chosen: tuple[str, ...], *, text: str = "", needs: str = ""
    ) -> tuple[str, ...] | None:
        options = []
        for one in choices.drives:
            drive = self._drive(one.drive)
            options.append(Option(one.drive, drive_label(drive), _size_words(drive), refused=one.refused))
        return await self._app.push_screen_wait(
            PickDialog(title, options, text=text, is_many=True, chosen=chosen, submit="go on", needs=needs)
        )

    def _drive(self, id: str) -> Drive | None:
        chassis = self._desk.mirror.chassis
        return chassis.inventory.drive(id) if chassis is not None else None

    def _names(self, ids: tuple[str, ...]) -> str:
        return ", ".join(drive_label(self._drive(id)) for id in ids)


# -- words -----------------------------------------------------------------------------------------------


def _ways(choices: SetUpChoices) -> list[Option]:
    free = sum(not drive.refused for drive in choices.drives)
    refused = "" if free else "no drive is free"
    return [
        Option(SIMPLE, "Simple", "level, number of virtual drives, done", _free_words(free), refused=refused),
        Option(
            ADVANCED,
            "Advanced",
            "choose drives, spans, stripe, spares, file system",
            "One virtual drive, down to the last detail.",
            refused=refused,
        ),
        Option(
            FOR_128,
            "128 cameras",
            "two RAID 5 of four drives, two volumes, two groups",
            "\n".join(_makes_128()),
            refused=choices.for_128_refused,
        ),
    ]


def _makes_128() -> tuple[str, ...]:
    return ("2 virtual drives of RAID 5, 4 drives each", "2 volumes, 2 recording groups: 64 cameras each")


def _free_words(free: int) -> str:
    return f"Of the {format.plural(free, 'free drive')}." if free else "There is no free drive."


def _best(by_count: dict[int, SetUpChoices]) -> list[LevelChoice]:
    """Each level as it can be made: of one virtual drive, else of the first number that goes."""
    found = []
    for number, first in enumerate(by_count[1].levels):
        made = [choices.levels[number] for choices in by_count.values()]
        found.append(next((one for one in made if not one.refused), first))
    return found


def _with_first_refusal(made: dict[int, LevelChoice]) -> dict[int, LevelChoice]:
    """More virtual drives of the same drives only get smaller: one reason why is enough."""
    last = next((count for count, one in made.items() if one.refused and count > 1), len(made))
    return {count: one for count, one in made.items() if count <= last}


def _of_level(choices: SetUpChoices, level: str) -> LevelChoice:
    return next(one for one in choices.levels if one.level == level)


def _level_option(choice: LevelChoice, *, is_bare: bool = False) -> Option:
    """`is_bare`: how many drives is asked next, so that room is not said yet."""
    note = _tolerance(choice) if is_bare else _room(choice)
    help_text = "\n".join((choice.strong, choice.weak, f"For: {choice.use}", *choice.notes))
    return Option(str(choice.level), f"RAID {choice.level}", note, help_text, choice.refused)


def _count_option(count: int, choice: LevelChoice, is_recommended: bool) -> Option:
    each = "" if count == 1 else " each"
    left = f", {format.plural(choice.left_over, 'drive')} left over" if choice.left_over else ""
    note = f"{format.plural(choice.drives, 'drive')}{each}, {format.decimal_bytes(choice.usable_bytes)}{each}{left}"
    if is_recommended:
        note += " (recommended)"
    return Option(
        str(count), format.plural(count, "virtual drive"), note, "\n".join(choice.notes), choice.refused
    )


def _tolerance(choice: LevelChoice) -> str:
    if not choice.can_lose:
        return "no drive may fail"
    spans = " of each span" if len(choice.span_choices) > 1 or choice.spans > 1 else ""
    drives = "any one drive" if choice.can_lose == 1 else f"any {choice.can_lose} drives"
    return f"{drives}{spans} may fail"


def _room(choice: LevelChoice) -> str:
    left = f", {format.plural(choice.left_over, 'drive')} left over" if choice.left_over else ""
    return f"{format.decimal_bytes(choice.usable_bytes)}, {_tolerance(choice)}{left}"


def _makes(operation: SetUpStorage, choice: LevelChoice) -> tuple[str, ...]:
    count = operation.virtual_drives
    each = " each" if count > 1 else ""
    spans = f" in {choice.spans} spans" if choice.spans > 1 else ""
    lines = [
        f"{format.plural(count, 'virtual drive')} of RAID {choice.level}: "
        f"{format.plural(choice.drives, 'drive')}{spans}{each}, {_room(choice)}",
        f"{format.plural(count, 'volume')} ({operation.file_system})"
        + (
            f", {format.plural(count, 'recording group')}"
            if operation.group_each
            else ", recording group main"
        ),
    ]
    if operation.dedicated_spares:
        lines.append(format.plural(len(operation.dedicated_spares), "dedicated hot spare"))
    return tuple(lines)


def _size_words(drive: Drive | None) -> str:
    return f"{format.decimal_bytes(drive.size_bytes or None)}  {drive.model}" if drive is not None else ""
