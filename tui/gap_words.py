"""Why something is not recorded, in words: the same on all screens and in commands, which draw nothing."""

from __future__ import annotations

GAP_CAUSES: dict[str, str] = {
    "camera_unreachable": "camera unreachable",
    "camera_refused": "camera refused",
    "camera_stalled": "camera sent no video",
    "camera_protocol_error": "camera sent nonsense",
    "camera_unsupported": "camera not supported",
    "frames_lost": "frames lost",
    "no_volume": "no volume",
    "volume_full": "volume full",
    "volume_failed": "volume failed",
    "volume_missing": "volume missing",
    "volume_stalled": "volume stalled",
    "engine_stopped": "engine stopped",
    "engine_crashed": "engine crashed",
    "clock_stepped": "clock was set",
    "unknown": "unknown",
}


def gap_words(cause: str) -> str:
    """A cause of a later engine is shown as it came."""
    return GAP_CAUSES.get(cause, cause.replace("_", " "))
