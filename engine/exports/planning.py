"""What an export would hold and whether there is room: asked by people before, and by the job itself when its turn comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import msgspec

from engine.exports.file_lane import FileLane
from engine.exports.folder import ExportFolder, Space
from engine.exports.record import WantedRange
from engine.wire_evidence import ExportPlanView, ExportRange, RangePlan
from storage.catalog.records import Camera
from storage.errors import InvalidInput, VolumeFull, WatchdeckError
from storage.evidence.manifest import ExportStatement, NamedUuid
from storage.evidence.station_key import StationKeys
from storage.segments.export import ExportFile, ExportProof, ExportSource, plan_export
from storage.units import US_PER_DAY

LONGEST_US = US_PER_DAY
"""Of one range: its index is kept in memory while it is written."""
RANGE_LIMIT = 500
MASK_LIMIT = 64
"""Of one range."""
OVERHEAD_BYTES = 64 * 1024
"""A range: what proves it, its pictures in the report, its entry in a ZIP."""

Sources = Callable[[UUID, int, int], Awaitable[tuple[Camera, list[ExportSource]]]]
"""Of a camera; raises NotFound, also when nothing is recorded in that time."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What all manifests of an export have in common."""

    statement: ExportStatement
    keys: StationKeys


@dataclass(frozen=True, slots=True)
class PlannedRange:
    """One range with the bytes it would be."""

    camera: Camera
    file: ExportFile


async def planned(
    sources: Sources, lane: FileLane, wanted: WantedRange, signing: Signing, *, with_audio: bool
) -> PlannedRange:
    """Raises NotFound when nothing is recorded in it, VolumeError, KeyUnusable."""
    start_us, end_us = wanted.asked.start_us, wanted.asked.end_us
    camera, found = await sources(UUID(wanted.camera), start_us, end_us)
    who = NamedUuid(uuid=str(camera.uuid), name=camera.name)
    proof = ExportProof(signing.statement, who, signing.keys)
    make = partial(plan_export, found, start_us, end_us, proof=proof, with_audio=with_audio)
    return PlannedRange(camera, await lane.do(make))


async def plan_view(
    sources: Sources,
    files: Executor,
    folder: ExportFolder,
    wanted: Sequence[WantedRange],
    signing: Signing,
    *,
    with_audio: bool,
) -> ExportPlanView:
    """Range by range; a range that holds nothing says why."""
    lane = FileLane(files)
    ranges = [await _range_plan(sources, lane, each, signing, with_audio=with_audio) for each in wanted]
    space = await lane.do(folder.space)
    total_bytes = sum(view.bytes for view in ranges)
    shown = [msgspec.structs.replace(view, bytes=0 if view.is_masked else view.bytes) for view in ranges]
    trouble = ""
    if all(view.trouble for view in ranges):
        trouble = ranges[0].trouble if len(ranges) == 1 else "nothing is recorded in any of the ranges"
    elif needed_bytes(total_bytes, len(ranges)) > space.usable_bytes:
        trouble = str(no_room(folder, space, needed_bytes(total_bytes, len(ranges))))
    return ExportPlanView(
        ranges=tuple(shown),
        bytes=total_bytes,
        free_bytes=space.usable_bytes,
        folder=str(folder.path),
        is_possible=not trouble,
        trouble=trouble,
    )


async def _range_plan(
    sources: Sources, lane: FileLane, wanted: WantedRange, signing: Signing, *, with_audio: bool
) -> RangePlan:
    asked = wanted.asked
    try:
        found = await planned(sources, lane, wanted, signing, with_audio=with_audio)
    except WatchdeckError as error:
        return RangePlan(
            camera=asked.camera,
            start_us=asked.start_us,
            end_us=asked.end_us,
            bytes=0,
            is_masked=bool(asked.masks),
            trouble=error.what,
        )
    return RangePlan(
        camera=found.camera.name,
        start_us=found.file.start_us,
        end_us=found.file.end_us,
        bytes=found.file.total_bytes,
        parts=found.file.parts,
        is_masked=bool(asked.masks),
    )


def needed_bytes(total_bytes: int, ranges: int) -> int:
    return total_bytes + ranges * OVERHEAD_BYTES


def no_room(folder: ExportFolder, space: Space, wanted_bytes: int) -> VolumeFull:
    return VolumeFull(
        f"exports in {folder.path}: {wanted_bytes >> 20} MiB are needed, {space.usable_bytes >> 20} MiB may be used"
        f" ({space.spare_bytes >> 20} MiB are always left free)",
        "remove exports that were fetched, free space there, or export less at once",
    )


def check_ranges(ranges: Sequence[ExportRange]) -> None:
    """Raises InvalidInput."""
    if not ranges:
        raise InvalidInput("an export needs at least one range", "name a camera and two times")
    if len(ranges) > RANGE_LIMIT:
        raise InvalidInput(f"an export holds at most {RANGE_LIMIT} ranges", "make several exports")
    for each in ranges:
        if each.end_us <= each.start_us or each.start_us <= 0:
            raise InvalidInput(
                f"the range of {each.camera} ends at or before its start", "exchange the two times"
            )
        if each.end_us - each.start_us > LONGEST_US:
            raise InvalidInput("a range holds at most 24 hours", "export the stretch as several ranges")
        if len(each.masks) > MASK_LIMIT:
            raise InvalidInput(f"a range has at most {MASK_LIMIT} masks", "join some of them")
        for mask in each.masks:
            if mask.width < 1 or mask.height < 1:
                raise InvalidInput("a mask has a width and a height", "give both in 1/10,000 of the picture")
            if mask.left + mask.width > 10_000 or mask.top + mask.height > 10_000:
                raise InvalidInput("a mask reaches beyond the picture", "left + width is at most 10,000")
            if None not in (mask.start_us, mask.end_us) and (mask.end_us or 0) <= (mask.start_us or 0):
                raise InvalidInput("a mask ends at or before its start", "exchange the two times")
