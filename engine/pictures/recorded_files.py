"""Segment files as a picture worker reads them: by the catalog's index, or, where that is missing or wrong, by themselves.

Files that grow stay open, so that only what is new in them is read; closed ones do not, because an open file that is
recycled would still fill the disk. Picture worker only; blocking.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from engine.pictures.keyframe import RecordedKeyframe
from storage.errors import PictureUnavailable, SegmentDamaged, WatchdeckError
from storage.segments.boxes import BoxError
from storage.segments.gops import GopFile, GopTables, known_lines
from storage.segments.places import decode_places
from storage.segments.reader import SegmentReader, damaged, open_segment_file

T = TypeVar("T")

_GROWING_LIMIT = 4


class RecordedFiles:
    """Opens files for one look each."""

    def __init__(self) -> None:
        self._tables = GopTables()
        self._growing: OrderedDict[str, SegmentReader] = OrderedDict()

    def look(self, source: RecordedKeyframe, find: Callable[[GopFile], T]) -> T:
        """What `find` finds in the source's file. Raises PictureUnavailable saying what is wrong with it."""
        try:
            if source.places and source.tracks:
                try:
                    return self._indexed(source, find)
                except SegmentDamaged:
                    pass  # the index is not about this file, or both are wrong: the file itself says
            return self._scanned(source, find)
        except WatchdeckError as exc:  # not there, damaged, or its volume failed
            raise PictureUnavailable(exc.what, exc.remedy) from exc

    def _indexed(self, source: RecordedKeyframe, find: Callable[[GopFile], T]) -> T:
        path = Path(source.path)
        parts = _keyframe_parts(source.places)
        if not parts:
            raise damaged(path, BoxError("no keyframe in its index", 0))
        fd = open_segment_file(path)
        try:
            if source.file_bytes and os.fstat(fd).st_size != source.file_bytes:
                raise damaged(path, BoxError("the file has another size than its index", source.file_bytes))
            lines = known_lines(source.tracks)
            return find(GopFile(path, fd, lines, parts, self._tables, is_indexed=True))
        finally:
            os.close(fd)

    def _scanned(self, source: RecordedKeyframe, find: Callable[[GopFile], T]) -> T:
        path = Path(source.path)
        self._forget_deleted()
        reader = self._growing.pop(source.path, None)
        if reader is None:
            reader = SegmentReader.open(path)
        else:
            reader.refresh()
        try:
            parts = reader.keyframe_parts()
            if not parts:
                raise reader.damage or damaged(path, BoxError("no keyframe", 0))
            file = GopFile(
                path,
                reader.descriptor,
                reader.header,
                parts,
                self._tables,
                is_indexed=False,
                is_closed=reader.is_closed,
            )
            found = find(file)
        except BaseException:
            reader.close()
            raise
        if reader.is_closed:
            reader.close()
        else:
            self._growing[source.path] = reader
            if len(self._growing) > _GROWING_LIMIT:
                self._growing.popitem(last=False)[1].close()
        return found

    def _forget_deleted(self) -> None:
        for path, reader in list(self._growing.items()):
            if os.fstat(reader.descriptor).st_nlink == 0:
                del self._growing[path]
                reader.close()


@lru_cache(64)
def _keyframe_parts(places: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(
        (place.start_ticks, place.offset_bytes) for place in decode_places(places) if place.is_keyframe
    )
