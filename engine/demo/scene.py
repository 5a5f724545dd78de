"""A generated camera view: a painted background, a few things that move, and the camera's name and clock burnt in.

A scene is a pure function of time, so two runs (and two clients) see the same. Painters are in scenes_outdoor and
scenes_indoor; `SCENES` in scenery lists them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.demo.sprite import Plane, Planes, Sprite, infrared, infrared_sprite, paste, planes_of
from engine.demo.time_code import draw_time_code
from storage.units import US_PER_SECOND

WIDTH_PX = 640
HEIGHT_PX = 360
_STRIP_PX = 24
"""Black strip at the top for the name and the clock."""
_FONT_PX = 17
_NIGHT_PERIOD_S = 480
"""A demo day: five minutes of light, three of infrared, shifted from camera to camera."""
_NIGHT_S = 180
_NIGHT_BRIGHTNESS = 0.62

Place = Callable[[float], tuple[int, float, float]]
"""Seconds to (which of the mover's sprites, left px, top px)."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Something that moves: its appearances and where it is when."""

    sprites: tuple[Sprite, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Painting:
    """What a painter makes: the still picture and the movers in front of it, farthest first."""

    background: Image.Image
    movers: tuple[Mover, ...]
    has_night: bool = True


class Scene:
    """A painting with a name, ready to be drawn at any moment."""

    def __init__(self, name: str, painting: Painting, night_shift_s: float = 0.0) -> None:
        background = painting.background.copy()
        draw = ImageDraw.Draw(background)
        draw.rectangle((0, 0, WIDTH_PX, _STRIP_PX - 1), fill=(0, 0, 0))
        draw.rectangle((0, HEIGHT_PX - 8, WIDTH_PX, HEIGHT_PX), fill=(0, 0, 0))
        draw.text((8, 2), name, fill=(255, 255, 255), font=_font())
        self.name = name
        self._movers = painting.movers
        self._day = planes_of(background)
        self._night = infrared(self._day, _NIGHT_BRIGHTNESS)
        # The strip and the time code stay readable at night.
        self._night.luma[:_STRIP_PX] = self._day.luma[:_STRIP_PX]
        self._night_movers = tuple(
            Mover(tuple(infrared_sprite(sprite, 0.85) for sprite in mover.sprites), mover.place)
            for mover in painting.movers
        )
        self._has_night = painting.has_night
        self._night_shift_s = night_shift_s

    def is_night(self, time_us: int) -> bool:
        if not self._has_night:
            return False
        return (time_us / US_PER_SECOND + self._night_shift_s) % _NIGHT_PERIOD_S >= _NIGHT_PERIOD_S - _NIGHT_S

    def draw(self, frame: Planes, time_us: int) -> None:
        """Paint the moment into a frame of 640x360."""
        is_night = self.is_night(time_us)
        background = self._night if is_night else self._day
        frame.luma[:] = background.luma
        frame.blue[:] = background.blue
        frame.red[:] = background.red
        seconds = time_us / US_PER_SECOND
        for mover in self._night_movers if is_night else self._movers:
            appearance, left, top = mover.place(seconds)
            paste(frame, mover.sprites[appearance % len(mover.sprites)], left, max(top, _STRIP_PX))
        stamp = _stamp(time_us // 100_000)
        frame.luma[4 : 4 + stamp.shape[0], WIDTH_PX - 8 - stamp.shape[1] : WIDTH_PX - 8] = stamp
        draw_time_code(frame.luma, time_us // 1000)


# -- motion ----------------------------------------------------------------------------------------------


def crossing(start: tuple[float, float], end: tuple[float, float], travel_s: float, pause_s: float) -> Place:
    """From start to end, then away for a while, for ever."""

    def place(seconds: float) -> tuple[int, float, float]:
        share = min(1.0, seconds % (travel_s + pause_s) / travel_s)
        return (
            int(seconds * 5),
            start[0] + (end[0] - start[0]) * share,
            start[1] + (end[1] - start[1]) * share,
        )

    return place


def pacing(left: tuple[float, float], right: tuple[float, float], travel_s: float) -> Place:
    """To and fro. Appearances: even ones face right, odd ones left."""

    def place(seconds: float) -> tuple[int, float, float]:
        share = seconds % (2 * travel_s) / travel_s
        along, direction = (share, 0) if share < 1 else (2 - share, 1)
        x, y = left[0] + (right[0] - left[0]) * along, left[1] + (right[1] - left[1]) * along
        return int(seconds * 4) * 2 + direction, x, y

    return place


def circling(centre: tuple[float, float], radius: tuple[float, float], period_s: float) -> Place:
    def place(seconds: float) -> tuple[int, float, float]:
        angle = seconds / period_s * math.tau
        return (
            int(seconds * 5),
            centre[0] + math.cos(angle) * radius[0],
            centre[1] + math.sin(angle) * radius[1],
        )

    return place


def standing(position: tuple[float, float], appearances_per_s: float) -> Place:
    """Stays, and changes its appearance."""
    return lambda seconds: (int(seconds * appearances_per_s), *position)


# -- clock stamp -----------------------------------------------------------------------------------------


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FONT_PX)


@lru_cache(maxsize=1)
def _glyphs() -> dict[str, Plane]:
    """Brightness patches of the stamp's characters, all of one width so that the clock does not jitter."""
    font = _font()
    glyphs: dict[str, Plane] = {}
    for character in "0123456789-:. Z":
        image = Image.new("L", (10, _STRIP_PX - 6), 0)
        ImageDraw.Draw(image).text((0, -2), character, fill=255, font=font)
        glyphs[character] = (16 + np.asarray(image, dtype=np.float32) * 219 / 255).astype(np.uint8)
    return glyphs


@lru_cache(maxsize=4)
def _stamp(tenths: int) -> Plane:
    """`2026-03-29 01:59:59.9Z`; cached because all cameras show the same tenth."""
    moment = datetime.fromtimestamp(tenths // 10, UTC)
    text = f"{moment:%Y-%m-%d %H:%M:%S}.{tenths % 10}Z"
    glyphs = _glyphs()
    return np.concatenate([glyphs[character] for character in text], axis=1)
