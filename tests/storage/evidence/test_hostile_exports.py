"""Files made to mislead or to exhaust who verifies them."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import pytest

from storage.errors import FileError, NotFound
from storage.evidence.content import FileContent
from storage.evidence.findings import FileReport
from storage.evidence.manifest import (
    FRAME_BYTES,
    MANIFEST_BOX_UUID,
    MANIFEST_LIMIT_BYTES,
    parse_box,
)
from storage.evidence.verify_export import verify_export
from tests.fakes.evidence import exported, recorded
from tests.fakes.segment_files import KEY


def verified(path: Path) -> FileReport:
    return verify_export(FileContent(path), lambda key: key == KEY.public)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return exported(recorded(tmp_path), tmp_path / "dock.mp4")


def forged_box(body: bytes, size_bytes: int | None = None, body_bytes: int | None = None) -> bytes:
    size = FRAME_BYTES + len(body) if size_bytes is None else size_bytes
    length = len(body) if body_bytes is None else body_bytes
    opening = struct.pack(">I4s16sI", size, b"uuid", MANIFEST_BOX_UUID.bytes, length)
    return opening + body + bytes(64) + struct.pack(">I", size)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        bytes(4096),
        b"\xff" * 4096,
        struct.pack(">I4s", 8, b"free") * 100_000,
        struct.pack(">I4sQ", 1, b"mdat", 2**63) + bytes(100),
        struct.pack(">I4sQ", 1, b"uuid", 2**64 - 1) + MANIFEST_BOX_UUID.bytes + bytes(100),
        forged_box(b"{}"),
        forged_box(b"[" * 100_000),
        forged_box(b'{"kind":"watchdeck-export"}'),
        forged_box(b"{}", body_bytes=2**32 - 1),
        forged_box(b"\xff\xfe"),
    ],
    ids=range(12),
)
def test_garbage_is_without_signature(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    report = verified(path)
    assert not report.is_authentic
    assert report.without_signature == 1


def test_a_manifest_of_a_gigabyte_is_refused_with_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    size_bytes = 1 << 30
    with path.open("wb") as file:
        file.write(
            struct.pack(">I4s16sI", size_bytes, b"uuid", MANIFEST_BOX_UUID.bytes, size_bytes - FRAME_BYTES)
        )
        file.truncate(size_bytes - 4)
        file.seek(0, 2)
        file.write(struct.pack(">I", size_bytes))
    tracemalloc.start()
    report = verified(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.without_signature == 1
    assert peak_bytes < 2 * MANIFEST_LIMIT_BYTES


@pytest.mark.parametrize(
    "change",
    [
        {"parts": []},
        {"head_bytes": -5},
        {"head_bytes": 2**60},
        {"tail_bytes": -(2**40)},
        {"parts": [[0, 1, 0, -4, "0" * 64, "matched"]]},
        {"parts": [[0, 1, 2**61, 2**61, "0" * 64, "matched"]]},
        {"start_us": 2**62, "end_us": -(2**62)},
    ],
    ids=range(7),
)
def test_a_signed_manifest_that_contradicts_itself_is_not_believed(
    export: Path, change: dict[str, object]
) -> None:
    """Whoever signs may be hostile as well, or broken."""
    content = export.read_bytes()
    box_bytes = int.from_bytes(content[-4:], "big")
    found = parse_box(content[-box_bytes:])
    assert found is not None
    document = json.loads(found.body) | change
    body = json.dumps(document).encode()
    box = forged_box(body)
    signed = box[: 28 + len(body)] + KEY.sign(body) + box[-4:]
    export.write_bytes(content[:-box_bytes] + signed)
    report = verified(export)
    assert report.is_authentic is ("start_us" in change)


def test_what_is_no_plain_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(FileError):
        FileContent(tmp_path / "link")
    with pytest.raises(FileError, match="no plain file"):
        FileContent(tmp_path)
    with pytest.raises(NotFound):
        FileContent(tmp_path / "gone")
