"""mdadm's configuration, so that udev and mdadm start our arrays after a reboot and otherwise leave decisions to the engine.

Written to /etc/mdadm/mdadm.conf.d/watchdeck.conf, which mdadm reads beside mdadm.conf; a file of somebody else is never
touched. docs/raid-md.md explains each line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from storage.durable import write_atomically
from storage.raid.md.look import Look
from storage.roots import Roots
from storage.volumes.block_chain import read_text

_UUID = re.compile(r"^ARRAY\s.*\bUUID=([0-9a-fA-F:]{35})", re.MULTILINE | re.IGNORECASE)
_HEAD = """\
# Written by Watchdeck; changes are overwritten. See docs/raid-md.md.
# Arrays start by themselves only when they are listed: those of foreign drives wait to be imported.
AUTO -all
# A drive that was pulled and is back, and one that is blank, are not put into an array by udev: the engine decides.
POLICY action=include
"""


def conf_path(roots: Roots) -> Path:
    return roots.etc / "mdadm" / "mdadm.conf.d" / "watchdeck.conf"


def conf_text(uuids: Iterable[str]) -> str:
    return _HEAD + "".join(f"ARRAY metadata=1.2 UUID={uuid}\n" for uuid in sorted(set(uuids)))


def wanted_uuids(look: Look, roots: Roots) -> set[str]:
    """Ours, remembered ones too, and whatever else runs here now and nobody lists: it must start again as before."""
    ours = {uuid for stack in look.stacks for uuid in stack.uuids if uuid}
    listed = {uuid.lower() for uuid in _UUID.findall(read_text(roots.etc / "mdadm" / "mdadm.conf"))}
    running = {array.uuid for array in look.arrays if array.is_active and array.uuid}
    return ours | (running - listed)


def keep_conf(look: Look, roots: Roots) -> str:
    """Write it when it differs; says what was done, empty = nothing. Raises OSError.

    Nothing is written on a machine without /etc/mdadm: mdadm is not installed there.
    """
    path = conf_path(roots)
    if not (roots.etc / "mdadm").is_dir():
        return ""
    text = conf_text(wanted_uuids(look, roots))
    if read_text(path) == text.strip():
        return ""
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, text.encode(), 0o644)
    return f"mdadm's configuration now lists {text.count('ARRAY ')} arrays"
