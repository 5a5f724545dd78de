"""fsck: the catalog against the volumes, both ways. Only for a catalog that no engine uses.

Nothing is changed unless `repair`; and repair never deletes footage: what is on a volume and unknown is adopted
by the identity inside the file (never by its name or folder), what cannot be read is reported and left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from storage.catalog.changes import BeginRun, Change, CloseSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.evidence import Evidence, finished, looked_at
from storage.catalog.records import Camera, GapCause
from storage.catalog.upkeep import KnownFile
from storage.errors import NotFound, SegmentDamaged, VolumeError, VolumeReadOnly
from storage.segments.identity import PastGap
from storage.volumes.volume import Volume, segment_path

ADOPT_AT_ONCE = 200
"""Segments adopted in one transaction."""
UNKNOWN_URL = "rtsp://unknown.invalid/"
"""Of cameras that are known by their footage only; they are added as removed and never connected to."""


class FindingKind(StrEnum):
    """What can be wrong. Stable: scripts may rely on the values."""

    DATABASE = "database"
    VOLUME_UNREADABLE = "volume_unreadable"
    MISSING_FILE = "missing_file"
    ORPHAN_FILE = "orphan_file"
    DAMAGED_FILE = "damaged_file"
    MISPLACED_FILE = "misplaced_file"
    DUPLICATE_FILE = "duplicate_file"
    CONTRADICTORY_FILE = "contradictory_file"
    SIZE_DIFFERS = "size_differs"
    OPEN_SEGMENT = "open_segment"
    UNFINISHED_DELETION = "unfinished_deletion"
    WRONG_SUM = "wrong_sum"
    WRONG_LOCK_COUNT = "wrong_lock_count"
    GAP_OVERLAP = "gap_overlap"
    LOST_SEGMENT = "lost_segment"
    BROKEN_LOG = "broken_log"
    ALTERED_FOOTAGE = "altered_footage"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    kind: FindingKind
    what: str
    remedy: str
    """What repair does (or did), or what a person can do where it cannot."""
    is_repaired: bool = False
    camera: str = ""
    volume: str = ""
    path: str = ""
    """Absolute."""


def check(catalog: Catalog, volumes: Iterable[Volume], *, repair: bool) -> list[Finding]:
    """Everything that is wrong, and with `repair` the state afterwards. Blocks for minutes on full volumes.

    A volume that cannot be read is one finding; its footage is neither believed lost nor touched.
    """
    return list(_Check(catalog, repair).findings(volumes))


class _Check:
    """One pass over catalog and volumes."""

    def __init__(self, catalog: Catalog, repair: bool) -> None:
        self._catalog = catalog
        self._repair = repair
        self._cameras = {camera.uuid: camera for camera in catalog.cameras(with_removed=True)}

    def findings(self, volumes: Iterable[Volume]) -> Iterator[Finding]:
        for fault in self._catalog.database_faults():
            yield Finding(
                kind=FindingKind.DATABASE,
                what=f"the catalog is damaged: {fault}",
                remedy="move it away, then `watchdeck fsck --repair` rebuilds it from the volumes",
            )
        yield from self._sums()
        yield from self._log()
        for volume in volumes:
            try:
                yield from self._volume(volume)
            except VolumeError as error:
                yield Finding(
                    kind=FindingKind.VOLUME_UNREADABLE,
                    what=error.what,
                    remedy=error.remedy,
                    volume=volume.record.name,
                )
        if self._repair:
            self._catalog.end_runs("ended by fsck: nobody records it")
        yield from self._gaps()

    # -- the catalog against itself --------------------------------------------------------------------------

    def _sums(self) -> Iterator[Finding]:
        volumes, segments = self._catalog.miscounted_volumes(), self._catalog.miscounted_locks()
        has_miscounted_alarms = self._catalog.has_miscounted_alarms()
        if self._repair and (volumes or segments or has_miscounted_alarms):
            self._catalog.recount()
        for name in volumes:
            yield self._found(
                FindingKind.WRONG_SUM,
                f"the sums of volume {name} differ from a recount",
                "count again",
                volume=name,
            )
        if segments:
            yield self._found(
                FindingKind.WRONG_LOCK_COUNT, f"{segments} segments count their locks wrong", "count again"
            )

        if has_miscounted_alarms:
            yield self._found(
                FindingKind.WRONG_SUM, "the counts of alarms differ from a recount", "count again"
            )
        # SQLite looks at them by a statement that writes.
        for index in self._catalog.rebuild_words() if self._repair else ():
            yield self._found(
                FindingKind.WRONG_SUM, f"the index {index} did not fit its rows", "make it anew"
            )

    def _log(self) -> Iterator[Finding]:
        check = self._catalog.verify_operations()
        if not check.is_whole:
            yield Finding(
                kind=FindingKind.BROKEN_LOG,
                what=f"the log of operations was changed: {check.trouble}",
                remedy="nothing puts it back: compare with a copy of the catalog, and find out who had access",
            )

    def _gaps(self) -> Iterator[Finding]:
        for camera in self._catalog.cameras(with_removed=True):
            overlapping = self._catalog.overlapping_gaps(camera.id)
            for gap_id, _, covered_us in overlapping if self._repair else ():
                self._catalog.trim_gap(gap_id, covered_us)
            if overlapping:
                yield self._found(
                    FindingKind.GAP_OVERLAP,
                    f"{len(overlapping)} gaps of {camera.name} begin before an earlier one has ended",
                    "let them begin there",
                    camera=camera.name,
                )

    # -- the catalog against a volume ------------------------------------------------------------------------

    def _volume(self, volume: Volume) -> Iterator[Finding]:
        try:
            volume.check()
        except VolumeReadOnly:
            if self._repair:
                raise
        unseen = {camera.id: camera for camera in self._cameras.values()}
        orphans: list[Evidence] = []
        yield from self._unfinished_deletions(volume)
        # `segment_files` goes folder by folder, so that one camera's files and rows are in memory at a time.
        for folder, paths in itertools.groupby(
            volume.segment_files(), key=lambda path: path.partition("/")[0]
        ):
            camera = next((each for each in self._cameras.values() if str(each.uuid) == folder), None)
            known = self._catalog.known_files(camera.id, volume.record.id) if camera else {}
            for path in paths:
                row = known.pop(path, None)
                if row is None:
                    yield from self._unknown_file(volume, folder, path, orphans)
                else:
                    yield from self._known_file(volume, camera, row)
                if len(orphans) >= ADOPT_AT_ONCE:
                    self._adopt(volume, orphans)
            if camera is not None:
                unseen.pop(camera.id, None)
                yield from self._missing(volume, camera, known.values())
        self._adopt(volume, orphans)
        for camera in unseen.values():
            yield from self._missing(
                volume, camera, self._catalog.known_files(camera.id, volume.record.id).values()
            )

    def _unfinished_deletions(self, volume: Volume) -> Iterator[Finding]:
        for segment in self._catalog.deleting():
            if segment.volume_id == volume.record.id:
                if self._repair:
                    volume.remove_segment(segment.path)
                    self._catalog.forget([segment.id])
                yield self._found(
                    FindingKind.UNFINISHED_DELETION,
                    f"{segment.path} was being recycled",
                    "finish it",
                    volume=volume.record.name,
                    path=str(volume.root / segment.path),
                )

    def _known_file(self, volume: Volume, camera: Camera | None, row: KnownFile) -> Iterator[Finding]:
        path = volume.root / row.path
        size_bytes = _size(path)
        if size_bytes is None or (size_bytes == row.bytes and not row.is_open):
            return
        kind, what = (
            FindingKind.SIZE_DIFFERS,
            f"{row.path} has {size_bytes} bytes, the catalog says {row.bytes}",
        )
        if row.is_open:
            kind, what = FindingKind.OPEN_SEGMENT, f"{row.path} was never closed"
        place = {"camera": camera.name if camera else "", "volume": volume.record.name, "path": str(path)}
        try:
            if self._repair:
                self._catalog.remeasure(row.id, finished(volume.root, row.path))
            else:
                looked_at(volume.root, row.path)
            yield self._found(kind, what, "keep every whole part and measure again", **place)
        except SegmentDamaged as error:
            yield self._damaged(error, **place)

    def _missing(self, volume: Volume, camera: Camera, rows: Iterable[KnownFile]) -> Iterator[Finding]:
        lost = [row for row in rows if _size(volume.root / row.path) is None]
        if self._repair and lost:
            self._catalog.forget_lost([row.id for row in lost])
            gaps = [
                PastGap(
                    row.start_us,
                    row.end_us,
                    GapCause.UNKNOWN,
                    f"{row.path} is missing on {volume.record.name}",
                )
                for row in lost
                if row.end_us > row.start_us
            ]
            self._catalog.add_past_gaps(camera.id, gaps)
        for row in lost:
            yield self._found(
                FindingKind.MISSING_FILE,
                f"{row.path} is not on the volume",
                "forget it and show a gap",
                camera=camera.name,
                volume=volume.record.name,
                path=str(volume.root / row.path),
            )

    def _unknown_file(
        self, volume: Volume, folder: str, path: str, orphans: list[Evidence]
    ) -> Iterator[Finding]:
        place = {"volume": volume.record.name, "path": str(volume.root / path)}
        try:
            evidence = looked_at(volume.root, path)
            objection = self._objection(volume, folder, evidence, orphans)
            if objection is None and self._repair and evidence.media_duration_ticks is None:
                evidence = finished(volume.root, path)
        except SegmentDamaged as error:
            yield self._damaged(error, **place)
            return
        except NotFound:
            return
        if objection is not None:
            yield objection
            return
        if self._repair:
            orphans.append(evidence)
        name = evidence.identity.camera_name
        yield self._found(
            FindingKind.ORPHAN_FILE,
            f"{path} is not in the catalog",
            f"add it to {name}",
            camera=name,
            **place,
        )

    def _objection(
        self, volume: Volume, folder: str, evidence: Evidence, orphans: list[Evidence]
    ) -> Finding | None:
        """Why a file must not be adopted: what it says of itself fits neither its place nor the catalog."""
        identity = evidence.identity
        kind, what, remedy = None, "", ""
        if str(identity.camera) != folder:
            right = segment_path(identity.camera, identity.start_us, identity.run, identity.sequence)
            kind, what = FindingKind.MISPLACED_FILE, "lies in the folder of another camera"
            remedy = f"move it to {volume.root / right}, then check again"
        elif self._catalog.path_of(identity.run, identity.sequence) is not None or any(
            (each.identity.run, each.identity.sequence) == (identity.run, identity.sequence)
            for each in orphans
        ):
            kind, what = FindingKind.DUPLICATE_FILE, "is a copy of a segment the catalog knows elsewhere"
            remedy = "compare the two and remove one by hand"
        elif (owner := self._catalog.camera_of_run(identity.run)) is not None and (
            identity.camera not in self._cameras or self._cameras[identity.camera].id != owner
        ):
            kind, what = (
                FindingKind.CONTRADICTORY_FILE,
                "names a run that the catalog gives to another camera",
            )
            remedy = "left as it is; look at it with a player"
        if kind is None:
            return None
        return Finding(
            kind=kind,
            what=f"{evidence.path} {what}",
            remedy=remedy,
            camera=identity.camera_name,
            volume=volume.record.name,
            path=str(volume.root / evidence.path),
        )

    def _adopt(self, volume: Volume, orphans: list[Evidence]) -> None:
        """Write the files found into the catalog, by the identities inside them. Empties the list."""
        changes: list[Change] = []
        gaps: dict[int, list[PastGap]] = {}
        for evidence in sorted(orphans, key=lambda each: each.identity.start_us):
            identity = evidence.identity
            camera_id = self._camera_id(evidence)
            changes.append(BeginRun(identity.run, camera_id, identity.start_us, evidence.tracks))
            changes.append(
                OpenSegment(
                    identity.run, identity.sequence, volume.record.id, evidence.path, identity.start_us
                )
            )
            changes.append(
                CloseSegment(
                    identity.run,
                    identity.sequence,
                    evidence.end_us,
                    evidence.media_duration_ticks or 0,
                    evidence.bytes,
                    evidence.keyframes,
                    evidence.is_recovered,
                )
            )
            gaps.setdefault(camera_id, []).extend(identity.gaps)
        if changes:
            self._catalog.apply(changes)
        for camera_id, past in gaps.items():
            self._catalog.add_past_gaps(camera_id, past)
        orphans.clear()

    def _camera_id(self, evidence: Evidence) -> int:
        identity = evidence.identity
        camera = self._cameras.get(identity.camera)
        if camera is None:
            self._catalog.restore_camera(
                camera_id=None,
                uuid=identity.camera,
                name=identity.camera_name,
                is_removed=True,
                url=UNKNOWN_URL,
            )
            camera = self._catalog.camera(identity.camera, with_removed=True)
            self._cameras[identity.camera] = camera
        return camera.id

    # -- findings --------------------------------------------------------------------------------------------

    def _found(
        self, kind: FindingKind, what: str, repair: str, *, camera: str = "", volume: str = "", path: str = ""
    ) -> Finding:
        """Something that repair puts right."""
        remedy = f"done: {repair}" if self._repair else f"--repair would {repair}"
        return Finding(
            kind=kind,
            what=what,
            remedy=remedy,
            is_repaired=self._repair,
            camera=camera,
            volume=volume,
            path=path,
        )

    def _damaged(self, error: SegmentDamaged, *, volume: str, path: str, camera: str = "") -> Finding:
        return Finding(
            kind=FindingKind.DAMAGED_FILE,
            what=error.what,
            remedy="left as it is; look whether a player can show it, and remove it by hand",
            camera=camera,
            volume=volume,
            path=path,
        )


def _size(path: Path) -> int | None:
    """Bytes of a plain file; None when there is none. Other errors are the volume's."""
    try:
        return path.lstat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
