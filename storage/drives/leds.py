"""Driving the lamps of the trays: through the kernel's enclosure files, ledctl, or a RAID controller. Which pattern: not here.

Green belongs to the drive itself (ready, activity) and is never touched; what is driven is amber: locate, fail, rebuild.
No interface tells whether a lamp is really there: ledctl says nothing when a backplane has none (docs/chassis-file.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from storage.command import Runner
from storage.drives.enclosures import enclosure_slots
from storage.drives.indicators import TrayPattern
from storage.errors import DriveError, Unsupported
from storage.roots import Roots

LEDCTL_TIMEOUT_S = 20.0
STORCLI_TIMEOUT_S = 30.0
CALLS_BETWEEN_TRIES = 30
"""After a lamp could not be driven: it is tried again later, and complained about again only when asked for something new."""
_DARK = (TrayPattern.EMPTY, TrayPattern.IDLE, TrayPattern.ACTIVE)


@dataclass(frozen=True, slots=True)
class Tray:
    """A bay and all that is known about how to reach its lamp."""

    bay: int
    device: str = ""
    """/dev/sdb of the drive in it."""
    enclosure: str = ""
    """Address or identifier of the enclosure, `*` = any."""
    slot: int | None = None
    controller_slot: str = ""
    """`c0:e252:s3`; `c0:s3` without an enclosure."""
    serial: str = ""

    @property
    def words(self) -> str:
        return f"bay {self.bay} ({self.serial})" if self.serial else f"bay {self.bay}"


class LampDriver(Protocol):
    """One way to drive lamps."""

    @property
    def name(self) -> str: ...

    def show(self, tray: Tray, pattern: TrayPattern) -> None:
        """EMPTY, IDLE and ACTIVE all mean: amber off. Raises Unsupported where this way leads nowhere, DriveError."""
        ...


class SysfsEnclosureLeds:
    """`locate` and `fault` of /sys/class/enclosure (kernel module ses): works for an empty slot too, knows no rebuild."""

    name = "enclosure"

    def __init__(self, roots: Roots) -> None:
        self._roots = roots

    def show(self, tray: Tray, pattern: TrayPattern) -> None:
        folder = self._folder(tray)
        if folder is None:
            raise Unsupported(f"{tray.words} is in no enclosure that the kernel knows")
        if pattern is TrayPattern.REBUILD:
            raise Unsupported("the kernel's enclosure files know no rebuild pattern")
        wanted = {"locate": pattern is TrayPattern.LOCATE, "fault": pattern is TrayPattern.FAIL}
        # Off before on: at no time are two patterns shown.
        for name, is_on in sorted(wanted.items(), key=lambda item: item[1]):
            try:
                (folder / name).write_text("1" if is_on else "0")
            except OSError as error:
                if is_on or not isinstance(error, FileNotFoundError):
                    raise Unsupported(f"{folder / name} cannot be written: {error.strerror}") from error

    def _folder(self, tray: Tray) -> Path | None:
        name = tray.device.removeprefix("/dev/")
        for slot in enclosure_slots(self._roots):
            is_there = tray.enclosure in ("*", slot.enclosure, slot.enclosure_id) and tray.slot == slot.slot
            if is_there or (name and slot.drive == name):
                return slot.folder
        return None


class LedctlLeds:
    """ledctl of ledmon. Always with -x: without it, it resets the lamps of all other drives."""

    name = "ledctl"

    def __init__(self, run: Runner) -> None:
        self._run = run

    def show(self, tray: Tray, pattern: TrayPattern) -> None:
        if not tray.device:
            raise Unsupported("ledctl reaches a lamp only through the drive in the bay")
        for word in self._words(pattern):
            done = self._run(["ledctl", "-x", f"{word}={tray.device}"], timeout_s=LEDCTL_TIMEOUT_S)
            said = (done.errors + done.output).decode("utf-8", "replace").lower()
            if done.status != 0 or "not supported" in said:
                raise Unsupported(f"ledctl: {done.complaint}")

    @staticmethod
    def _words(pattern: TrayPattern) -> tuple[str, ...]:
        if pattern is TrayPattern.LOCATE:
            return ("normal", "locate")
        lasting = {TrayPattern.FAIL: "failure", TrayPattern.REBUILD: "rebuild"}.get(pattern, "normal")
        return ("locate_off", lasting)


class StorcliLeds:
    """A MegaRAID controller drives fail and rebuild by itself; only locate is asked for."""

    name = "storcli"

    def __init__(self, run: Runner) -> None:
        self._run = run

    def show(self, tray: Tray, pattern: TrayPattern) -> None:
        parts = tray.controller_slot.split(":")
        if len(parts) < 2:
            raise Unsupported("the drive is behind no RAID controller")
        word = "start" if pattern is TrayPattern.LOCATE else "stop"
        where = "/" + "/".join(parts)
        done = self._run(["storcli64", where, word, "locate"], timeout_s=STORCLI_TIMEOUT_S)
        if done.status != 0:
            raise Unsupported(f"storcli64 {where} {word} locate: {done.complaint}")


@dataclass(slots=True)
class _Shown:
    tray: Tray
    pattern: TrayPattern
    driver: LampDriver | None
    """None = nobody could."""
    calls_left: int = 0


class TrayLamps:
    """Remembers what each lamp shows and writes only changes. One thread at a time."""

    def __init__(self, drivers: Sequence[LampDriver]) -> None:
        self._drivers = tuple(drivers)
        self._shown: dict[int, _Shown] = {}
        self._said: set[str] = set()

    def show(self, patterns: Mapping[int, TrayPattern], trays: Mapping[int, Tray]) -> tuple[str, ...]:
        """Bays that are not named are left alone. Returns what could not be done, each complaint once."""
        complaints: dict[str, list[Tray]] = {}
        for bay, pattern in patterns.items():
            tray = trays.get(bay) or Tray(bay=bay)
            reason = self._show(tray, TrayPattern.IDLE if pattern in _DARK else pattern)
            if reason:
                complaints.setdefault(reason, []).append(tray)
        return tuple(
            f"the lamp of {', '.join(tray.words for tray in found)} cannot be driven: {reason}"
            for reason, found in complaints.items()
        )

    def _show(self, tray: Tray, pattern: TrayPattern) -> str:
        old = self._shown.get(tray.bay)
        is_same = old is not None and (old.pattern, old.tray) == (pattern, tray)
        if old is None and pattern is TrayPattern.IDLE and not self._is_reachable(tray):
            return ""
        if old is not None and is_same:
            if old.driver is not None:
                return ""
            old.calls_left -= 1
            if old.calls_left > 0:
                return ""
        driver, reason = self._first_that_works(tray, pattern)
        before = old.driver if old else None
        if before is not None and before is not driver and old is not None:
            self._darken(before, old.tray)
        self._shown[tray.bay] = _Shown(tray, pattern, driver, CALLS_BETWEEN_TRIES)
        if driver is not None:
            self._said = {said for said in self._said if not said.startswith(f"{tray.bay}:")}
            return ""
        if f"{tray.bay}:{reason}" in self._said:
            return ""
        self._said.add(f"{tray.bay}:{reason}")
        return reason

    @staticmethod
    def _is_reachable(tray: Tray) -> bool:
        return bool(tray.device or tray.enclosure or tray.controller_slot)

    def _first_that_works(self, tray: Tray, pattern: TrayPattern) -> tuple[LampDriver | None, str]:
        reasons: list[str] = []
        if not self._is_reachable(tray):
            return None, "there is no drive in it, and the chassis file names no enclosure slot"
        for driver in self._drivers:
            try:
                driver.show(tray, pattern)
            except DriveError as error:
                reasons.append(error.what)
            else:
                return driver, ""
        return None, "; ".join(reasons) or "there is no way to reach lamps on this machine"

    @staticmethod
    def _darken(driver: LampDriver, tray: Tray) -> None:
        """What another way now shows must not be shown by the old one as well; a drive that is gone has no lamp to darken."""
        try:
            driver.show(tray, TrayPattern.IDLE)
        except DriveError:
            return
