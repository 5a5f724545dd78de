"""Privacy masks as people type them: `10,20,30,40:black@14:30..14:35`, in percent of the picture. Pure. EX-04."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from engine.wire_evidence import MaskStyle, PrivacyMask

EXAMPLE = "10,20,30,40:black@14:30..14:35"
"""10 % from the left, 20 % from the top, 30 % wide, 40 % high."""
_PERCENT = 100
_STYLES = {"black": MaskStyle.BLACK, "pixelate": MaskStyle.PIXELATE, "pixelated": MaskStyle.PIXELATE}
_MASK = re.compile(r"\s*(?P<area>[^:@]+)(?::\s*(?P<style>[a-z]+))?\s*(?:@\s*(?P<times>.+?))?\s*")


class NoMask(ValueError):
    """What was typed is no mask; the text says why."""


def parse_mask(text: str, when: Callable[[str], int | None]) -> PrivacyMask:
    """`when` reads a time (None: it is none). Raises NoMask."""
    match = _MASK.fullmatch(text)
    if match is None:
        raise NoMask(f"no mask: {text.strip()!r} (for example {EXAMPLE})")
    left, top, width, height = _area(match["area"])
    style = _STYLES.get(match["style"] or "black")
    if style is None:
        raise NoMask(f"a mask is black or pixelate, not {match['style']}")
    start_us, end_us = _times(match["times"], when) if match["times"] else (None, None)
    return PrivacyMask(
        left=left, top=top, width=width, height=height, start_us=start_us, end_us=end_us, style=style
    )


def parse_masks(text: str, when: Callable[[str], int | None]) -> tuple[PrivacyMask, ...]:
    """Several, with `;` between them; none is fine."""
    return tuple(parse_mask(each, when) for each in text.split(";") if each.strip())


def _area(text: str) -> tuple[int, int, int, int]:
    try:
        shares = [round(float(each) * _PERCENT) for each in text.split(",")]
    except (ValueError, OverflowError):
        raise NoMask(f"no mask: {text.strip()!r} (left,top,width,height in percent)") from None
    if len(shares) != 4:
        raise NoMask(f"a mask has four numbers, not {len(shares)}: left,top,width,height in percent")
    left, top, width, height = shares
    if min(left, top) < 0 or min(width, height) < 1:
        raise NoMask("a mask begins inside of the picture and has a size")
    if left + width > 100 * _PERCENT or top + height > 100 * _PERCENT:
        raise NoMask("the mask reaches beyond the picture: left + width and top + height are at most 100")
    return left, top, width, height


def _times(text: str, when: Callable[[str], int | None]) -> tuple[int | None, int | None]:
    """`FROM..TO`, either may be empty; `FROM-TO` where neither has a `-` of its own."""
    if ".." in text:
        first, _, last = text.partition("..")
    elif text.count("-") == 1 and not text.startswith("-"):
        first, _, last = text.partition("-")
    else:
        raise NoMask(f"no times of a mask: {text!r} (FROM..TO, for example 14:30..14:35)")
    start_us, end_us = _time(first, when), _time(last, when)
    if start_us is not None and end_us is not None and end_us <= start_us:
        raise NoMask("the mask ends at or before its start")
    return start_us, end_us


def _time(text: str, when: Callable[[str], int | None]) -> int | None:
    if not text.strip():
        return None
    time_us = when(text.strip())
    if time_us is None:
        raise NoMask(f"not a time: {text.strip()!r}")
    return time_us


Rectangle = tuple[int, int, int, int]
"""Left, top, width, height in 1/10,000."""


def drawn(text: str, when: Callable[[str], int | None]) -> tuple[tuple[Rectangle, MaskStyle], ...]:
    """Where the masks typed are and how they look, in their order. Raises NoMask."""
    return tuple((_rectangle(mask), mask.style) for mask in parse_masks(text, when))


def redrawn(
    text: str,
    when: Callable[[str], int | None],
    rectangles: Sequence[Rectangle],
    styles: Mapping[Rectangle, MaskStyle],
) -> str:
    """What is to be typed for these: those that stood there before keep their times, and their style unless another is given. Raises NoMask."""
    typed = [(_rectangle(parse_mask(each, when)), each.strip()) for each in text.split(";") if each.strip()]
    pieces = []
    for rectangle in rectangles:
        known = next((pair for pair in typed if pair[0] == rectangle), None)
        if known is not None:
            typed.remove(known)
        piece = ",".join(f"{each / _PERCENT:g}" for each in rectangle) if known is None else known[1]
        pieces.append(_styled(piece, styles[rectangle]) if rectangle in styles else piece)
    return "; ".join(pieces)


def _styled(piece: str, style: MaskStyle) -> str:
    """The same mask, black or pixelated."""
    match = _MASK.fullmatch(piece)
    assert match is not None  # it was read, or made here
    word = "" if style is MaskStyle.BLACK else f":{style}"
    return f"{match['area'].strip()}{word}{'@' + match['times'] if match['times'] else ''}"


def _rectangle(mask: PrivacyMask) -> Rectangle:
    return mask.left, mask.top, mask.width, mask.height
