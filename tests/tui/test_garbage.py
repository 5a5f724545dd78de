"""Collections: held while the console starts, rare afterwards, untouched in programs that never held them."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> None:
    subprocess.run([sys.executable, "-c", f"import gc; from tui import garbage; {program}"], check=True)


def test_what_exists_after_the_start_is_taken_out_of_later_collections() -> None:
    run(
        "garbage.hold_collections(); assert not gc.isenabled(); garbage.settle();"
        "assert gc.isenabled() and gc.get_freeze_count() > 1000 and gc.get_threshold()[0] == garbage.YOUNG_OBJECTS"
    )


def test_where_collections_were_not_held_nothing_changes() -> None:
    run(
        "before = gc.get_threshold(); garbage.settle(); assert gc.get_threshold() == before; assert not gc.get_freeze_count()"
    )
