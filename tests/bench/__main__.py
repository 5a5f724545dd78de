"""Runs every benchmark, one after the other, and prints one JSON document: python -m tests.bench [NAME ...]."""

from __future__ import annotations

import json
import subprocess
import sys

BENCHMARKS = ("recording", "hash_chain", "timeline", "console", "drives", "motion", "pictures")


def main() -> None:
    names = sys.argv[1:] or BENCHMARKS
    results = {}
    for name in names:
        print(f"running {name} …", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.{name}"], stdout=subprocess.PIPE, text=True, check=True
        )
        results[name] = json.loads(done.stdout)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
