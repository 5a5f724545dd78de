"""Regions of motion searches, as this operator drew them (SS-14): `~/.config/watchdeck/regions.toml`.

    [regions]
    "018f..." = [[1000, 2000], [9000, 2000], [5000, 8000]]     # by camera's UUID, in 1/10,000 of the picture

A wrong file is reported and taken as empty; it is written anew with the next region.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui.keymap import keymap_path
from tui.own_file import write_own_file
from widgets.polygon_area import SHARE, Point

Regions = dict[str, tuple[Point, ...]]
CORNERS_MAX = 64


def region_path() -> Path:
    """Beside the keymap; XDG_CONFIG_HOME is honoured."""
    return keymap_path().with_name("regions.toml")


def load_regions(path: Path) -> tuple[Regions, str]:
    """What the file says, and what is wrong with it (empty = nothing)."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, f"{path}: {error}"
    kept = document.get("regions", {})
    if not isinstance(kept, dict):
        return {}, f"{path}: `regions` must be a table"
    wrong = next((camera for camera, corners in kept.items() if not _is_region(corners)), None)
    if wrong is not None:
        return (
            {},
            f"{path}: the region of {wrong} must be 3 to {CORNERS_MAX} corners [x, y], each 0 to {SHARE}",
        )
    return {camera: tuple((x, y) for x, y in corners) for camera, corners in kept.items()}, ""


def _is_region(corners: Any) -> bool:
    return (
        isinstance(corners, list)
        and 3 <= len(corners) <= CORNERS_MAX
        and all(isinstance(corner, list) and len(corner) == 2 for corner in corners)
        and all(type(each) is int and 0 <= each <= SHARE for corner in corners for each in corner)
    )


def save_regions(path: Path, regions: Mapping[str, tuple[Point, ...]]) -> None:
    """Blocking. Raises OSError; the file that was there stays whole."""
    lines = [f"{json.dumps(camera)} = {json.dumps(corners)}\n" for camera, corners in sorted(regions.items())]
    write_own_file(path, "[regions]\n" + "".join(lines))
