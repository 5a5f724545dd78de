"""Cameras as rows of the list and as lines of details: pure functions of the engine's views."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from textual.content import Content

from engine import wire
from tui.wording import CAMERA_STATES
from widgets import format
from widgets.glyphs import Glyphs
from widgets.line_source import Column, Line, Span, Tone

COLUMNS = (
    Column("number", "No", 3, priority=3, is_right=True),
    Column("name", "Camera", 14, grow=2, max_width=26),
    Column("state", "State", 13),
    Column("codec", "Codec", 5, priority=2),
    Column("resolution", "Picture", 9, priority=1),
    Column("fps", "Rate", 8, priority=2, is_right=True),
    Column("bitrate", "Bit rate", 11, priority=1, is_right=True),
    Column("picture", "Last seen", 10, is_right=True),
    Column("group", "Group", 10, priority=4, grow=1, max_width=16),
    Column("cause", "Why", 24, priority=5, grow=6),
)
SORTS = ("number", "name", "state", "bitrate", "picture")

_TONES: dict[wire.CameraState, Tone] = {
    wire.CameraState.RECORDING: "ok",
    wire.CameraState.STREAMING: "warning",
    wire.CameraState.WAITING: "ok",
    wire.CameraState.CONNECTING: "accent",
    wire.CameraState.LOST: "error",
    wire.CameraState.REFUSED: "error",
    wire.CameraState.OFF: "muted",
}
_SEVERITY = (
    wire.CameraState.REFUSED,
    wire.CameraState.LOST,
    wire.CameraState.STREAMING,
    wire.CameraState.CONNECTING,
    wire.CameraState.RECORDING,
    wire.CameraState.WAITING,
    wire.CameraState.OFF,
)
"""Order of the state column: what needs someone comes first."""


def video_track(camera: wire.CameraView | wire.CameraTestReply) -> wire.TrackView | None:
    return next((track for track in camera.tracks if track.width), None)


def codec_name(codec: str) -> str:
    """As on a camera's data sheet: `H.264`."""
    names = {
        "h264": "H.264",
        "h265": "H.265",
        "hevc": "H.265",
        "mjpeg": "MJPEG",
        "aac": "AAC",
        "opus": "Opus",
    }
    return names.get(codec.lower(), codec)


def camera_line(camera: wire.CameraView, now_us: int, glyphs: Glyphs, zone: tzinfo, *, is_live: bool) -> Line:
    """One row; muted as a whole, and without ages, when it is not the present."""
    wording = CAMERA_STATES[camera.state]
    tone: Tone = _TONES[camera.state] if is_live else "muted"
    track = video_track(camera)
    plain: Tone = "" if is_live and camera.state is not wire.CameraState.OFF else "muted"
    return Line(
        key=camera.uuid,
        cells=(
            str(camera.id),
            camera.name,
            (f"{wording.sign or glyphs.mark} {wording.word}", tone),
            codec_name(track.codec) if track else format.NOTHING,
            format.resolution(track.width, track.height) if track else format.NOTHING,
            format.frame_rate(camera.fps),
            format.bit_rate(camera.bitrate_bps or None),
            seen_words(camera, now_us) if is_live else format.local_clock(camera.last_picture_us, zone),
            camera.group,
            camera.cause,
        ),
        tone=plain,
        sort_values=_sort_values(camera, track),
        span=_why_span(camera, tone),
    )


def _why_span(camera: wire.CameraView, tone: Tone) -> Span | None:
    """Where the last column has no room: of a camera that does not record, the cause instead of its stream."""
    if camera.state in (wire.CameraState.RECORDING, wire.CameraState.WAITING) or not camera.cause:
        return None
    return Span("codec", "bitrate", (camera.cause, tone), unless="cause")


def _mode_words(camera: wire.CameraView) -> str:
    if camera.mode == "events":
        return f"events, from {camera.pre_event_s} s before to {camera.post_event_s} s after"
    return "weekly schedule" if camera.mode == "schedule" else camera.mode


def seen_words(camera: wire.CameraView, now_us: int) -> str:
    """Age of the newest picture; whole seconds are not counted below ten, so that rows stand still."""
    if camera.last_picture_us is None:
        return "never"
    has_pictures = camera.state in (
        wire.CameraState.RECORDING,
        wire.CameraState.WAITING,
        wire.CameraState.STREAMING,
    )
    is_now = has_pictures and now_us - camera.last_picture_us < 10_000_000
    return "now" if is_now else format.age(camera.last_picture_us, now_us)


def _sort_values(camera: wire.CameraView, track: wire.TrackView | None) -> tuple[Any, ...]:
    return (
        camera.id,
        camera.name.casefold(),
        (_SEVERITY.index(camera.state), camera.name.casefold()),
        track.codec if track else "",
        track.width * track.height if track else 0,
        camera.fps,
        camera.bitrate_bps,
        -(camera.last_picture_us or 0),
        camera.group.casefold(),
        camera.cause,
    )


# -- details ---------------------------------------------------------------------------------------------


def summary_lines(camera: wire.CameraView, now_us: int, zone: tzinfo, glyphs: Glyphs) -> list[Content]:
    """What matters first, for the pane beside the preview."""
    wording = CAMERA_STATES[camera.state]
    since = format.duration(max(0, now_us - camera.state_since_us) // 60_000_000 * 60_000_000)
    lines = [
        Content.styled(camera.name, "bold"),
        Content.assemble(
            (f"{wording.sign or glyphs.mark} {wording.word}", wording.style),
            f" for {since}" if since != "0.0 s" else "",
        ),
    ]
    if camera.cause:
        lines.append(Content.styled(camera.cause, wording.style))
    if camera.retry_at_us is not None and camera.state in (wire.CameraState.LOST, wire.CameraState.REFUSED):
        lines.append(Content(f"next try {format.until(camera.retry_at_us, now_us)}"))
    track = video_track(camera)
    if track is not None:
        parts = (codec_name(track.codec), format.resolution(track.width, track.height))
        lines.append(Content(" ".join((*parts, format.frame_rate(camera.fps)))))
        lines.append(Content(format.bit_rate(camera.bitrate_bps)))
    where = f"to {camera.volume}, group {camera.group}" if camera.volume else f"group {camera.group}"
    lines.append(Content(where))
    if camera.oldest_us is not None:
        lines.append(Content(f"oldest {format.local_date(camera.oldest_us, zone)}"))
    return lines


def detail_pairs(camera: wire.CameraView, now_us: int, zone: tzinfo) -> list[tuple[str, str]]:
    """Everything there is to know, as names and values."""
    audio = next((track for track in camera.tracks if not track.width), None)
    track = video_track(camera)
    is_tls = camera.url.lower().startswith(("rtsps:", "https:", "rtmps:"))
    sound = "not recorded"
    if camera.record_audio:
        sound = f"{codec_name(audio.codec)}, {audio.sample_rate_hz} Hz" if audio else "none seen"
    return [
        ("State", CAMERA_STATES[camera.state].word),
        ("Since", format.local_time_with_zone(camera.state_since_us, zone)),
        ("Why", camera.cause or format.NOTHING),
        ("Next try", format.until(camera.retry_at_us, now_us)),
        ("Address", camera.url),
        ("Live address", camera.live_url or format.NOTHING),
        ("User", (camera.user or "none") + (", password set" if camera.has_password else ", no password")),
        ("Transport", camera.transport),
        ("Group", camera.group),
        ("Recording", _mode_words(camera)),
        (
            "Video",
            f"{codec_name(track.codec)}, {format.resolution(track.width, track.height)}"
            if track
            else format.NOTHING,
        ),
        ("Frame rate", format.frame_rate(camera.fps)),
        ("Bit rate", format.bit_rate(camera.bitrate_bps or None)),
        ("Audio", sound),
        ("Last picture", format.local_time_with_zone(camera.last_picture_us, zone)),
        ("On disk until", format.local_time_with_zone(camera.last_written_us, zone)),
        ("Volume", camera.volume or format.NOTHING),
        ("Oldest", format.local_time_with_zone(camera.oldest_us, zone)),
        ("Lost packets", format.count(camera.lost_packets)),
        ("Retries", format.count(camera.reconnects)),
        (
            "Certificate",
            ("checked" if camera.verify_tls else "not checked") if is_tls else "none, not encrypted",
        ),
        ("UUID", camera.uuid),
    ]


def test_lines(reply: wire.CameraTestReply) -> list[Content]:
    """What a test saw, good or bad."""
    if not reply.ok:
        lines = [Content.styled(f"! {reply.what}", "bold $text-error")]
        return lines + ([Content(f"  {reply.remedy}")] if reply.remedy else [])
    track = video_track(reply)
    audio = next((each for each in reply.tracks if not each.width), None)
    parts = [codec_name(track.codec), format.resolution(track.width, track.height)] if track else []
    parts += [format.frame_rate(reply.fps), format.bit_rate(reply.bitrate_bps)]
    lines = [
        Content.styled("ok: the camera sends video", "bold $text-success"),
        Content("  " + ", ".join(parts)),
        Content(f"  first picture after {reply.first_picture_ms} ms"),
    ]
    if audio is not None:
        lines.append(Content(f"  audio {codec_name(audio.codec)}, {audio.sample_rate_hz} Hz"))
    return lines
