"""How recordings are made: what station.toml and the station decide for all cameras."""

from __future__ import annotations

from dataclasses import dataclass

from storage.segments.chain import Signer
from storage.units import US_PER_SECOND


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """Lengths, intervals and bounds; and who signs."""

    signer: Signer | None = None
    """The station's key; None: what is recorded is hashed, and not signed."""
    segment_us: int = 120 * US_PER_SECOND
    part_us: int = 1_500_000
    """Of a GOP longer than this. With what may wait in a socket, a kill costs less than two seconds."""
    sync_interval_ms: int = 5_000
    gather_ms: int = 0
    """How long parts may gather before a volume's idle thread is woken for them."""
    queue_bytes: int = 64 * 1024 * 1024
    pre_event_bytes: int = 512 * 1024 * 1024
    """Of all cameras in mode `events` together: the seconds before an event."""
    camera_limit: int = 128
    stop_budget_ms: int = 15_000
