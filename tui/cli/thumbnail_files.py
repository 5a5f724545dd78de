"""Pictures over a stretch of time as JPEG files with safe names, and a page that shows them. Several are asked for at once."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

from engine import wire
from engine.client import EngineClient, FileError, InvalidInput, WatchdeckError
from tui.cli.saving import FileBeingSaved
from tui.export_job import file_name
from tui.gap_words import gap_words
from tui.thumbnail_plan import ThumbnailPlan, cause_of, first_recorded
from widgets.format import local_time_with_zone, zone_name

IN_FLIGHT = 4
COUNT_MAX = 20_000
PAGE_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;margin:1rem}}figure{{display:inline-block;margin:.4rem;width:20rem}}
img{{width:100%}}.none{{background:#ccc;padding:1rem}}</style></head>
<body><h1>{title}</h1>
"""


@dataclass(frozen=True, slots=True)
class SavedThumbnail:
    """One picture: the moment asked for, that of the keyframe, and its file."""

    asked_us: int
    time_us: int
    path: Path


@dataclass(frozen=True, slots=True)
class MissingThumbnail:
    """No picture, and why."""

    time_us: int
    reason: str


@dataclass(slots=True)
class SavedThumbnails:
    """What is in the folder."""

    camera: str
    index: Path
    pictures: list[SavedThumbnail] = field(default_factory=list)
    missing: list[MissingThumbnail] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "camera": self.camera,
            "index": str(self.index.absolute()),
            "pictures": [
                {"asked_us": each.asked_us, "time_us": each.time_us, "path": str(each.path.absolute())}
                for each in self.pictures
            ],
            "missing": [{"time_us": each.time_us, "reason": each.reason} for each in self.missing],
        }


async def save_thumbnails(
    engine: EngineClient,
    camera: str,
    stretch: tuple[int, int],
    every_us: int,
    width_px: int,
    folder: Path,
    zone: tzinfo,
    *,
    on_progress: Callable[[int, int], None],
) -> SavedThumbnails:
    """One picture for each interval, of its first recorded moment. Raises FileError and what the engine raises."""
    plan = ThumbnailPlan(*stretch, every_us)
    if plan.count > COUNT_MAX:
        raise InvalidInput(
            f"that would be {plan.count:,} pictures", f"at most {COUNT_MAX:,}: a longer --every"
        )
    row = (await engine.timeline([camera], *stretch)).rows[0]
    moments: list[int] = []
    saved = SavedThumbnails(row.camera, folder / "index.html")
    for start_us, end_us in map(plan.slot, range(plan.count)):
        at_us = first_recorded(row.recorded, start_us, end_us)
        if at_us is not None:
            moments.append(at_us)
        else:
            cause = cause_of(row.gaps, start_us, end_us)
            saved.missing.append(
                MissingThumbnail(start_us, gap_words(cause) if cause else "nothing recorded")
            )
    _make(folder)
    await _fetch_all(engine, saved, moments, width_px, zone, on_progress)
    saved.pictures.sort(key=lambda each: each.asked_us)
    saved.missing.sort(key=lambda each: each.time_us)
    page = index_page(saved, zone).encode()
    with FileBeingSaved(saved.index, len(page)) as file:
        file.write(page)
        file.keep()
    return saved


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{folder} cannot be made: {error.strerror}", "name another folder with -o"
        ) from error


def _free_path(saved: SavedThumbnails, at_us: int, zone: tzinfo) -> Path:
    """An hour that comes twice has the same names twice: the second ones get a number."""
    first = saved.index.parent / file_name(saved.camera, at_us, zone, ".jpg")
    taken = {each.path for each in saved.pictures}
    path, number = first, 1
    while path in taken:
        number += 1
        path = first.with_stem(f"{first.stem}-{number}")
    return path


async def _fetch_all(
    engine: EngineClient,
    saved: SavedThumbnails,
    moments: list[int],
    width_px: int,
    zone: tzinfo,
    on_progress: Callable[[int, int], None],
) -> None:
    waiting = iter(moments)
    done = 0

    async def fetch() -> None:
        nonlocal done
        for at_us in waiting:
            request = wire.PictureRequest(camera=saved.camera, at_us=at_us, width_px=width_px, is_rough=True)
            try:
                reply = await engine.picture(request)
            except WatchdeckError as error:
                if error.code not in ("not_found", "picture_unavailable", "segment_damaged"):
                    raise
                saved.missing.append(MissingThumbnail(at_us, error.what))
            else:
                path = _free_path(saved, at_us, zone)
                with FileBeingSaved(path, len(reply.data)) as file:
                    file.write(reply.data)
                    file.keep()
                saved.pictures.append(SavedThumbnail(at_us, reply.time_us, path))
            done += 1
            on_progress(done, len(moments))

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(fetch())
    except* WatchdeckError as errors:
        raise _first(errors) from errors


def _first(errors: BaseExceptionGroup[WatchdeckError]) -> WatchdeckError:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def index_page(saved: SavedThumbnails, zone: tzinfo) -> str:
    """Pictures and what is missing, in the order of time, with local times."""
    times = [each.asked_us for each in saved.pictures] + [each.time_us for each in saved.missing]
    title = html.escape(f"{saved.camera}, {zone_name(min(times, default=0), zone)}")
    figures = {
        each.asked_us: f'<figure><a href="{html.escape(each.path.name)}"><img loading="lazy" src="{html.escape(each.path.name)}" '
        f'alt=""></a><figcaption>{local_time_with_zone(each.asked_us, zone)}</figcaption></figure>'
        for each in saved.pictures
    }
    for gap in saved.missing:
        words = f"{local_time_with_zone(gap.time_us, zone)}<br>{html.escape(gap.reason)}"
        figures[gap.time_us] = f'<figure class="none"><figcaption>{words}</figcaption></figure>'
    body = "\n".join(figures[time_us] for time_us in sorted(figures))
    return f"{PAGE_HEAD.format(title=title)}{body}\n</body></html>\n"
