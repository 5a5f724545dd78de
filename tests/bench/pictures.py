"""Pictures: thumbnail search beside ffmpeg, motion search, live wall. Each part is a module of its own and prints JSON.

python -m tests.bench.pictures [PART ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def parts() -> tuple[str, ...]:
    """`thumbnails` for `pictures_thumbnails.py`."""
    found = sorted(Path(__file__).parent.glob("pictures_*.py"))
    return tuple(path.stem.removeprefix("pictures_") for path in found)


def main() -> None:
    results = {}
    for part in sys.argv[1:] or parts():
        print(f"running pictures, {part} …", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.pictures_{part}"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        results[part] = json.loads(done.stdout)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
