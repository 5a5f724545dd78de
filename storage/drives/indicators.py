"""The lamps of the appliance as its manual names them: tray LEDs (rows BY-04..09) and the information LED (HW-07..11).

Only the table: which state shows which pattern is engine/chassis/indicators.py, how a lamp is driven is leds.py.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Blink(StrEnum):
    OFF = "off"
    STEADY = "steady"
    HZ_4 = "4hz"
    HZ_1 = "1hz"
    HZ_QUARTER = "0.25hz"


class TrayPattern(StrEnum):
    """What a tray shows. At most one; the table says which lamp does what."""

    EMPTY = "empty"
    IDLE = "idle"
    ACTIVE = "active"
    LOCATE = "locate"
    FAIL = "fail"
    REBUILD = "rebuild"


class TrayLed(msgspec.Struct, frozen=True, kw_only=True):
    green: Blink
    amber: Blink


TRAY_TABLE: dict[TrayPattern, TrayLed] = {
    TrayPattern.EMPTY: TrayLed(green=Blink.OFF, amber=Blink.OFF),
    TrayPattern.IDLE: TrayLed(green=Blink.STEADY, amber=Blink.OFF),
    TrayPattern.ACTIVE: TrayLed(green=Blink.HZ_4, amber=Blink.OFF),
    TrayPattern.LOCATE: TrayLed(green=Blink.OFF, amber=Blink.HZ_4),
    TrayPattern.FAIL: TrayLed(green=Blink.OFF, amber=Blink.STEADY),
    TrayPattern.REBUILD: TrayLed(green=Blink.OFF, amber=Blink.HZ_1),
}


class InformationPattern(StrEnum):
    """The one lamp on the front for the whole box; the worst comes first, a UID gives way to a fault."""

    OFF = "off"
    OVERHEAT = "overheat"
    FAN_FAILURE = "fan_failure"
    POWER_FAILURE = "power_failure"
    UID_LOCAL = "uid_local"
    UID_REMOTE = "uid_remote"


class InformationLed(msgspec.Struct, frozen=True, kw_only=True):
    red: Blink
    blue: Blink


INFORMATION_TABLE: dict[InformationPattern, InformationLed] = {
    InformationPattern.OFF: InformationLed(red=Blink.OFF, blue=Blink.OFF),
    InformationPattern.OVERHEAT: InformationLed(red=Blink.STEADY, blue=Blink.OFF),
    InformationPattern.FAN_FAILURE: InformationLed(red=Blink.HZ_1, blue=Blink.OFF),
    InformationPattern.POWER_FAILURE: InformationLed(red=Blink.HZ_QUARTER, blue=Blink.OFF),
    InformationPattern.UID_LOCAL: InformationLed(red=Blink.OFF, blue=Blink.STEADY),
    InformationPattern.UID_REMOTE: InformationLed(red=Blink.OFF, blue=Blink.HZ_1),
}
"""The manual gives no frequency for the remote UID: 1 Hz (Q-10)."""
