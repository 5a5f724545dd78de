"""JPEG files: what snapshots and scripts get. Picture worker only."""

from __future__ import annotations

import io

from PIL import Image

from engine.pictures.fit import fit_width
from engine.pictures.picture import Picture

_QUALITY = 88


def encode_jpeg(decoded: Picture, wanted_width_px: int, original: bytes = b"") -> bytes:
    """`original`: the camera's own JPEG of the same picture, handed out untouched when its size is right."""
    width_px, height_px = fit_width(decoded.width_px, decoded.height_px, wanted_width_px)
    if original and width_px == decoded.width_px:
        return original
    file = io.BytesIO()
    Image.fromarray(decoded.rgb(width_px, height_px)).save(file, format="JPEG", quality=_QUALITY)
    return file.getvalue()
