"""What of Bays is asked for in dialogs before it is planned or done: set-up, spares, self-tests, rates, upkeep, learning bays.

A mix-in of BaysView, on top of the keys that need no questions (bays_actions.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.content import Content

from engine import wire_chassis as wire
from engine.client import WatchdeckError
from engine.wire_chassis import Drive, DriveState, SpareKind
from tui.bay_wording import drive_label
from tui.screens.bays_actions import BayActions
from tui.screens.help import PageScreen
from tui.screens.set_up_wizard import SetUpWizard, Wanted
from tui.screens.upkeep_form import UpkeepForm, rate_fields, rates_of
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

EVERY = "every"
ABORT = "abort"
LEARN_LOCATE_S = 600
SELF_TESTS = {
    "short": "a few minutes: electronics, heads, a part of the surface",
    "long": "hours: the whole surface; recording goes on, a little slower",
    "conveyance": "minutes: damage from transport",
}
GONE_INDENT = 24


class BayDialogs(BayActions):
    """Questions first; the engine plans and judges what comes of them."""

    # -- set-up ------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        self._wizard(lambda wizard: wizard.begin())

    def action_create(self) -> None:
        self._wizard(lambda wizard: wizard.advanced())

    def action_migrate(self, name: str = "") -> None:
        virtual, chassis = self._chosen_virtual(name), self.chassis
        if virtual is None or chassis is None:
            return
        group = chassis.inventory.group(virtual.group)
        members = tuple(id for span in group.spans for id in span.drives) if group is not None else ()
        self._wizard(lambda wizard: wizard.migrate(virtual, members))

    def _wizard(self, ask: Callable[[SetUpWizard], Awaitable[Wanted | None]]) -> None:
        if self.may_change():
            self._work(lambda: self._ask_wizard(ask))

    async def _ask_wizard(self, ask: Callable[[SetUpWizard], Awaitable[Wanted | None]]) -> None:
        try:
            wanted = await ask(SetUpWizard(self.app, self.desk))
        except WatchdeckError as error:
            self.say(str(error), is_error=True)
            return
        if wanted is not None:
            await self._operate(wanted.operation, wanted.makes)

    # -- spares ------------------------------------------------------------------------------------------

    def action_spare(self, name: str = "") -> None:
        """With a name at once; else a hot spare is taken back, and for another drive is asked whom it serves."""
        drive = self._chosen_drive()
        if drive is None:
            return
        if name:
            if (virtual := self._chosen_virtual(name)) is not None:
                self.operate(_spare_of(drive, (virtual.group,), has_affinity=False))
        elif drive.state is DriveState.HOT_SPARE:
            self.operate(wire.ReleaseSpare(drive=drive.id))
        elif self.may_change():
            self._work(lambda: self._ask_spare(drive))

    async def _ask_spare(self, drive: Drive) -> None:
        chassis = self.chassis
        if chassis is None:
            return
        groups = chassis.inventory.groups
        refusals = next(
            (one.refusals for one in chassis.inventory.controllers if one.id == drive.controller), {}
        )
        options = [
            Option(
                EVERY, "every virtual drive", "global", refused=refusals.get(wire.Capability.GLOBAL_SPARE, "")
            ),
            *(
                Option(
                    group.id,
                    f"only {group.name}",
                    f"dedicated, RAID {group.level}",
                    refused=refusals.get(wire.Capability.DEDICATED_SPARE, ""),
                )
                for group in groups
            ),
        ]
        text = "Whom does it serve? One that serves a virtual drive only is used for it before any other."
        picked = await self.app.push_screen_wait(
            PickDialog(f"Hot spare: {drive_label(drive)}", options, text=text)
        )
        if picked is None:
            return
        has_affinity = False
        if drive.side and not refusals.get(wire.Capability.AFFINITY):
            sides = [
                Option("no", "any drive", "the one that failed, wherever it is"),
                Option("yes", "its own side first", f"drives of the {drive.side} side before all others"),
            ]
            side = await self.app.push_screen_wait(PickDialog("Affinity to its side of the backplane", sides))
            if side is None:
                return
            has_affinity = side == ("yes",)
        await self._operate(_spare_of(drive, () if picked == (EVERY,) else picked, has_affinity=has_affinity))

    # -- self-tests --------------------------------------------------------------------------------------

    def action_self_test(self, kind: str = "") -> None:
        kinds = [*SELF_TESTS, ABORT]
        if kind and kind not in kinds:
            self.say(f"test one of: {', '.join(kinds)}", is_error=True)
        elif (drive := self._chosen_drive()) is not None and self.may_change():
            self._work(lambda: self._self_test(drive, kind))

    async def _self_test(self, drive: Drive, kind: str) -> None:
        name = drive_label(drive)
        if not kind:
            detail = await self.ask(self.desk.client.drive(drive.id), f"self-tests of {name}")
            if detail is None:
                return
            picked = await self.app.push_screen_wait(
                PickDialog(
                    f"Self-test: {name}",
                    _test_options(detail.self_tests),
                    text=_test_words(detail.self_tests),
                )
            )
            if picked is None:
                return
            kind = picked[0]
        if kind == ABORT:
            if await self.carry(self.desk.client.abort_self_test(drive.id), f"self-test of {name}"):
                self.say(f"{name}: self-test aborted")
            return
        request = wire.SelfTestStart(kind=wire.SelfTestKind(kind))
        done = await self.ask(self.desk.client.start_self_test(drive.id, request), f"self-test of {name}")
        if done is not None:
            self.say(done.text)

    # -- rates and upkeep --------------------------------------------------------------------------------

    def action_rates(self) -> None:
        chassis = self.chassis
        wanted = self._controllers()[:1]
        controller = next(
            (
                one
                for one in (chassis.inventory.controllers if chassis is not None else ())
                if one.id in wanted
            ),
            None,
        )
        if controller is None:
            self.say("no controller is here", is_error=True)
        elif self.may_change():
            self._work(lambda: self._ask_rates(controller))

    async def _ask_rates(self, controller: wire.Controller) -> None:
        text = (
            "Share of a drive's speed that background work may take while cameras record, 1 to 100 %."
            " What runs already may keep its rate until it is started again."
        )
        values = await self.app.push_screen_wait(
            FormDialog(
                f"Rates: {controller.model or controller.id}",
                rate_fields(controller.rates),
                submit="Plan",
                text=text,
            )
        )
        if values is not None:
            await self._operate(wire.SetRates(controller=controller.id, rates=rates_of(values)))

    def action_schedule(self) -> None:
        chassis = self.chassis
        if chassis is None:
            self.say("the drives have not been looked at yet", is_error=True)
        elif self.may_change():
            self._work(lambda: self._ask_schedule(chassis.upkeep))

    async def _ask_schedule(self, schedule: wire.ScheduleView) -> None:
        if await self.app.push_screen_wait(UpkeepForm(self.desk, schedule)) is not None:
            self.say("the schedule is saved")

    # -- which socket is which bay -----------------------------------------------------------------------

    def action_learn(self, words: str = "") -> None:
        """With bay and serial at once; else drive by drive, each with its lamp blinking."""
        chassis = self.chassis
        if chassis is None:
            self.say("the drives have not been looked at yet", is_error=True)
            return
        if not words:
            if self.may_change():
                self._work(self._learn_all)
            return
        bay, _, serial = words.partition(" ")
        if not bay.isdecimal() or not serial:
            self.say("say bay and serial number: `:learn 3 ZL2A1B2C`", is_error=True)
            return
        found = [drive for drive in chassis.inventory.drives if serial.strip() in (drive.serial, drive.id)]
        if len(found) != 1:
            self.say(f"no drive with the serial number {serial.strip()!r}", is_error=True)
        elif self.may_change():
            self._work(lambda: self._learn(found[0], int(bay)))

    async def _learn(self, drive: Drive, bay: int) -> None:
        learn = wire.LearnBay(bay=bay, drive=drive.id)
        if await self.carry(self.desk.client.learn_bay(learn), f"learn bay {bay}"):
            self.say(f"the socket of drive {drive.serial} is bay {bay}")

    async def _learn_all(self) -> None:
        while (chassis := self.chassis) is not None:
            drives = {
                drive.id: drive for drive in chassis.inventory.drives if drive.state is not DriveState.MISSING
            }
            options = [
                Option(
                    drive.id,
                    drive_label(drive),
                    f"{format.decimal_bytes(drive.size_bytes or None)}  {drive.model}",
                )
                for drive in drives.values()
            ]
            text = "Pick a drive: its lamp blinks, then type the number of the bay in which it does."
            unknown = [drive.id for drive in drives.values() if drive.bay is None]
            picked = await self.app.push_screen_wait(
                PickDialog("Which socket is which bay?", options, text=text, chosen=unknown[:1])
            )
            if picked is None:
                return
            await self._learn_blinking(drives[picked[0]])

    async def _learn_blinking(self, drive: Drive) -> None:
        client, bays = self.desk.client, self.chassis.layout.bays if self.chassis is not None else ()
        try:
            await client.locate_drive(drive.id, wire.DriveLocate(seconds=LEARN_LOCATE_S))
        except WatchdeckError as error:
            text = f"Its lamp cannot be made to blink ({error.what}): read the serial numbers on the trays."
            is_blinking = False
        else:
            text, is_blinking = "Its amber lamp blinks fast now. In which bay?", True
        field = Field("bay", "Bay", is_required=True, check=lambda typed: _bay_problem(typed, bays))
        values = await self.app.push_screen_wait(
            FormDialog(f"Drive {drive.serial or drive.id}", [field], submit="Learn", text=text)
        )
        if is_blinking:
            await self.carry(client.locate_drive(drive.id, wire.DriveLocate(is_on=False)), "lamp")
        if values is not None:
            await self._learn(drive, int(values["bay"]))

    # -- looking back and trying out ---------------------------------------------------------------------

    def action_repair(self, name: str = "") -> None:
        if (virtual := self._chosen_virtual(name)) is not None:
            self.operate(wire.StartCheck(virtual_drive=virtual.id, repair=True))

    def action_gone(self) -> None:
        if self.has_engine():
            self._work(self._show_gone)

    async def _show_gone(self) -> None:
        drives = await self.ask(self.desk.client.gone_drives(), "drives that left")
        if drives is None:
            return
        zone = self.desk.zone
        lines = [
            Content.assemble(
                (f"{drive.serial or drive.id:<{GONE_INDENT}}", "bold"),
                f"{drive.model}, {format.decimal_bytes(drive.size_bytes or None)}, last in "
                + (f"bay {drive.bay}" if drive.bay is not None else "no bay")
                + f" on {format.local_time(drive.last_seen_us, zone)},"
                + f" first seen {format.local_date(drive.first_seen_us, zone)}",
            )
            for drive in drives
        ]
        self.app.push_screen(PageScreen("Drives that left", lines or [Content("none has left")], GONE_INDENT))

    def action_simulate(self, step: str) -> None:
        if self.may_change():
            self._work(lambda: self._simulate(step))

    async def _simulate(self, step: str) -> None:
        if await self.carry(self.desk.client.simulate(wire.SimulatedStep(step=step)), "simulation"):
            self.say(f"simulated: {step}")


def _spare_of(drive: Drive, groups: tuple[str, ...], *, has_affinity: bool) -> wire.AssignSpare:
    kind = SpareKind.DEDICATED if groups else SpareKind.GLOBAL
    return wire.AssignSpare(drive=drive.id, kind=kind, groups=groups, has_affinity=has_affinity)


def _test_options(state: wire.SelfTestState | None) -> list[Option]:
    """What the drive says it cannot is greyed; what it does not say may be tried."""
    known = state is not None and not state.is_asleep and bool(state.kinds)
    options = []
    for kind, words in SELF_TESTS.items():
        minutes = state.minutes.get(wire.SelfTestKind(kind)) if state is not None else None
        about = f"about {format.duration(minutes * 60 * format.SECOND_US)}; {words}" if minutes else words
        refused = "this drive has none" if known and state is not None and kind not in state.kinds else ""
        options.append(Option(kind, kind, about, refused=refused))
    is_running = state is not None and state.progress is not None
    options.append(
        Option(ABORT, ABORT, "end the one that runs", refused="" if is_running or not known else "none runs")
    )
    return options


def _test_words(state: wire.SelfTestState | None) -> str:
    if state is None:
        return ""
    if state.is_asleep:
        return "It sleeps and was not asked what it can do; a test wakes it."
    running = f" ({state.progress:.0%} done)" if state.progress is not None else ""
    return f"{state.text}{running}" if state.text else ""


def _bay_problem(text: str, bays: tuple[int, ...]) -> str:
    if text.isdecimal() and (not bays or int(text) in bays):
        return ""
    return f"a bay of this box: {min(bays)} to {max(bays)}" if bays else "a number"
