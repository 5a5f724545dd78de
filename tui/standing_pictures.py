"""Sixel and kitty pictures on the terminal: which stands where, how much of it was sent, and how it is taken away.

    standing = StandingPictures()
    standing.pieces(surface, picture, region, most_bytes)   the next strips (sixel) or chunks (kitty), about so many bytes
    standing.is_whole(surface, picture, region)             all of it was sent, and nothing was written over it since
    standing.note_overwritten(spans)                        cells that were sent wipe the sixels above them: these strips again
    standing.erase_stale(surfaces, cells)                   what no longer belongs where it stands goes
    standing.forget()                                       the screen was cleared
    standing.leave()                                        the console ends: all that the terminal keeps goes

A sixel is wiped by sending its cells again; a kitty picture by its id. A kitty picture comes in chunks, between which no other graphics
command may stand (https://sw.kovidgoyal.net/kitty/graphics-protocol/): one that must be broken off is ended with an empty chunk.
The picture before keeps its own id and stands until the new one is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from textual.geometry import Region

from tui.cell_screen import CellScreen, Span
from widgets.picture import PictureSurface, TerminalPicture

_END = b"\x1b\\"
_BROKEN_OFF = "\x1b_Gq=2,m=0;\x1b\\"


@dataclass(frozen=True, slots=True)
class _Piece:
    row: int
    """Of the picture."""
    rows: int
    text: str
    column: int = 0
    columns: int = 0
    """0 = the whole width."""


@dataclass(slots=True)
class _Standing:
    picture: TerminalPicture
    region: Region
    pieces: tuple[_Piece, ...]
    left: list[int] = field(default_factory=list)
    """Numbers of the pieces not sent, in order."""
    replaced_id: int = 0
    """Kitty: the picture that goes when this one is complete."""

    @property
    def is_begun(self) -> bool:
        return 0 < len(self.left) < len(self.pieces)


class StandingPictures:
    """State holder. Invariant: at most one kitty picture is sent in part; nothing else of kitty is written meanwhile."""

    def __init__(self) -> None:
        self._standing: dict[int, _Standing] = {}
        self._gone: list[_Standing] = []
        self._must_end = False
        """A kitty picture was sent in part and forgotten: its rest is still expected."""

    def forget(self) -> None:
        """Nothing stands anywhere any more."""
        self._must_end = self._must_end or any(
            standing.picture.kind == "kitty" and standing.is_begun
            for standing in (*self._standing.values(), *self._gone)
        )
        self._standing.clear()
        self._gone.clear()

    def leave(self) -> str:
        """What takes all pictures out of the terminal's store, which keeps them after the screen is gone."""
        parts: list[str] = []
        for standing in (*self._standing.values(), *self._gone):
            if standing.picture.kind == "kitty":
                parts.append(_withdrawal(standing))
        self.forget()
        self._must_end = False
        # One that was sent in part is ended before another command comes.
        return "".join(sorted(parts, key=lambda text: not text.startswith(_BROKEN_OFF)))

    def release(self, surface_id: int) -> bool:
        """A surface went: its picture is erased with the next frame. True when there was one."""
        if (standing := self._standing.pop(surface_id, None)) is None:
            return False
        self._gone.append(standing)
        return True

    # -- sending -----------------------------------------------------------------------------------------

    def is_whole(self, surface_id: int, picture: TerminalPicture) -> bool:
        """All of this picture stands."""
        standing = self._standing.get(surface_id)
        return standing is not None and standing.picture is picture and not standing.left

    def pieces(
        self,
        surface_id: int,
        picture: TerminalPicture,
        region: Region,
        most_bytes: int,
        *,
        at_least_one: bool = True,
    ) -> str:
        """The next parts of a picture; empty when it is whole, or another must be completed first."""
        standing = self._standing.get(surface_id)
        broken_off = ""
        if standing is None or standing.picture is not picture:
            if picture.kind == "kitty" and self._begun() not in (None, surface_id):
                return ""
            before, standing = standing, self._begin(surface_id, picture, region, standing)
            broken_off = _breaking_off(before, picture)
        parts: list[str] = []
        size = 0
        while standing.left:
            piece = standing.pieces[standing.left[0]]
            if size + len(piece.text) > most_bytes and (parts or not at_least_one):
                break
            del standing.left[0]
            if not parts or picture.kind == "sixel":
                parts.append(f"\x1b[{region.y + piece.row + 1};{region.x + piece.column + 1}H")
            parts.append(piece.text)
            size += len(piece.text)
        if not parts:
            return broken_off
        if not standing.left and standing.replaced_id:
            parts.append(_deletion(standing.replaced_id))
            standing.replaced_id = 0
        return broken_off + "\x1b7" + "".join(parts) + "\x1b8"

    def _begin(
        self, surface_id: int, picture: TerminalPicture, region: Region, before: _Standing | None
    ) -> _Standing:
        pieces = _pieces_of(picture)
        standing = _Standing(picture, region, pieces, list(range(len(pieces))))
        if before is not None and picture.kind == "kitty":
            old_id = before.replaced_id if before.is_begun else before.picture.image_id
            standing.replaced_id = old_id if old_id != picture.image_id else 0
        self._standing[surface_id] = standing
        return standing

    def _begun(self) -> int | None:
        """Surface of the kitty picture that was sent in part."""
        for surface_id, standing in self._standing.items():
            if standing.picture.kind == "kitty" and standing.is_begun:
                return surface_id
        return None

    # -- taking away -------------------------------------------------------------------------------------

    def note_overwritten(self, spans: Iterable[Span]) -> None:
        """Cells that were sent wiped what is drawn there."""
        for standing in self._standing.values():
            region = standing.region
            if standing.picture.kind != "sixel":
                continue
            for span in spans:
                if span.start >= region.right or span.end <= region.x:
                    continue
                for number, piece in enumerate(standing.pieces):
                    top, left = region.y + piece.row, region.x + piece.column
                    right = left + piece.columns if piece.columns else region.right
                    is_hit = top <= span.row < top + piece.rows and span.start < right and span.end > left
                    if is_hit and number not in standing.left:
                        standing.left.append(number)
            standing.left.sort()

    def erase_stale(self, surfaces: Mapping[int, PictureSurface], cells: CellScreen) -> str:
        """Before the cells are sent: forget the cells of what goes, and delete it where it has an id."""
        stale = list(self._gone)
        self._gone.clear()
        for surface_id, standing in list(self._standing.items()):
            wanted = surfaces[surface_id].terminal_picture() if surface_id in surfaces else None
            is_at_home = wanted is not None and wanted[1] == standing.region
            if not is_at_home or not cells.is_kept_free(standing.region, surface_id):
                stale.append(self._standing.pop(surface_id))
        parts: list[str] = [_BROKEN_OFF] if self._must_end else []
        self._must_end = False
        for standing in stale:
            cells.forget(standing.region)
            if standing.picture.kind != "kitty":
                continue
            if not standing.is_begun and (begun := self._begun()) is not None:
                parts.append(_BROKEN_OFF)
                other = self._standing[begun]
                other.left = list(range(len(other.pieces)))
            parts.append(_withdrawal(standing))
        return "".join(parts)


def _withdrawal(standing: _Standing) -> str:
    """A kitty picture goes, whole or not."""
    end = _BROKEN_OFF if standing.is_begun else ""
    return end + "".join(
        _deletion(number) for number in (standing.picture.image_id, standing.replaced_id) if number
    )


def _breaking_off(before: _Standing | None, picture: TerminalPicture) -> str:
    """What goes before another picture of the same surface while a part of the last one was sent."""
    if before is None or before.picture.kind != "kitty" or not before.is_begun:
        return ""
    is_same = before.picture.image_id in (0, picture.image_id)
    return _BROKEN_OFF + ("" if is_same else _deletion(before.picture.image_id))


def _deletion(image_id: int) -> str:
    return f"\x1b_Ga=d,d=I,i={image_id},q=2\x1b\\"


def _pieces_of(picture: TerminalPicture) -> tuple[_Piece, ...]:
    if picture.strips:
        return tuple(
            _Piece(strip.row, strip.rows, _text(strip.payload), strip.column, strip.columns)
            for strip in picture.strips
        )
    if picture.kind == "kitty":
        chunks = [chunk + _END for chunk in picture.payload.split(_END) if chunk]
        return tuple(_Piece(0, picture.rows, _text(chunk)) for chunk in chunks)
    return (_Piece(0, picture.rows, _text(picture.payload)),)


def _text(payload: bytes) -> str:
    return payload.decode("ascii", errors="ignore")
