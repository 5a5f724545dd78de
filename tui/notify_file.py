"""What this operator's console keeps of notifications (AB-04): `~/.config/watchdeck/notifications.toml`.

    off_rules = ["Motion at night"]     # until they are switched on by hand
    quiet_until_us = 1772640000000000   # everything off until then

A wrong file is reported and taken as empty; it is written anew with the next change.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tui.keymap import keymap_path
from tui.notify import Notifier
from tui.own_file import write_own_file


def notify_path() -> Path:
    """Beside the keymap; XDG_CONFIG_HOME is honoured."""
    return keymap_path().with_name("notifications.toml")


def load_notifier(path: Path) -> tuple[Notifier, str]:
    """What the file says, and what is wrong with it (empty = nothing). Absent = nothing is off."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Notifier(), ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Notifier(), f"{path}: {error}"
    rules, until_us = document.get("off_rules", []), document.get("quiet_until_us", 0)
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        return Notifier(), f"{path}: `off_rules` must be a list of names"
    if not isinstance(until_us, int) or isinstance(until_us, bool):
        return Notifier(), f"{path}: `quiet_until_us` must be a whole number"
    return Notifier(set(rules), until_us), ""


def save_notifier(path: Path, off_rules: frozenset[str], quiet_until_us: int) -> None:
    """Blocking. Raises OSError; the file that was there stays whole."""
    names = ", ".join(
        json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f") for name in sorted(off_rules)
    )
    text = f"off_rules = [{names}]\nquiet_until_us = {quiet_until_us}\n"
    write_own_file(path, text)
