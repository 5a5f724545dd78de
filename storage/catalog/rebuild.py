"""A lost catalog again from its volumes alone: station, cameras, times and gaps, from what is written in the files.

What no volume knows is lost: passwords, retention, locks, bookmarks, cases, stored motion, events, schedules. Nothing is guessed: footage belongs to
the camera whose UUID is inside it, and a camera without a settings copy becomes a removed camera that only shows it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from uuid import UUID

import msgspec

from storage.catalog.changes import Change, OpenGap
from storage.catalog.check import Finding, FindingKind, check
from storage.catalog.db import Catalog
from storage.catalog.groups import MAIN_GROUP
from storage.catalog.names import checked_name
from storage.catalog.places import places_file, remember_places
from storage.catalog.records import GapCause, Segment
from storage.catalog.records import Volume as VolumeRecord
from storage.clock import Clock
from storage.durable import fsync_folder
from storage.errors import AlreadyExists, InvalidInput, VolumeError, VolumeMissing
from storage.segments.identity import PastGap
from storage.volumes.identity import OWN_FOLDER, VolumeIdentity
from storage.volumes.settings_copy import SETTINGS_NAME, CameraCopy
from storage.volumes.volume import Volume, default_floor_bytes

SAME_MOMENT_US = 1_000_000
"""How far a successor's start may lie from an end by media time and still prove it."""
END_OF_TIME_US = 1 << 62


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    cameras: int
    volumes: int
    segments: int
    gaps: int
    findings: tuple[Finding, ...]
    """All that was not simply adopted."""


def rebuild(path: Path, roots: list[Path], *, clock: Clock | None = None) -> Rebuilt:
    """Make a new catalog at `path` from the volumes mounted at `roots`; it appears whole or not at all.

    Raises AlreadyExists (move the old one away first), VolumeMissing (a root is no volume), VolumeError.
    """
    if path.exists():
        raise AlreadyExists(f"there is a catalog {path}", "move it away to rebuild it from the volumes")
    found = [(root, _identity(root)) for root in roots]
    temporary = path.with_name(f".{path.name}.rebuilding")
    for leftover in _with_companions(temporary):
        leftover.unlink(missing_ok=True)
    try:
        with Catalog.open(temporary, clock=clock) as catalog:
            result = _fill(catalog, found)
            places = [volume.path for volume in catalog.volumes()]
        temporary.rename(path)
        fsync_folder(path.parent)
        remember_places(path, places)
    finally:
        for leftover in _with_companions(temporary):
            leftover.unlink(missing_ok=True)
    return result


def _with_companions(path: Path) -> list[Path]:
    return [
        path,
        path.with_name(path.name + "-wal"),
        path.with_name(path.name + "-shm"),
        places_file(path),
    ]


def _identity(root: Path) -> VolumeIdentity:
    identity = Volume.read_identity(root)
    if identity is None:
        raise VolumeMissing(
            f"{root} is no volume of Watchdeck: it has no identity file",
            "mount it, or name only the others with --volume",
        )
    return identity


def _fill(catalog: Catalog, found: list[tuple[Path, VolumeIdentity]]) -> Rebuilt:
    stations = Counter(identity.station for _, identity in found)
    catalog.adopt_station(stations.most_common(1)[0][0])
    copies = _camera_copies(found)
    for name in sorted({copy.group for copy in copies.values()} - {MAIN_GROUP, ""}):
        try:
            catalog.add_group(name=name)
        except (AlreadyExists, InvalidInput):
            continue
    for copy in sorted(copies.values(), key=lambda each: each.id):
        catalog.restore_camera(
            camera_id=copy.id,
            uuid=copy.uuid,
            name=copy.name,
            is_removed=False,
            group_id=catalog.group(_known_group(catalog, copy.group)).id,
            url=copy.url,
            user=copy.user,
            transport=copy.transport.value,
            record_audio=int(copy.record_audio),
        )
    volumes = [Volume(_register(catalog, root, identity, copies)) for root, identity in found]
    try:
        findings = check(catalog, volumes, repair=True)
    finally:
        for volume in volumes:
            volume.close()
    lost = [
        finding for camera in catalog.cameras(with_removed=True) for finding in _joined_up(catalog, camera.id)
    ]
    cameras = catalog.cameras(with_removed=True)
    ids = [camera.id for camera in cameras]
    gaps = len(catalog.gaps(ids, 0, END_OF_TIME_US))
    catalog.apply(_still_missing(catalog))
    return Rebuilt(
        cameras=len(cameras),
        volumes=len(volumes),
        segments=sum(finding.kind is FindingKind.ORPHAN_FILE for finding in findings),
        gaps=gaps,
        findings=tuple(finding for finding in findings if finding.kind is not FindingKind.ORPHAN_FILE)
        + tuple(lost),
    )


def _still_missing(catalog: Catalog) -> list[Change]:
    """What comes after the last file of a camera, nobody knows: a gap that goes on until it records again."""
    changes: list[Change] = []
    for camera in catalog.cameras():
        segments = catalog.segments([camera.id], 0, END_OF_TIME_US)
        if segments:
            end_us = max(segment.end_us for segment in segments)
            changes.append(OpenGap(camera.id, end_us, GapCause.UNKNOWN, "behind the last recording found"))
    return changes


def _camera_copies(found: list[tuple[Path, VolumeIdentity]]) -> dict[UUID, CameraCopy]:
    """Each camera as the newest copy that has it tells; a volume that was away for long has an old copy."""
    dated: list[tuple[int, tuple[CameraCopy, ...]]] = []
    for root, identity in found:
        record = VolumeRecord(
            id=0, uuid=identity.uuid, name=identity.name, path=str(root), group=MAIN_GROUP, floor_bytes=0
        )
        volume = Volume(record)
        try:
            copies = volume.read_settings_copy()
            dated.append(((root / OWN_FOLDER / SETTINGS_NAME).stat().st_mtime_ns, copies))
        except (VolumeError, FileNotFoundError):
            continue  # the cameras are then known by their footage only
        finally:
            volume.close()
    return {copy.uuid: copy for _, copies in sorted(dated, key=lambda each: each[0]) for copy in copies}


def _known_group(catalog: Catalog, name: str) -> str:
    return name if name in {group.name for group in catalog.groups()} else MAIN_GROUP


def _register(
    catalog: Catalog, root: Path, identity: VolumeIdentity, copies: dict[UUID, CameraCopy]
) -> VolumeRecord:
    """In the group of most of the cameras that have a folder on it: no file says it outright."""
    folders = {entry.name for entry in root.iterdir() if entry.is_dir()}
    groups = Counter(copy.group for copy in copies.values() if str(copy.uuid) in folders)
    group = groups.most_common(1)[0][0] if groups else MAIN_GROUP
    record = VolumeRecord(
        id=0, uuid=identity.uuid, name=identity.name, path=str(root), group=MAIN_GROUP, floor_bytes=0
    )
    volume = Volume(record)
    try:
        floor_bytes = default_floor_bytes(volume.space().total_bytes)
    finally:
        volume.close()
    taken = {each.name.casefold() for each in catalog.volumes()}
    try:
        name = checked_name(identity.name, "volume")
    except InvalidInput:
        name = "volume"
    if name.casefold() in taken:
        name = f"{name[:50]} {identity.uuid.hex[:8]}"
    return catalog.add_volume(
        uuid=identity.uuid,
        name=name,
        path=str(root.absolute()),
        group=_known_group(catalog, group),
        floor_bytes=floor_bytes,
    )


def _joined_up(catalog: Catalog, camera_id: int) -> list[Finding]:
    """Within a run each segment ends where the next begins; a missing number is footage nobody can explain."""
    findings: list[Finding] = []
    ends: list[tuple[int, int]] = []
    segments = catalog.segments([camera_id], 0, END_OF_TIME_US)
    segments.sort(key=lambda segment: (segment.run_id, segment.sequence))
    for segment, following in itertools.pairwise(segments):
        if segment.run_id != following.run_id:
            continue
        if following.sequence == segment.sequence + 1:
            if 0 < abs(following.start_us - segment.end_us) <= SAME_MOMENT_US:
                ends.append((segment.id, following.start_us))
        elif following.start_us > segment.end_us:
            findings.append(_lost(catalog, segment, following))
    catalog.set_ends(ends)
    return findings


def _lost(catalog: Catalog, segment: Segment, following: Segment) -> Finding:
    count = following.sequence - segment.sequence - 1
    detail = f"{count} segments between two of one run are on no volume"
    gap = PastGap(segment.end_us, following.start_us, GapCause.UNKNOWN, detail)
    catalog.add_past_gaps(segment.camera_id, [gap])
    return Finding(
        kind=FindingKind.LOST_SEGMENT,
        what=f"{detail}, behind {segment.path}",
        remedy="done: show a gap; if they are on another volume, name it too",
        is_repaired=True,
        camera=catalog.camera(segment.camera_id, with_removed=True).name,
    )
