"""Fails when a module is longer than 500 lines: two concepts live in it."""

import pathlib
import sys

LIMIT_LINES = 500
too_long = [
    f"{path}: {lines} lines (limit {LIMIT_LINES})"
    for room in ("engine", "storage", "tui", "widgets", "tests", "packaging")
    for path in sorted(pathlib.Path(room).rglob("*.py"))
    if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LIMIT_LINES
]
print("\n".join(too_long) or "size gate: ok")
sys.exit(bool(too_long))
