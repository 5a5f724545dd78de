"""All sensors of the box from whoever knows them: BMC, enclosures, and the board's own chips where there is no BMC."""

from __future__ import annotations

from collections.abc import Callable

from storage.command import Runner
from storage.drives import ambient, ipmi, ses
from storage.drives.hwmon import BoardSensors
from storage.drives.sensors import Sensor
from storage.errors import DriveError
from storage.raid.inventory import Problem
from storage.roots import Roots


class BoxSensors:
    """One thread at a time. `problems` says which source failed the last time, while the others went on."""

    def __init__(self, roots: Roots, run: Runner) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._roots = roots
        self._run = run
        self._board = BoardSensors(roots)

    def read(self) -> tuple[Sensor, ...]:
        """Empty where there is nothing to ask. Raises DriveError only when nobody answered."""
        failures: list[DriveError] = []
        found: list[Sensor] = []
        if ipmi.has_bmc(self._roots):
            found += self._asked(lambda: ipmi.read_sensors(self._run), failures)
        has_bmc_answer = bool(found)
        found += self._asked(lambda: ses.read_enclosures(self._roots, self._run), failures)
        if not has_bmc_answer:
            # The BMC measures the same fans and temperatures: twice would be two alarms for one fan.
            found += self._board.read()
        self.problems = tuple(
            Problem(code=error.code, what=f"sensors: {error.what}", remedy=error.remedy) for error in failures
        )
        if failures and not found:
            raise failures[0]
        return ambient.judged(found)

    @staticmethod
    def _asked(ask: Callable[[], tuple[Sensor, ...]], failures: list[DriveError]) -> tuple[Sensor, ...]:
        try:
            return ask()
        except DriveError as error:
            failures.append(error)
            return ()
