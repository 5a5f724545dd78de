"""How events stand on a timeline: one character and one class of colour by type, for the row of tags and its legend. Pure. Manual rows PB-15, PB-16."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.format import SECOND_US

EVENT_US = 10 * SECOND_US
"""PB-16: as long as an event is drawn."""


@dataclass(frozen=True, slots=True)
class EventType:
    """Events of one kind, and all kinds below it."""

    kind: str
    sign: str
    word: str
    tone: str
    """One of widgets.timeline_marks.TONES."""


EVENT_TYPES: tuple[EventType, ...] = (
    EventType("detection.motion", "M", "motion", "motion"),
    EventType("detection.line_crossing", "X", "line crossing", "analytics"),
    EventType("detection.intrusion", "I", "intrusion", "analytics"),
    EventType("detection.loitering", "L", "loitering", "analytics"),
    EventType("detection.face", "F", "face", "analytics"),
    EventType("detection.missing_object", "G", "missing object", "analytics"),
    EventType("detection.unattended_object", "U", "unattended object", "analytics"),
    EventType("detection.crowd", "W", "crowd", "analytics"),
    EventType("detection.smart_tracking", "K", "smart tracking", "analytics"),
    EventType("detection.zone", "Z", "zone", "analytics"),
    EventType("detection.restricted_zone", "Y", "restricted zone", "analytics"),
    EventType("detection.people_running", "R", "people running", "analytics"),
    EventType("detection.parking_violation", "V", "parking violation", "analytics"),
    EventType("detection.other", "N", "other analytics", "analytics"),
    EventType("detection.tampering", "T", "tampering", "trouble"),
    EventType("detection.shock", "H", "shock", "trouble"),
    EventType("detection.video_loss", "Q", "video loss", "trouble"),
    EventType("detection.audio", "A", "audio", "device"),
    EventType("detection.digital_input", "D", "digital input", "device"),
    EventType("detection.digital_output", "O", "digital output", "device"),
    EventType("detection.pir", "P", "PIR", "device"),
    EventType("detection.ir", "J", "infrared light", "device"),
    EventType("detection.temperature", "E", "temperature", "device"),
    EventType("detection.sd_card", "S", "SD card", "device"),
    EventType("camera", "C", "camera", "trouble"),
    EventType("recording", "B", "recording", "trouble"),
)
"""The first that fits counts."""
OTHER = EventType("", "*", "other", "other")


def event_type(kind: str) -> EventType:
    """Of an event's kind; what has no type of its own is OTHER."""
    return next((each for each in EVENT_TYPES if f"{kind}.".startswith(f"{each.kind}.")), OTHER)
