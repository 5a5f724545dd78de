"""How msgspec reads a type is found out at the type's first use, and two threads that do so at once end the process (SIGSEGV).

What runs in threads (storage, both ends of the drive service) therefore decodes with decoders that were made when its module
was imported.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IN_THREADS = ("storage", "engine/drive_service")

FOUND_OUT_LATE = """
import contextlib, sys
from engine.drive_service import calls
from storage.errors import InvalidInput

late = []

def note(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.endswith("msgspec/_utils.py"):
        late.append(frame.f_code.co_name)

sys.setprofile(note)
for method in calls.CALL_TYPES:
    with contextlib.suppress(InvalidInput):
        calls.decode_request(calls.encode_request(method, ()))
    answer = calls.decode_answer(bytes([0x80]))
    with contextlib.suppress(calls.msgspec.ValidationError):
        calls.decode_value(method, answer)
sys.setprofile(None)
assert not late, late
"""


def decodes_with_a_type(tree: ast.AST) -> Iterator[ast.Call]:
    """`msgspec.json.decode(..., type=...)` and its like."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "decode" and any(keyword.arg == "type" for keyword in node.keywords):
            yield node


def test_nothing_in_threads_finds_out_how_a_type_is_read() -> None:
    late = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for folder in IN_THREADS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in decodes_with_a_type(ast.parse(path.read_text()))
    ]
    assert not late, f"make a Decoder when the module is imported: {late}"


def test_calls_of_the_drive_service_are_known_before_the_first_comes() -> None:
    """Two first calls at once ended the service, on a slow machine at every third start."""
    done = subprocess.run(
        [sys.executable, "-c", FOUND_OUT_LATE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
