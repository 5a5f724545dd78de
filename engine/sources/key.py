"""Whether recordings and exports can be signed. Said at each start at which they cannot."""

from __future__ import annotations

from engine.events import EventBus
from storage.catalog.records import Severity
from storage.evidence.station_key import StationKeys


def tell_of_key(keys: StationKeys, events: EventBus) -> None:
    """Recording goes on without: its footage will be there, and prove less."""
    if keys.trouble is not None:
        events.publish("station.key_unusable", str(keys.trouble), severity=Severity.CRITICAL)
