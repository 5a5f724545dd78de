"""Stored motion by camera and time. It goes with its footage (`RecyclingRows.forget`) and with its camera."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from storage.catalog.connection import CatalogConnection
from storage.catalog.motion_looks import BLOCK_LIMIT_US, HEAD_BYTES


class MotionBlock(NamedTuple):
    """Some minutes of looks of one camera."""

    camera_id: int
    start_us: int
    """Of the first look."""
    end_us: int
    """Of the last one."""
    moved: int
    """Looks in which anything moved."""
    looks: bytes
    """motion_looks.encode_block."""


class MotionRows(CatalogConnection):
    """Table `motion_block`."""

    def put_motion_blocks(self, blocks: Iterable[MotionBlock]) -> None:
        """In one transaction; one that begins as a known one does takes its place. Those of unknown cameras are dropped."""
        with self.transaction():
            for block in blocks:
                self._run(
                    "INSERT OR REPLACE INTO motion_block (camera_id, start_us, end_us, moved, looks)"
                    " SELECT id, ?2, ?3, ?4, ?5 FROM camera WHERE id = ?1",
                    block,
                )

    def motion_blocks(
        self, camera_id: int, start_us: int, end_us: int, *, limit: int = -1, has_looks: bool = True
    ) -> list[MotionBlock]:
        """Those with looks in [start_us, end_us), perhaps with others around them, by start; `limit`: the first so many.

        Without `has_looks` only the first HEAD_BYTES of each, for `summary`.
        """
        looks = "looks" if has_looks else f"substr(looks, 1, {HEAD_BYTES})"
        rows = self._rows(
            f"SELECT camera_id, start_us, end_us, moved, {looks} FROM motion_block"
            " WHERE camera_id = ? AND start_us >= ? AND start_us < ? AND end_us >= ? ORDER BY start_us LIMIT ?",
            (camera_id, start_us - BLOCK_LIMIT_US, end_us, start_us, limit),
        )
        return [MotionBlock(*row) for row in rows]
