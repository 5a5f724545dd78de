"""API messages about where events come from besides the station itself: buttons, messages from outside, cameras; and the settings
of mail and preservation that alarms need. Part of `engine.wire`'s API. Manual rows VR, TM, SM, PR.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request

# -- virtual triggers, external sources, settings ---------------------------------------------------------


class VirtualTrigger(Reply, frozen=True, kw_only=True):
    """VR-03: a button. It exists as long as a rule has it."""

    name: str
    rules: tuple[str, ...]
    last_fired_us: int | None = None


class TriggerFire(Request, frozen=True, kw_only=True):
    text: str = ""
    """Goes into the event."""


class MailSettings(Request, frozen=True, kw_only=True):
    """SM-01."""

    host: str = ""
    """Empty = no mail server."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    security: str = "starttls"
    """starttls, tls or none."""
    user: str = ""
    password: str = ""
    """Secret: shown as PLACEHOLDER when there is one; given as PLACEHOLDER it stays."""
    sender: str = ""
    verify_tls: bool = True


class ListenSettings(Request, frozen=True, kw_only=True):
    """Where messages from outside are taken. Off until a port is given."""

    tcp_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    """TM-01: 3444 by custom; 0 = off."""
    tcp_address: str = "127.0.0.1"
    webhook_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    webhook_address: str = "127.0.0.1"
    webhook_token: str = ""
    """Secret, needed for a webhook port: `Authorization: Bearer …`. PLACEHOLDER as above."""


class PreservationSettings(Request, frozen=True, kw_only=True):
    """PR-17 … PR-19, in days."""

    alarms_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    log_major_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 730
    log_normal_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    log_minor_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 90
    bookmark_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    """None = for ever."""


class AlarmSettings(Request, frozen=True, kw_only=True):
    """All of it; an edit replaces the parts given."""

    mail: MailSettings | None = None
    listen: ListenSettings | None = None
    preservation: PreservationSettings | None = None


class MailTest(Request, frozen=True, kw_only=True):
    to: str


class HeardMessage(Reply, frozen=True, kw_only=True):
    """TM-02: the last messages from outside, matched or not."""

    time_us: int
    peer: str
    text: str
    matched: tuple[str, ...] = ()
    """Rules."""


class ListenView(Reply, frozen=True, kw_only=True):
    is_tcp_open: bool = False
    is_webhook_open: bool = False
    trouble: str = ""
    """Why a port that should be open is not."""
    heard: tuple[HeardMessage, ...] = ()
    """The newest ten, newest first."""
    dropped: int = 0
    """Over the rate limit, since the start."""


# -- cameras' own events ----------------------------------------------------------------------------------


class CameraAnalytics(Request, frozen=True, kw_only=True):
    """What is done with a camera's events and pictures besides recording."""

    onvif: bool = False
    """Take its events by ONVIF pull-point."""
    onvif_url: str = ""
    """Of its device service; empty = http://HOST/onvif/device_service with the stream's host."""
    onvif_verify_tls: bool = False
    motion: bool = False
    """Look for motion in its pictures here, once a second at most, on keyframes."""
    sensitivity: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    min_cells: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 4
    """So many cells of the 32 x 18 must change."""
    mask: tuple[str, ...] = ()
    """18 rows of 32 `x` (looked at) or `.` (not); () = all are looked at."""
    motion_index: bool = True
    """Keep what moved where, for motion searches and the histogram of the timeline. Looked at as often as the share of the processor
    set aside for it allows (`[pictures] motion_percent` in station.toml), from once a second to once in half a minute."""


class AnalyticsView(Reply, frozen=True, kw_only=True):
    camera: str
    settings: CameraAnalytics
    onvif_state: str = "off"
    """off, connecting, listening, refused, lost."""
    onvif_trouble: str = ""
    topics: tuple[str, ...] = ()
    """Kinds seen or announced by the camera."""
    motion_state: str = "off"
    """off, watching, or why not."""
    last_motion_us: int | None = None
    index_state: str = "off"
    """Of `motion_index`: off, keeping, or why not."""
    look_every_s: float | None = None
    """Time between two looks, lately."""


class CameraIo(Reply, frozen=True, kw_only=True):
    """What the camera offers to actions, asked now."""

    presets: tuple[tuple[str, str], ...] = ()
    """Token and name."""
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
