"""API messages about video links: addresses from which a player on somebody's own machine takes full-rate video for a while."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request


class VideoLinkAsk(Request, frozen=True, kw_only=True):
    camera: str
    start_us: int | None = None
    end_us: int | None = None
    """Both = a recorded clip; neither = live."""
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1_440)] = 10
    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    """How the player's machine calls this one; empty = as station.toml says, else this machine's name."""


class VideoLink(Reply, frozen=True, kw_only=True):
    """Whoever has the address can watch until it ends: 128 random bits in it are the only key."""

    id: str
    camera: str
    start_us: int | None = None
    end_us: int | None = None
    http_url: str
    """MP4 (live: endless, fragmented)."""
    rtsp_url: str = ""
    """Live only: RTSP over TCP. Empty also for JPEG that RTP cannot carry (size, Huffman tables of its own): `http_url` has it."""
    expires_us: int
    created_by: str = ""
    players: int = 0
    """Connected now."""
    is_loopback: bool = False
    """The ports listen on this machine only: a player elsewhere needs an SSH tunnel to these."""
    http_port: int = 0
    rtsp_port: int = 0


class VideoLinkList(Reply, frozen=True, kw_only=True):
    links: tuple[VideoLink, ...]
