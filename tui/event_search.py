"""Which events, or which entries of the log, are looked for: what the forms of Events and Log fill in. Pure. Manual rows ES-02, ES-03, LS-02."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from tui.when import HINT, parse_when
from widgets import format
from widgets.dialog import Field

ALL = "all"

GROUPS: dict[str, tuple[str, ...]] = {
    "general": (
        "camera",
        "recording",
        "detection.motion",
        "detection.tampering",
        "detection.audio",
        "detection.digital_input",
        "detection.digital_output",
        "detection.pir",
        "detection.ir",
        "detection.temperature",
        "detection.shock",
        "detection.sd_card",
        "detection.video_loss",
        "external",
        "engine",
        "station",
        "network",
        "clock",
        "group",
        "lock",
        "fan",
        "power",
        "temperature",
        "voltage",
        "chassis",
        "job",
        "operation",
    ),
    "analytics": (
        "detection.line_crossing",
        "detection.intrusion",
        "detection.loitering",
        "detection.face",
        "detection.missing_object",
        "detection.unattended_object",
        "detection.crowd",
        "detection.smart_tracking",
        "detection.zone",
        "detection.people_running",
        "detection.parking_violation",
        "detection.restricted_zone",
        "detection.other",
    ),
    "storage": (
        "volume",
        "retention",
        "virtual_drive",
        "drive",
        "spare",
        "rebuild",
        "task",
        "initialisation",
        "upkeep",
    ),
    "security": ("login", "intrusion"),
}
"""ES-02. A kind stands for all below it."""

RANKS = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class EventSearch:
    """All conditions hold; of kinds any."""

    min_severity: str | None = None
    group: str = ""
    kinds: tuple[str, ...] = ()
    source: str = ""
    start_us: int | None = None
    end_us: int | None = None
    text: str = ""

    @property
    def asked_kinds(self) -> tuple[str, ...]:
        """Those picked, else those of the group; () = all."""
        return self.kinds or GROUPS.get(self.group, ())

    @property
    def is_narrow(self) -> bool:
        return self != EventSearch()

    def wants(self, *, severity: str, kind: str, source: str, time_us: int, text: str) -> bool:
        """The same by the console's own eyes, for what arrives live."""
        if self.min_severity is not None and (
            severity not in RANKS or RANKS.index(severity) < RANKS.index(self.min_severity)
        ):
            return False
        if self.asked_kinds and not any(is_below(kind, each) for each in self.asked_kinds):
            return False
        if self.source and source != self.source:
            return False
        if not (self.start_us or 0) <= time_us < (self.end_us or time_us + 1):
            return False
        words = f"{source} {text}".casefold()
        return all(word in words for word in self.text.casefold().split())

    def chips(self, now_us: int, zone: tzinfo) -> list[str]:
        """What narrows the list besides severity and words, for the title."""
        chips = []
        if self.kinds:
            chips.append(self.kinds[0] if len(self.kinds) == 1 else f"{len(self.kinds)} kinds")
        elif self.group:
            chips.append(self.group)
        if self.source:
            chips.append(self.source)
        chips += range_words(self.start_us, self.end_us, now_us, zone)
        return chips


def is_below(kind: str, above: str) -> bool:
    """`volume.full` is below `volume`, and below itself."""
    return kind == above or kind.startswith(f"{above}.")


def range_words(start_us: int | None, end_us: int | None, now_us: int, zone: tzinfo) -> list[str]:
    words = []
    if start_us is not None:
        words.append(f"from {format.recent_time(start_us, now_us, zone)}")
    if end_us is not None:
        words.append(f"to {format.recent_time(end_us, now_us, zone)}")
    return words


def time_fields(start_us: int | None, end_us: int | None, now_us: int, zone: tzinfo) -> list[Field]:
    """From and to, as an operator types times."""

    def check(text: str) -> str:
        is_read = not text.strip() or parse_when(text, now_us, now_us, zone) is not None
        return "" if is_read else f"a time like {HINT}"

    def written(time_us: int | None) -> str:
        return "" if time_us is None else format.local_time(time_us, zone)

    return [
        Field("from", "From", written(start_us), hint=HINT, check=check),
        Field("to", "To", written(end_us), hint="empty = now", check=check),
    ]


def typed_time(text: str, now_us: int, zone: tzinfo) -> int | None:
    return parse_when(text, now_us, now_us, zone) if text.strip() else None


def time_complaint(values: Mapping[str, str], now_us: int, zone: tzinfo) -> tuple[str, str] | None:
    """The end lies after the beginning."""
    start_us, end_us = (typed_time(values[key], now_us, zone) for key in ("from", "to"))
    if start_us is not None and end_us is not None and end_us <= start_us:
        return "to", "the end lies before the beginning"
    return None


def search_fields(search: EventSearch, now_us: int, zone: tzinfo) -> list[Field]:
    """ES-03."""
    return [
        Field("severity", "Severity", search.min_severity or ALL, kind="choice", choices=(ALL, *RANKS[1:])),
        Field("group", "Group", search.group or ALL, kind="choice", choices=(ALL, *GROUPS)),
        Field("source", "About", search.source, hint="a camera, a volume, ...; empty = all"),
        *time_fields(search.start_us, search.end_us, now_us, zone),
        Field("text", "Words", search.text, hint="all of them"),
    ]


def search_of(values: Mapping[str, str], before: EventSearch, now_us: int, zone: tzinfo) -> EventSearch:
    """Another group takes picked kinds off."""
    group = "" if values["group"] == ALL else values["group"]
    return EventSearch(
        min_severity=None if values["severity"] == ALL else values["severity"],
        group=group,
        kinds=before.kinds if group == before.group else (),
        source=values["source"].strip(),
        start_us=typed_time(values["from"], now_us, zone),
        end_us=typed_time(values["to"], now_us, zone),
        text=values["text"].strip(),
    )
