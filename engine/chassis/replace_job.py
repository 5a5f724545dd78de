"""The driver of a guided replacement: looks, lets replace.step decide, performs the one operation asked for, keeps the lamp."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from engine.chassis.job_shown import Shown
from engine.chassis.job_work import JobWork
from engine.chassis.replace import failed, performed, step
from engine.chassis.replace_answers import answer
from engine.chassis.replace_state import ENDED, Phase, ReplaceState
from engine.chassis.replace_view import shown
from engine.supervise import attempt
from engine.wire_chassis import JobKind
from storage.drives.health import Verdict
from storage.errors import WatchdeckError
from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation

LAMP_S = 600.0
"""It goes off by itself when nobody says so again."""
LAMP_AGAIN_US = 300 * 1_000_000
LOOK_S = 2.0
"""Changes wake the job at once; this is for what only time brings, such as ten seconds of settling."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """As it is written down."""

    state: ReplaceState
    last: Phase = Phase.EXPLAIN
    """Where it stood before it ended."""


class ReplaceJob:
    """Loop only."""

    kind = JobKind.REPLACE

    def __init__(self, work: JobWork, kept: Kept) -> None:
        self.state = kept.state
        self._last = kept.last
        self._work = work
        self._lamp = ""
        self._lamp_us = 0
        self._has_looked = False
        """After a restart nothing is known yet: drives that were not read are not drives that were pulled."""

    @property
    def is_ended(self) -> bool:
        return self.state.phase in ENDED

    def encoded(self) -> bytes:
        return msgspec.json.encode(Kept(state=self.state, last=self._last))

    def bays(self) -> frozenset[int]:
        return frozenset({self.state.bay}) if self.state.bay is not None else frozenset()

    def subjects(self) -> frozenset[str]:
        ids = {self.state.drive, self.state.copy_to, self.state.new_drive}
        return frozenset(ids - {""})

    def shown(self, inventory: Inventory) -> Shown:
        return shown(self.state, inventory, self._last)

    def answer(self, action: str, value: str, inventory: Inventory) -> None:
        self._become(answer(self.state, inventory, action, value))

    def _become(self, state: ReplaceState) -> None:
        if state.phase in ENDED and self.state.phase not in ENDED:
            self._last = self.state.phase
        self.state = state

    async def advance(self) -> float:
        """One step, and the operation it asks for."""
        work = self._work
        if not self._has_looked:
            if await attempt("replacement of a drive", self._look) is not None:
                return LOOK_S
            self._has_looked = True
        taken = step(self.state, work.chassis.inventory(), work.clock.now_us(), self._unfit())
        self._become(taken.state)
        await self._light(taken.lamp)
        if taken.operation is None:
            return LOOK_S
        await self._perform(taken.operation)
        return 0.0

    async def _look(self) -> None:
        await self._work.chassis.refresh()

    async def _perform(self, operation: RaidOperation) -> None:
        async def work() -> None:
            await self._work.perform(operation)

        error = await attempt(f"replacing the drive in bay {self.state.bay}", work)
        if error is None:
            self._become(performed(self.state, operation))
            return
        remedy = f" ({error.remedy})" if error.remedy else ""
        self._become(failed(self.state, operation, f"{error.what}{remedy}"))

    def _unfit(self) -> dict[str, str]:
        """SMART says that they fail: not to be built in."""
        return {
            health.drive: health.reasons[0] if health.reasons else "SMART says that it fails"
            for health in self._work.chassis.view().health
            if health.verdict is Verdict.FAILING
        }

    async def _light(self, drive: str) -> None:
        """A lamp that cannot be driven stops nothing: the words name bay and serial number."""
        now_us = self._work.clock.monotonic_us()
        if drive == self._lamp and now_us - self._lamp_us < LAMP_AGAIN_US:
            return
        with suppress(WatchdeckError):
            if self._lamp and self._lamp != drive:
                await self._work.chassis.locate(self._in_its_bay(self._lamp), False, 0.0)
        with suppress(WatchdeckError):
            if drive:
                await self._work.chassis.locate(self._in_its_bay(drive), True, LAMP_S)
        self._lamp, self._lamp_us = drive, now_us

    def _in_its_bay(self, drive: str) -> str:
        """The drive itself; of one that is gone and forgotten, whoever is in its bay now."""
        inventory = self._work.chassis.inventory()
        if inventory.drive(drive) is not None or drive != self.state.drive or self.state.bay is None:
            return drive
        now = inventory.drive_in(self.state.bay)
        return now.id if now is not None else drive

    async def clear_away(self) -> None:
        await self._light("")
