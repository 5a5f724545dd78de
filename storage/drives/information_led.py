"""The information LED of the box: the UID through the BMC. Overheat, fan and power lamps are the BMC's own and only reported.

A BMC blinks its lamp when it is asked over IPMI and lights it steadily for the button on the box: which of the two cannot
be chosen from here.
"""

from __future__ import annotations

from storage.command import Runner
from storage.drives.indicators import InformationPattern
from storage.drives.ipmi import IPMITOOL, has_bmc
from storage.errors import DriveError
from storage.roots import Roots

TIMEOUT_S = 15.0
LONGEST_IDENTIFY_S = 255
"""Of a BMC that knows no "until told otherwise" (IPMI 1.5)."""
_UID = (InformationPattern.UID_LOCAL, InformationPattern.UID_REMOTE)
_OWN_LAMPS = {
    InformationPattern.OVERHEAT: "overheat",
    InformationPattern.FAN_FAILURE: "fan failure",
    InformationPattern.POWER_FAILURE: "power supply failure",
}


class InformationLamp:
    """Writes only changes. One thread at a time."""

    def __init__(self, roots: Roots, run: Runner) -> None:
        self._roots = roots
        self._run = run
        self._shown: InformationPattern | None = None
        self._is_identifying = False

    def show(self, pattern: InformationPattern) -> tuple[str, ...]:
        """What could not be done, in plain words, once a change."""
        if pattern is self._shown:
            return ()
        first = self._shown is None
        self._shown = pattern
        if pattern not in _UID and not self._is_identifying:
            return () if first and pattern is InformationPattern.OFF else self._words_for(pattern)
        if not has_bmc(self._roots):
            return ("the information LED cannot be driven: this machine has no BMC (/dev/ipmi0)",)
        try:
            said = self._identify(pattern in _UID)
        except DriveError as error:
            return (f"the information LED cannot be driven: {error.what}",)
        return said + self._words_for(pattern)

    @staticmethod
    def _words_for(pattern: InformationPattern) -> tuple[str, ...]:
        fault = _OWN_LAMPS.get(pattern)
        return (
            (f"the lamp for {fault} is the BMC's own: it lights when the BMC sees it too",) if fault else ()
        )

    def _identify(self, is_on: bool) -> tuple[str, ...]:
        """Raises DriveError."""
        if not is_on:
            self._run([*IPMITOOL, "chassis", "identify", "0"], timeout_s=TIMEOUT_S).checked()
            self._is_identifying = False
            return ()
        done = self._run([*IPMITOOL, "chassis", "identify", "force"], timeout_s=TIMEOUT_S)
        said: tuple[str, ...] = ()
        if done.status != 0:
            seconds = str(LONGEST_IDENTIFY_S)
            self._run([*IPMITOOL, "chassis", "identify", seconds], timeout_s=TIMEOUT_S).checked()
            said = (f"this BMC ends the UID lamp by itself after {LONGEST_IDENTIFY_S} s",)
        self._is_identifying = True
        return said
