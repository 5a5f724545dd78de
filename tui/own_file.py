"""Writes a file that is this operator's own (keymap, notifications, words on pictures, regions), whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_own_file(path: Path, text: str) -> None:
    """Blocking. Raises OSError; the file that was there stays whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
