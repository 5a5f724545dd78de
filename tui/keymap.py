"""The user's own keys: `~/.config/watchdeck/keymap.toml`, by command id.

    [keys]
    "cameras.add" = "insert"
    "recordings.jump" = "J,ctrl+g"

A wrong line is reported and skipped; the keys that ship stay in force for it.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tui.commands import BY_ID


@dataclass(frozen=True, slots=True)
class Keymap:
    """Keys by command id, and what was wrong with the file."""

    keys: dict[str, str]
    complaints: tuple[str, ...] = ()


def keymap_path() -> Path:
    """XDG_CONFIG_HOME is honoured."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(config or Path.home() / ".config") / "watchdeck" / "keymap.toml"


def load_keymap(path: Path) -> Keymap:
    """Read the file; absent = no changes."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Keymap({})
    except (OSError, UnicodeDecodeError) as error:
        return Keymap({}, (f"{path}: cannot be read: {error}",))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Keymap({}, (f"{path}: {error}",))
    return _checked(document, path)


def _checked(document: dict[str, object], path: Path) -> Keymap:
    complaints = [f"{path}: unknown table [{name}]" for name in document if name != "keys"]
    table = document.get("keys", {})
    if not isinstance(table, dict):
        return Keymap({}, (f"{path}: `keys` must be a table",))
    keys: dict[str, str] = {}
    for command_id, value in table.items():
        if command_id not in BY_ID:
            complaints.append(f"{path}: no command is called {command_id!r}")
        elif not BY_ID[command_id].keys:
            complaints.append(f"{command_id!r} has no key on purpose: it is typed after `:`")
        elif not isinstance(value, str) or not all(part.strip() for part in value.split(",")):
            complaints.append(f"{path}: the keys of {command_id!r} must be text such as 'a,ctrl+a'")
        else:
            keys[command_id] = value
    return Keymap(keys, tuple(complaints))
