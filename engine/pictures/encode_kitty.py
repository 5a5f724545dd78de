"""Pictures for terminals that speak the kitty graphics protocol: PNG in base64 chunks, placed at the cursor.

https://sw.kovidgoyal.net/kitty/graphics-protocol/ : `a=T` send and show, `f=100` PNG, `C=1` leave the cursor,
`q=2` no answers (they would arrive as key presses), `c`/`r` the cells to cover, `m=1` more chunks follow.
"""

from __future__ import annotations

import base64
import io

from PIL import Image

from engine.pictures.fit import PixelFit
from engine.pictures.picture import Pixels

_CHUNK_CHARACTERS = 4096
_PNG_LEVEL = 3
"""zlib level: 1 to 2 ms for a preview; higher levels cost more time than they save on any link."""


def encode_kitty(pixels: Pixels, fit: PixelFit, image_id: int) -> bytes:
    """APC sequences that draw the picture at the cursor; the same id replaces the picture before."""
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, format="PNG", compress_level=_PNG_LEVEL)
    text = base64.standard_b64encode(png.getvalue())
    chunks = [text[start : start + _CHUNK_CHARACTERS] for start in range(0, len(text), _CHUNK_CHARACTERS)]
    identity = f",i={image_id},p=1" if image_id else ""
    keys = f"a=T,f=100,q=2,C=1,c={fit.columns},r={fit.rows}{identity}"
    pieces: list[bytes] = []
    for number, chunk in enumerate(chunks):
        more = int(number < len(chunks) - 1)
        head = f"{keys},m={more}" if number == 0 else f"q=2,m={more}"
        pieces.append(b"\x1b_G" + head.encode() + b";" + chunk + b"\x1b\\")
    return b"".join(pieces)
