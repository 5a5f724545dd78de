"""JPEG files: what snapshots and scripts get. Picture worker only."""

from __future__ import annotations

import io

from PIL import Image

from engine.pictures.decode import DecodedFrame, Keyframe
from engine.pictures.fit import fit_width
from storage.segments.packet import Codec

_QUALITY = 88


def encode_jpeg(keyframe: Keyframe, decoded: DecodedFrame, wanted_width_px: int) -> bytes:
    """A camera's own JPEG is handed out untouched when its size is right: it is the original."""
    width_px, height_px = fit_width(decoded.width_px, decoded.height_px, wanted_width_px)
    if keyframe.track.codec is Codec.MJPEG and width_px == decoded.width_px:
        return keyframe.data
    file = io.BytesIO()
    Image.fromarray(decoded.rgb(width_px, height_px)).save(file, format="JPEG", quality=_QUALITY)
    return file.getvalue()
