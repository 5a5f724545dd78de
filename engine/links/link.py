"""One video link: what it shows, whose it is, until when."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

PLAYERS_LIMIT = 4
"""At the same time, of one link: a player may open several connections."""
STEM_LIMIT = 60


@dataclass(eq=False, slots=True)
class Link:
    """`token` is the only key to it: never logged, never listed to others."""

    id: str
    token: str = field(repr=False)
    camera: UUID
    camera_name: str
    start_us: int | None
    end_us: int | None
    expires_us: int
    created_by: str
    host: str
    players: dict[object, Callable[[], None]] = field(default_factory=dict)
    """Connections of players, and what cuts each off."""
    planning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A clip is planned by reading the tables of its segments: for one player after the other."""

    @property
    def is_live(self) -> bool:
        return self.start_us is None

    @property
    def file_name(self) -> str:
        """For the address: plain ASCII, says to people what it is."""
        stem = "".join(
            each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in self.camera_name
        )
        return f"{stem[:STEM_LIMIT].strip('-') or 'camera'}.mp4"

    def is_opened_by(self, token: str) -> bool:
        return hmac.compare_digest(self.token.encode(), token.encode("utf-8", "replace"))

    def cut_off(self) -> None:
        """All its players."""
        for end in tuple(self.players.values()):
            end()
