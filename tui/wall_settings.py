"""What this operator's console keeps of the wall (VC-10): `~/.config/watchdeck/wall.toml`.

    overlay = ["name", "state", "time"]   # words beside pictures
    is_on_top = false                     # above the picture
    is_on = true                          # false = names alone

A wrong file is reported and taken as empty; it is written anew with the next change.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tui.keymap import keymap_path
from tui.own_file import write_own_file
from widgets.overlay import ELEMENTS, Overlay


def wall_path() -> Path:
    """Beside the keymap; XDG_CONFIG_HOME is honoured."""
    return keymap_path().with_name("wall.toml")


def load_overlay(path: Path) -> tuple[Overlay, str]:
    """What the file says, and what is wrong with it (empty = nothing)."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Overlay(), ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Overlay(), f"{path}: {error}"
    before = Overlay()
    elements = document.get("overlay", list(before.elements))
    is_on_top, is_on = document.get("is_on_top", False), document.get("is_on", True)
    if not isinstance(elements, list) or not all(each in ELEMENTS for each in elements):
        return before, f"{path}: `overlay` must be a list of {', '.join(ELEMENTS)}"
    if not isinstance(is_on_top, bool) or not isinstance(is_on, bool):
        return before, f"{path}: `is_on_top` and `is_on` must be true or false"
    return Overlay(tuple(elements), is_on_top, is_on), ""


def save_overlay(path: Path, overlay: Overlay) -> None:
    """Blocking. Raises OSError; the file that was there stays whole."""
    text = (
        f"overlay = {json.dumps(list(overlay.elements))}\n"
        f"is_on_top = {json.dumps(overlay.is_on_top)}\nis_on = {json.dumps(overlay.is_on)}\n"
    )
    write_own_file(path, text)
