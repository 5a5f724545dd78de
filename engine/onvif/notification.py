"""One thing a camera said: topic, whether it is news, and what about (ONVIF Core, 9.5). Made by engine/onvif/soap.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Items = tuple[tuple[str, str], ...]
"""Names and values of SimpleItems, in the camera's order."""


class PropertyOperation(Enum):
    """ONVIF Core, 9.5.2. A message without one is news of its own."""

    INITIALIZED = "Initialized"
    """The state as it is, repeated at each subscription: never news."""
    CHANGED = "Changed"
    DELETED = "Deleted"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A wsnt:NotificationMessage with a tt:Message inside."""

    topic: str
    """As sent, with prefixes: `tns1:RuleEngine/CellMotionDetector/Motion`."""
    operation: PropertyOperation = PropertyOperation.NONE
    source: Items = ()
    key: Items = ()
    data: Items = ()
    utc_us: int | None = None
    """By the camera's clock, which may be years off: for nothing but looking at."""
