"""A picture on its way to an encoder: decoded, in any of the forms a worker keeps it. Picture worker only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av
import av.filter
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from engine.pictures.fit import REGION_WHOLE

Pixels = NDArray[np.uint8]
Region = tuple[int, int, int, int]
"""Left, top, width and height in 1/10,000 of the picture."""

_PLAUSIBLE_ASPECT = (0.4, 2.5)
"""Anything else is a slip of the camera."""
_ANY_TICK = Fraction(1, 90_000)
"""A filter wants one; nothing here looks at it."""
_reformatter = VideoReformatter()


class Picture(Protocol):
    """What an encoder needs. Sizes are of what is to be shown: of a region, its own."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    @property
    def shape_px(self) -> tuple[int, int]:
        """Width and height as it should look, with square pixels."""

    def rgb(self, width_px: int, height_px: int) -> Pixels:
        """height x width x 3."""

    def gray(self, width_px: int, height_px: int) -> Pixels:
        """height x width brightness, 0 to 255."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded picture in the camera's own colour format, not yet scaled."""

    frame: av.VideoFrame
    width_px: int
    height_px: int
    """As the camera coded it, although `frame` may have been decoded smaller."""
    time_us: int
    pixel_aspect: float = 1.0
    """Width of a pixel by its height: older cameras send 704x576 meant for 4:3."""

    @property
    def shape_px(self) -> tuple[int, int]:
        return max(1, round(self.width_px * self.pixel_aspect)), self.height_px

    def rgb(self, width_px: int, height_px: int) -> Pixels:
        """Scaled and converted in one pass."""
        return self._scaled(width_px, height_px, "rgb24")

    def gray(self, width_px: int, height_px: int) -> Pixels:
        """As rgb."""
        return self._scaled(width_px, height_px, "gray")

    def cropped(self, region: Region) -> DecodedFrame:
        """What of it lies in the region, in the camera's own pixels; at least 2 x 2 of them, where it has so many."""
        left, top, width, height = (
            part * size // REGION_WHOLE
            for part, size in zip(region, (self.frame.width, self.frame.height) * 2, strict=True)
        )
        # Whole pairs of pixels: chroma is stored once a pair.
        left, top = left & ~1, top & ~1
        width = min(self.frame.width, max(2, min(width, self.frame.width - left) & ~1))
        height = min(self.frame.height, max(2, min(height, self.frame.height - top) & ~1))
        left, top = max(0, min(left, self.frame.width - width)), max(0, min(top, self.frame.height - height))
        part = _cropped(self.frame, left, top, width, height)
        return DecodedFrame(
            part,
            max(1, width * self.width_px // self.frame.width),
            max(1, height * self.height_px // self.frame.height),
            self.time_us,
            self.pixel_aspect,
        )

    def _scaled(self, width_px: int, height_px: int, pixel_format: str) -> Pixels:
        shrinks = width_px < self.frame.width or height_px < self.frame.height
        scaled = _reformatter.reformat(
            self.frame,
            width_px,
            height_px,
            pixel_format,
            interpolation="AREA" if shrinks else "BILINEAR",
            threads=1,
        )
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class ScaledPicture:
    """A picture of which only the pixels one request wants are kept."""

    pixels: Pixels
    width_px: int
    height_px: int
    shape_px: tuple[int, int]
    coded_px: tuple[int, int]
    """Of the whole picture, as the camera coded it."""

    def rgb(self, width_px: int, height_px: int) -> Pixels:
        assert self.pixels.shape == (height_px, width_px, 3), "kept for another request"
        return self.pixels

    def gray(self, width_px: int, height_px: int) -> Pixels:
        assert self.pixels.shape == (height_px, width_px), "kept for another request"
        return self.pixels


def plausible_aspect(width_by_height: float) -> float:
    """Of a pixel, as announced by the camera; 1 where that cannot be."""
    return width_by_height if _PLAUSIBLE_ASPECT[0] <= width_by_height <= _PLAUSIBLE_ASPECT[1] else 1.0


def _cropped(frame: av.VideoFrame, left: int, top: int, width: int, height: int) -> av.VideoFrame:
    """libav's own crop: it knows every colour format, and copies nothing."""
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_TICK
    )
    # Exact: a single pixel is else rounded down to none.
    crop = graph.add("crop", f"{width}:{height}:{left}:{top}:0:1")
    sink = graph.add("buffersink")
    source.link_to(crop)
    crop.link_to(sink)
    graph.configure()
    graph.push(frame)
    cropped = graph.pull()
    assert isinstance(cropped, av.VideoFrame)
    return cropped
