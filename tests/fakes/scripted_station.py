"""The scripted station of the fake engine: names, states and recordings that follow from the camera's number alone."""

from __future__ import annotations

from engine import wire
from storage.units import US_PER_DAY, US_PER_HOUR, US_PER_SECOND

GIB = 1024**3
NAMES = (
    "driveway",
    "front-door",
    "garden",
    "garage",
    "cellar",
    "loading-dock",
    "parking-north",
    "server-room",
)
CAUSES = ("camera_unreachable", "engine_stopped", "camera_refused", "volume_missing", "frames_lost")


def camera_name(number: int) -> str:
    """The first eight have names of places; the rest are numbered."""
    return NAMES[number - 1] if number <= len(NAMES) else f"cam-{number:03d}"


def scripted_camera(number: int, now_us: int) -> wire.CameraView:
    state, cause, code, retry = _condition(number, now_us)
    is_on_disk = state is wire.CameraState.RECORDING
    is_seen = state in (wire.CameraState.RECORDING, wire.CameraState.STREAMING)
    codec, width, height, fps, bitrate_bps = _stream(number)
    video = wire.TrackView(codec=codec, width=width, height=height)
    audio = wire.TrackView(codec="aac", sample_rate_hz=16_000, channels=1)
    return wire.CameraView(
        id=number,
        uuid=f"00000000-0000-4000-8000-{number:012d}",
        name=camera_name(number),
        url=f"rtsp://192.0.2.{10 + number}:554/stream1",
        user="watch",
        has_password=True,
        group="main" if number % 3 else "perimeter",
        transport="tcp",
        mode="continuous",
        is_enabled=state is not wire.CameraState.OFF,
        state=state,
        state_since_us=now_us - (2 * US_PER_HOUR + number * 61 * US_PER_SECOND),
        cause=cause,
        cause_code=code,
        retry_at_us=retry,
        tracks=(video, audio) if is_seen else (),
        fps=fps if is_seen else 0.0,
        bitrate_bps=bitrate_bps if is_seen else 0,
        last_picture_us=now_us - (US_PER_SECOND if is_seen else 2 * US_PER_HOUR),
        last_written_us=now_us - (2 * US_PER_SECOND if is_on_disk else 2 * US_PER_HOUR),
        volume=("bay-1" if number % 3 else "bay-3") if is_on_disk else "",
        oldest_us=now_us - 12 * US_PER_DAY,
        lost_packets=number * 3 if number % 4 == 0 else 0,
        reconnects=number % 3,
    )


def _condition(number: int, now_us: int) -> tuple[wire.CameraState, str, str, int | None]:
    if number == 4:
        retry = now_us + 8 * US_PER_SECOND
        return wire.CameraState.LOST, "no route to host 192.0.2.14", "camera_unreachable", retry
    if number == 6:
        retry = now_us + 240 * US_PER_SECOND
        return wire.CameraState.REFUSED, "wrong user or password (401)", "camera_refused", retry
    if number % 40 == 7:
        return wire.CameraState.STREAMING, "volume bay-3 is missing", "volume_missing", None
    if number % 50 == 12:
        return wire.CameraState.OFF, "switched off", "", None
    return wire.CameraState.RECORDING, "", "", None


def _stream(number: int) -> tuple[str, int, int, float, int]:
    if number % 3 == 0:
        return "h265", 3840, 2160, 20.0, 6_200_000 + number * 1_000
    if number % 5 == 0:
        return "mjpeg", 1280, 720, 10.0, 9_400_000
    return "h264", 1920, 1080, 25.0, 3_900_000 + number * 10_000


def scripted_snapshot(cameras: int, now_us: int) -> wire.Snapshot:
    views = tuple(scripted_camera(number, now_us) for number in range(1, cameras + 1))
    links = (
        wire.LinkView(
            name="eth0",
            is_up=True,
            receive_bps=38_400_000,
            send_bps=1_200_000,
            speed_bps=1_000_000_000,
        ),
        wire.LinkView(name="eth1", is_up=False),
    )
    station = wire.StationView(
        name="cellar-nvr",
        uuid="00000000-0000-4000-8000-00000000aaaa",
        version="0.1.0",
        now_us=now_us,
        started_us=now_us - 26 * US_PER_HOUR,
        cpu_percent=23.4,
        memory_percent=41.0,
        engine_cpu_percent=11.2,
        engine_rss_bytes=148 * 1024**2,
        links=links,
        cameras_total=cameras,
        cameras_expected=sum(view.is_enabled for view in views),
        cameras_recording=sum(view.state is wire.CameraState.RECORDING for view in views),
    )
    return wire.Snapshot(
        sequence=100,
        station=station,
        cameras=views,
        volumes=_volumes() if cameras else (),
        groups=_groups(views, now_us),
        events=_events(now_us),
    )


def _volumes() -> tuple[wire.VolumeView, ...]:
    return (
        wire.VolumeView(
            id=1,
            uuid="v1",
            name="bay-1",
            path="/srv/video1",
            group="main",
            state=wire.VolumeState.OK,
            total_bytes=7_452 * GIB,
            free_bytes=2_310 * GIB,
            floor_bytes=50 * GIB,
            used_bytes=5_020 * GIB,
            write_bps=28_000_000,
        ),
        wire.VolumeView(
            id=2,
            uuid="v2",
            name="bay-2",
            path="/srv/video2",
            group="main",
            state=wire.VolumeState.FULL,
            cause="no space above the floor of 50 GiB",
            total_bytes=3_726 * GIB,
            free_bytes=50 * GIB,
            floor_bytes=50 * GIB,
            used_bytes=3_600 * GIB,
        ),
        wire.VolumeView(
            id=3,
            uuid="v3",
            name="bay-3",
            path="/srv/video3",
            group="perimeter",
            state=wire.VolumeState.MISSING,
            cause="/srv/video3 is not mounted",
            total_bytes=3_726 * GIB,
        ),
    )


def _groups(views: tuple[wire.CameraView, ...], now_us: int) -> tuple[wire.GroupView, ...]:
    return (
        wire.GroupView(
            id=1,
            name="main",
            retention_days=30,
            cameras=tuple(view.name for view in views if view.group == "main"),
            volumes=("bay-1", "bay-2"),
            used_bytes=8_620 * GIB,
            locked_bytes=12 * GIB,
            oldest_us=now_us - 12 * US_PER_DAY,
            recorded_days=12.4,
            remaining_days=7.8,
            write_bps=28_000_000,
            is_below_retention=True,
        ),
        wire.GroupView(
            id=2,
            name="perimeter",
            retention_days=14,
            cameras=tuple(view.name for view in views if view.group == "perimeter"),
            volumes=("bay-3",),
            recorded_days=3.0,
            remaining_days=None,
        ),
    )


def _events(now_us: int) -> tuple[wire.EventView, ...]:
    script = (
        ("camera.recording", "info", "driveway", "recording again after 42 s"),
        ("camera.refused", "warning", "loading-dock", "wrong user or password (401); tried every 5 minutes"),
        (
            "volume.missing",
            "critical",
            "bay-3",
            "/srv/video3 is not mounted; nothing of its group is recorded",
        ),
        ("camera.lost", "warning", "garage", "no route to host 192.0.2.14"),
        ("volume.full", "warning", "bay-2", "no space above the floor of 50 GiB; recycling the oldest"),
        ("camera.added", "info", "server-room", "added by operator"),
    )
    events = []
    for number in range(300, 0, -1):
        kind, severity, source, text = script[(300 - number) % len(script)]
        time_us = now_us - (300 - number) * 97 * US_PER_SECOND - 12 * US_PER_SECOND
        events.append(
            wire.EventView(id=number, time_us=time_us, kind=kind, severity=severity, source=source, text=text)
        )
    return tuple(events)


def scripted_timeline(
    cameras: list[wire.CameraView], start_us: int, end_us: int, now_us: int, locks: list[wire.LockView]
) -> wire.Timeline:
    """Each camera has a gap of 20 minutes every 5 hours, shifted by its number, back to its oldest recording."""
    rows = []
    for camera in cameras:
        first_us = max(start_us, camera.oldest_us or start_us)
        last_us = min(end_us, now_us)
        recorded, gaps = _stretches(camera.id, first_us, last_us) if first_us < last_us else ([], [])
        own = tuple((lock.start_us, lock.end_us) for lock in locks if lock.camera == camera.name)
        rows.append(
            wire.TimelineRow(
                camera=camera.name,
                recorded=tuple(recorded),
                gaps=tuple(gaps),
                locks=own,
                oldest_us=camera.oldest_us,
            )
        )
    return wire.Timeline(start_us=start_us, end_us=end_us, now_us=now_us, rows=tuple(rows))


def _stretches(
    number: int, first_us: int, last_us: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int, str]]]:
    period_us, gap_us = 5 * US_PER_HOUR, 1200 * US_PER_SECOND
    offset_us = number * 37 * 60 * US_PER_SECOND
    recorded: list[tuple[int, int]] = []
    gaps: list[tuple[int, int, str]] = []
    cursor_us = first_us
    turn = (first_us - offset_us) // period_us
    while cursor_us < last_us:
        gap_start_us = turn * period_us + offset_us
        gap_end_us = gap_start_us + gap_us
        if gap_end_us > cursor_us:
            start_us, end_us = max(cursor_us, gap_start_us), min(gap_end_us, last_us)
            if start_us > cursor_us:
                recorded.append((cursor_us, min(start_us, last_us)))
            if start_us < end_us:
                gaps.append((start_us, end_us, CAUSES[(number + turn) % len(CAUSES)]))
            cursor_us = max(cursor_us, gap_end_us)
        turn += 1
    return recorded, gaps
