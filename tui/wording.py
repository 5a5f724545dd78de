"""The words, letters and colours of states: one table each, so that all screens say the same.

Colour never stands alone: each state has a word and a one-cell sign that differ without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from engine import wire
from widgets.glyphs import Glyphs


@dataclass(frozen=True, slots=True)
class Wording:
    """How a state is shown."""

    word: str
    style: str
    sign: str = ""
    """One cell; empty = the mark of the glyph set."""

    def label(self, glyphs: Glyphs, *, is_live: bool = True) -> Content:
        """Sign and word; muted when it is not the present."""
        return Content.styled(f"{self.sign or glyphs.mark} {self.word}", self.style if is_live else "dim")


CAMERA_STATES: dict[wire.CameraState, Wording] = {
    wire.CameraState.RECORDING: Wording("recording", "$text-success"),
    wire.CameraState.STREAMING: Wording("not on disk", "$text-warning bold", "o"),
    wire.CameraState.WAITING: Wording("waiting", "$text-success", "."),
    wire.CameraState.CONNECTING: Wording("connecting", "$text-accent", "~"),
    wire.CameraState.LOST: Wording("lost", "$text-error bold", "x"),
    wire.CameraState.REFUSED: Wording("refused", "$text-error bold", "!"),
    wire.CameraState.OFF: Wording("off", "dim", "-"),
}

VOLUME_STATES: dict[wire.VolumeState, Wording] = {
    wire.VolumeState.OK: Wording("ok", "$text-success"),
    wire.VolumeState.FULL: Wording("full", "$text-warning bold", "="),
    wire.VolumeState.MISSING: Wording("missing", "$text-error bold", "x"),
    wire.VolumeState.MISMATCH: Wording("other volume", "$text-error bold", "?"),
    wire.VolumeState.READ_ONLY: Wording("read-only", "$text-error bold", "r"),
    wire.VolumeState.FAILED: Wording("failed", "$text-error bold", "!"),
    wire.VolumeState.STALLED: Wording("stalled", "$text-error bold", "~"),
}

SEVERITIES: dict[str, Wording] = {
    "info": Wording("info", "", "i"),
    "warning": Wording("warning", "$text-warning bold", "w"),
    "critical": Wording("critical", "$text-error bold", "!"),
}


def severity_wording(severity: str) -> Wording:
    """An unknown severity of a later engine is shown as it came."""
    return SEVERITIES.get(severity, Wording(severity, "$text-warning", "?"))
