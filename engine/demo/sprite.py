"""Small pictures in the encoder's own colour format, and pasting them into a frame: what makes the demo cheap.

Everything is drawn once with Pillow in RGB; per frame only a few patches of YUV 4:2:0 are copied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Planes:
    """A picture as three planes: brightness at full size, two colour planes at half size."""

    luma: Plane
    blue: Plane
    red: Plane


@dataclass(frozen=True, slots=True)
class Sprite:
    """A patch with a mask; even width and height, so that brightness and colour stay together."""

    planes: Planes
    mask: NDArray[np.bool_]
    chroma_mask: NDArray[np.bool_]

    @property
    def width_px(self) -> int:
        return int(self.mask.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.mask.shape[0])


def planes_of(image: Image.Image) -> Planes:
    """BT.601 limited range, as cameras send it."""
    full = np.asarray(image.convert("YCbCr"), dtype=np.float32)
    luma = (16 + full[..., 0] * 219 / 255).round().astype(np.uint8)
    chroma = 128 + (full[..., 1:] - 128) * 224 / 255
    halved = (chroma[0::2, 0::2] + chroma[1::2, 0::2] + chroma[0::2, 1::2] + chroma[1::2, 1::2]) / 4
    rounded = halved.round().astype(np.uint8)
    return Planes(luma, np.ascontiguousarray(rounded[..., 0]), np.ascontiguousarray(rounded[..., 1]))


def sprite_of(image: Image.Image) -> Sprite:
    """From RGBA; transparent where alpha is below half."""
    width, height = (image.width + 1) // 2 * 2, (image.height + 1) // 2 * 2
    even = Image.new("RGBA", (width, height))
    even.paste(image, (0, 0))
    mask = np.asarray(even.getchannel("A")) >= 128
    return Sprite(planes_of(even.convert("RGB")), mask, mask[0::2, 0::2] & mask[1::2, 1::2])


def infrared(planes: Planes, brightness: float) -> Planes:
    """The same at night: grey, as a camera with its infrared lamps on shows it."""
    luma = (16 + (planes.luma.astype(np.float32) - 16) * brightness).clip(16, 235).astype(np.uint8)
    return Planes(luma, np.full_like(planes.blue, 128), np.full_like(planes.red, 128))


def infrared_sprite(sprite: Sprite, brightness: float) -> Sprite:
    return Sprite(infrared(sprite.planes, brightness), sprite.mask, sprite.chroma_mask)


def paste(frame: Planes, sprite: Sprite, left: float, top: float) -> None:
    """Copy the sprite's opaque pixels; what lies outside the frame is cut off."""
    half_left, half_top = round(left / 2), round(top / 2)
    _copy(frame.luma, sprite.planes.luma, sprite.mask, half_left * 2, half_top * 2)
    _copy(frame.blue, sprite.planes.blue, sprite.chroma_mask, half_left, half_top)
    _copy(frame.red, sprite.planes.red, sprite.chroma_mask, half_left, half_top)


def _copy(target: Plane, source: Plane, mask: NDArray[np.bool_], left: int, top: int) -> None:
    height, width = target.shape
    first_x, first_y = max(0, -left), max(0, -top)
    last_x, last_y = min(source.shape[1], width - left), min(source.shape[0], height - top)
    if first_x >= last_x or first_y >= last_y:
        return
    np.copyto(
        target[top + first_y : top + last_y, left + first_x : left + last_x],
        source[first_y:last_y, first_x:last_x],
        where=mask[first_y:last_y, first_x:last_x],
    )
