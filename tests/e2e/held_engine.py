"""Runs the engine with one function that, once it was called so many times, says so and never returns: to be killed right there.

python held_engine.py [-X ...] -m engine ARGUMENTS      with HOLD_AT=module:Class.function HOLD_CALL=1 HOLD_MARKER=FILE
"""

from __future__ import annotations

import importlib
import inspect
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any


def hold(where: str, at_call: int, marker: Path) -> None:
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    real = inspect.getattr_static(owner, name)
    calls = 0

    def held(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        result = real(*arguments, **options)
        calls += 1
        if calls == at_call:
            marker.write_text("reached")
            while True:
                time.sleep(3600)
        return result

    setattr(owner, name, held)


if __name__ == "__main__":
    if os.environ.get("HOLD_AT"):
        hold(os.environ["HOLD_AT"], int(os.environ["HOLD_CALL"]), Path(os.environ["HOLD_MARKER"]))
    sys.argv = sys.argv[sys.argv.index("-m") + 1 :]
    runpy.run_module("engine", run_name="__main__", alter_sys=True)
