"""Asks every drive for its SMART values, a few at a time, and keeps verdict and history. Loop only; the reading is a lane's.

All drives are asked soon after the start, later each at its own moment of the round. A drive that does not answer holds its own
call and nobody else's; a sleeping one is not woken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol
from zlib import crc32

import msgspec

from engine.chassis.changes import source_of, the_drive
from engine.chassis.drive_words import drive_words
from engine.chassis.happenings import Happening, happening
from engine.chassis.health_changes import HealthTeller, self_test_result
from engine.chassis.lanes import Lane
from storage.clock import Clock
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.smart_report import SelfTestState, SmartReport
from storage.drives.smart_rules import judge
from storage.errors import CommandTimeout, NotFound, ToolMissing, Unsupported, WatchdeckError
from storage.hardware import Hardware
from storage.raid.inventory import Drive, Inventory
from storage.raid.states import DriveState
from storage.units import US_PER_DAY, US_PER_SECOND

log = logging.getLogger(__name__)

READERS = 2
"""Drives asked at the same time."""
READ_TIMEOUT_S = 45.0
RETRY_US = 15 * US_PER_SECOND
"""After a reading that failed, each time doubled: the drive service was restarted, or the drive was busy with a reset. Not an hour
without a verdict; and a drive that never answers soon costs no more than the round does."""
SPARE_POLL_US = 60 * US_PER_SECOND
"""Row HS-09: standby spares are asked once a minute whether they are still there."""
HISTORY_US = 8 * US_PER_DAY
"""What the verdict looks back on: a week and a night."""
TEMPERATURE_SAMPLE_US = 600 * US_PER_SECOND
TESTING_US = 60 * US_PER_SECOND
"""Between two looks at a drive that tests itself."""


class Rows(Protocol):
    """engine.catalog_thread.CatalogThread."""

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...


class SmartSweep:
    """Health of every drive, newest reading first."""

    def __init__(
        self,
        hardware: Hardware,
        catalog: Rows,
        clock: Clock,
        say: Callable[[Iterable[Happening]], None],
        changed: Callable[[], None],
    ) -> None:
        self._hardware = hardware
        self._catalog = catalog
        self._clock = clock
        self._say = say
        self._changed = changed
        self._lane = Lane("SMART", READERS)
        self._due: dict[str, int] = {}
        """By drive, on the monotonic clock."""
        self._failures: dict[str, int] = {}
        """By drive: readings that failed since the last one that did not."""
        self._asked: set[str] = set()
        self._sampled_us: dict[str, int] = {}
        self._testing: dict[str, int] = {}
        """Drives that test themselves, and when each is asked next how far it is, on the monotonic clock."""
        self._polled_us = 0
        self._silent_spares: set[str] = set()
        self.teller = HealthTeller()
        self.healths: dict[str, DriveHealth] = {}
        self.self_tests: dict[str, SelfTestState] = {}
        """By drive: what it can run, asked once."""

    async def remember(self, ids: Iterable[str]) -> None:
        """Verdicts from before the restart: what was said then is not said again."""
        for id in ids:
            health: DriveHealth | None = await self._catalog.read("drive_health", id)
            if health is not None:
                self.healths[id] = health
        self.teller = HealthTeller(self.healths.values())

    def view(self, inventory: Inventory) -> tuple[DriveHealth, ...]:
        return tuple(
            self.healths[drive.id]
            for drive in inventory.drives
            if drive.id in self.healths and drive.state is not DriveState.MISSING
        )

    # -- the round -----------------------------------------------------------------------------------------

    def due(self, inventory: Inventory, minutes: int) -> list[Drive]:
        """The drives to be asked now, and when each comes next."""
        now_us, period_us = self._clock.monotonic_us(), minutes * 60 * US_PER_SECOND
        here = [drive for drive in inventory.drives if drive.state is not DriveState.MISSING]
        for gone in self._due.keys() - {drive.id for drive in here}:
            del self._due[gone]
            self._failures.pop(gone, None)
        found = []
        for drive in here:
            is_first = drive.id not in self._due
            if not is_first and min(self._due[drive.id], now_us + period_us) > now_us:
                continue
            # The second round comes between half and a whole period later, so that the drives spread for good.
            share = crc32(drive.id.encode()) / 2**33 if is_first else 0.0
            self._due[drive.id] = now_us + round(period_us * (1 - share))
            found.append(drive)
        return found

    def follow(self, id: str) -> None:
        """It tests itself from now on, or no longer: look at once."""
        self._testing[id] = self._clock.monotonic_us()

    async def round(self, inventory: Inventory, minutes: int) -> None:
        """Ask those that are due and the standby spares; returns when all have answered or were given up."""
        drives = [drive for drive in self.due(inventory, minutes) if drive.id not in self._asked]
        async with asyncio.TaskGroup() as group:
            for drive in drives:
                group.create_task(self.read(drive), name=f"SMART {drive.serial or drive.id}")
            for spare in self._spares_due(inventory):
                if spare not in drives and spare.id not in self._asked:
                    group.create_task(self._poll(spare), name=f"spare {spare.serial or spare.id}")
            for drive in self._testing_due(inventory):
                if drive not in drives and drive.id not in self._asked:
                    group.create_task(self._follow(drive), name=f"self-test {drive.serial or drive.id}")

    def _spares_due(self, inventory: Inventory) -> list[Drive]:
        now_us = self._clock.monotonic_us()
        if now_us - self._polled_us < SPARE_POLL_US:
            return []
        self._polled_us = now_us
        return [drive for drive in inventory.drives if drive.state is DriveState.HOT_SPARE]

    def _testing_due(self, inventory: Inventory) -> list[Drive]:
        here = {drive.id: drive for drive in inventory.drives if drive.state is not DriveState.MISSING}
        for gone in self._testing.keys() - here.keys():
            del self._testing[gone]
        now_us = self._clock.monotonic_us()
        return [here[id] for id, due_us in self._testing.items() if due_us <= now_us]

    async def _follow(self, drive: Drive) -> None:
        """How far its self-test is; when it has ended, or cannot be asked about, a reading has the result or the reason."""
        self._asked.add(drive.id)
        try:
            state = await self._ask_self_tests(drive)
        except WatchdeckError:
            state = SelfTestState()
        finally:
            self._asked.discard(drive.id)
        if state.progress is None:
            self._testing.pop(drive.id, None)
            await self.read(drive)
            return
        self._testing[drive.id] = self._clock.monotonic_us() + TESTING_US
        before = self.healths.get(drive.id, DriveHealth(drive=drive.id))
        health = msgspec.structs.replace(before, self_test=state.text, self_test_progress=state.progress)
        if health != before:
            self.healths[drive.id] = health
            self._changed()

    async def _ask_self_tests(self, drive: Drive) -> SelfTestState:
        state = await self._lane.call(READ_TIMEOUT_S, partial(self._hardware.self_tests, drive.id))
        if not state.is_asleep:
            self.self_tests[drive.id] = state
        return state

    async def _poll(self, spare: Drive) -> None:
        """Only whether it answers: its values are read in the round."""
        try:
            await self._lane.call(READ_TIMEOUT_S, partial(self._hardware.smart, spare.id))
        except (ToolMissing, Unsupported, NotFound):
            return
        except WatchdeckError as error:
            if spare.id not in self._silent_spares:
                self._silent_spares.add(spare.id)
                text = f"{the_drive(spare)}, a hot spare, does not answer: {error.what}"
                self._say([happening("spare.silent", text, source_of(spare))])
            return
        if spare.id in self._silent_spares:
            self._silent_spares.discard(spare.id)
            text = f"{the_drive(spare)}, a hot spare, answers again"
            self._say([happening("spare.answers", text, source_of(spare))])

    async def read(self, drive: Drive) -> DriveHealth:
        """One drive now. What goes wrong becomes a verdict that is not known, with its reason."""
        self._asked.add(drive.id)
        try:
            report = await self._lane.call(READ_TIMEOUT_S, partial(self._hardware.smart, drive.id))
        except WatchdeckError as error:
            return self._not_known(drive, error)
        finally:
            self._asked.discard(drive.id)
        self._failures.pop(drive.id, None)
        if drive.id not in self.self_tests and not report.is_asleep:
            await self._learn_self_tests(drive)
        report = msgspec.structs.replace(
            report, drive=drive.id, time_us=report.time_us or self._clock.now_us()
        )
        return await self._take(drive, report)

    async def _learn_self_tests(self, drive: Drive) -> None:
        """What it can run does not change: asked once."""
        try:
            await self._ask_self_tests(drive)
        except Unsupported:
            self.self_tests[drive.id] = SelfTestState(text="no self-tests through this controller")
        except WatchdeckError as error:
            log.debug("self-tests of %s are not known: %s", drive_words(drive), error)

    async def _take(self, drive: Drive, report: SmartReport) -> DriveHealth:
        now_us = self._clock.now_us()
        before: SmartReport | None = await self._catalog.read("drive_report", drive.id)
        samples: list[HealthSample] = await self._catalog.read("drive_history", drive.id, now_us - HISTORY_US)
        counted = self.teller.media_errors(drive)
        health = judge(report, before, self.healths.get(drive.id), samples, raid_media_errors=counted)
        health = msgspec.structs.replace(health, drive=drive.id)
        self.healths[drive.id] = health
        if not report.is_asleep:
            await self._keep(drive, report, health, now_us)
        self._say(self.teller.verdict(drive, health))
        self._say(self.teller.temperature(drive, health))
        self._say(self_test_result(drive, before, report))
        if report.self_test_progress is not None:
            self._testing.setdefault(drive.id, self._clock.monotonic_us() + TESTING_US)
        self._changed()
        return health

    async def _keep(self, drive: Drive, report: SmartReport, health: DriveHealth, now_us: int) -> None:
        self._sampled_us[drive.id] = now_us
        try:
            await self._catalog.write("save_reading", drive.id, report, health, sample_of(health, now_us))
        except WatchdeckError as error:
            log.warning("reading of %s is not kept: %s", drive_words(drive), error)

    def _not_known(self, drive: Drive, error: WatchdeckError) -> DriveHealth:
        """The last verdict stays what was said; shown is that nothing is known now."""
        self._ask_again(drive, error)
        before = self.healths.get(drive.id, DriveHealth(drive=drive.id))
        reason = error.what if not isinstance(error, CommandTimeout) else f"it does not answer: {error.what}"
        health = msgspec.structs.replace(before, verdict=Verdict.UNKNOWN, reasons=(reason,))
        if health != before:
            self.healths[drive.id] = health
            self._changed()
        return health

    def _ask_again(self, drive: Drive, error: WatchdeckError) -> None:
        """Sooner than in the round, unless that changes nothing; one that hangs would only take another reader with it."""
        if isinstance(error, CommandTimeout | ToolMissing | Unsupported) or drive.id not in self._due:
            return
        failures = self._failures.get(drive.id, 0)
        self._failures[drive.id] = failures + 1
        again_us = self._clock.monotonic_us() + RETRY_US * 2 ** min(failures, 16)
        self._due[drive.id] = min(self._due[drive.id], again_us)

    # -- in between ----------------------------------------------------------------------------------------

    async def warm(self, inventory: Inventory, temperatures: Mapping[str, int]) -> None:
        """Temperatures from the kernel: no drive is asked for them."""
        now_us = self._clock.now_us()
        for drive in inventory.drives:
            temperature_c = temperatures.get(drive.id)
            if temperature_c is None:
                continue
            before = self.healths.get(drive.id, DriveHealth(drive=drive.id))
            health = msgspec.structs.replace(before, temperature_c=temperature_c)
            if health != before:
                self.healths[drive.id] = health
                self._changed()
            self._say(self.teller.temperature(drive, health))
            if abs(now_us - self._sampled_us.get(drive.id, 0)) >= TEMPERATURE_SAMPLE_US:
                self._sampled_us[drive.id] = now_us
                await self._keep_sample(drive, sample_of(health, now_us))

    async def _keep_sample(self, drive: Drive, sample: HealthSample) -> None:
        try:
            await self._catalog.write("add_sample", drive.id, sample)
        except WatchdeckError as error:
            log.debug("temperature of %s is not kept: %s", drive_words(drive), error)

    async def on_lane(self, work: Callable[[], Any]) -> Any:
        """A call to one drive (self-tests)."""
        return await self._lane.call(READ_TIMEOUT_S, work)

    def close(self) -> None:
        self._lane.close()


def sample_of(health: DriveHealth, now_us: int) -> HealthSample:
    return HealthSample(
        time_us=now_us,
        temperature_c=health.temperature_c,
        hours=health.hours,
        reallocated=health.reallocated,
        pending=health.pending,
        uncorrectable=health.uncorrectable,
        interface_errors=health.interface_errors,
        media_errors=health.media_errors,
        wear_percent=health.wear_percent,
        verdict=health.verdict,
    )
