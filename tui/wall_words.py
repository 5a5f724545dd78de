"""What the wall says of a camera: words beside its picture, and since when and why there is none. Pure. Manual rows LV-04, VC-11, VC-17."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from engine import wire
from tui.screens.camera_text import codec_name, video_track
from tui.wording import CAMERA_STATES
from widgets import format
from widgets.glyphs import Glyphs
from widgets.overlay import OverlayWord

DOWN = (wire.CameraState.LOST, wire.CameraState.REFUSED, wire.CameraState.OFF)
"""No picture comes: the cell says why instead of asking for one."""
GONE = "this camera was removed"


def is_down(camera: wire.CameraView) -> bool:
    return camera.state in DOWN


def down_words(camera: wire.CameraView, now_us: int, zone: tzinfo) -> str:
    """`lost since 13:42:10 (21 min): no route to host`."""
    wording = CAMERA_STATES[camera.state]
    since = format.recent_time(camera.state_since_us, now_us, zone)
    length = format.duration(max(now_us - camera.state_since_us, 0))
    why = camera.cause if camera.cause != f"switched {wording.word}" else ""
    return f"{wording.word} since {since} ({length})" + (f": {why}" if why else "")


def camera_words(
    camera: wire.CameraView,
    glyphs: Glyphs,
    *,
    time: str = "",
    is_old: bool = False,
    is_live: bool = True,
) -> dict[str, OverlayWord]:
    """By element; rates with two decimals, as VC-17 has them. `time` is that of the picture shown."""
    wording = CAMERA_STATES[camera.state]
    track = video_track(camera)
    state_style = wording.style if is_live else "dim"
    moment = f"OLD {time}" if is_old and time else time
    words = {
        "name": OverlayWord(format.harmless(camera.name), "bold"),
        "state": OverlayWord(f"{wording.sign or glyphs.mark} {wording.word}", state_style),
        "time": OverlayWord(moment, "bold $text-warning" if is_old else ""),
    }
    if track is not None:
        words["codec"] = OverlayWord(codec_name(track.codec))
        words["resolution"] = OverlayWord(format.resolution(track.width, track.height))
    if camera.fps:
        words["fps"] = OverlayWord(f"{camera.fps:.2f} fps")
    if camera.bitrate_bps:
        words["throughput"] = OverlayWord(f"{camera.bitrate_bps / 1_000_000:.2f} Mbit/s")
    return words


def word_line(words: list[OverlayWord]) -> Content:
    """One line of an overlay."""
    parts: list[Content | tuple[str, str]] = []
    for word in words:
        if parts:
            parts.append(("  ", ""))
        parts.append((word.text, word.style))
    return Content.assemble(*parts)
