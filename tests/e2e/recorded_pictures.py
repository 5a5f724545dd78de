"""Reads recorded segments with a demuxer that is not ours and compares them with what the server sent."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import av


def slice_hashes(path: Path) -> list[str]:
    """SHA-1 of each picture's H.264 slices, in file order: the same sum the server's `sent_log` holds."""
    hashes: list[str] = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            data = bytes(packet)
            if not data:
                continue
            slices, at = [], 0
            while at + 4 <= len(data):
                size = int.from_bytes(data[at : at + 4], "big")
                unit = data[at + 4 : at + 4 + size]
                if unit[0] & 31 in (1, 5):
                    slices.append(unit.rstrip(b"\x00"))
                at += 4 + size
            hashes.append(hashlib.sha1(b"".join(slices)).hexdigest())
    return hashes


class SentPictures:
    """The pictures a server sent, by its log."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def count(self) -> int:
        return self.log.read_bytes().count(b"\n")

    def places_of(self, recorded: list[str]) -> range:
        """Where in the sequence sent these pictures stand, one after the other; a failure names the first that does not fit.

        Two pictures may have the same sum (small changes repeat), so the whole run decides.
        """
        sent = self.log.read_text().splitlines()
        best = 0
        for start in (place for place, picture in enumerate(sent) if picture == recorded[0]):
            window = sent[start : start + len(recorded)]
            same = next(
                (i for i, pair in enumerate(zip(recorded, window, strict=False)) if pair[0] != pair[1]), None
            )
            if same is None and len(window) == len(recorded):
                return range(start, start + len(recorded))
            best = max(best, same or len(window))
        raise AssertionError(f"picture {best} of {len(recorded)} recorded is not the one that was sent next")


def decodes_without_error(path: Path) -> str:
    """ffmpeg's complaints when it decodes the whole file; empty = none."""
    done = subprocess.run(
        # In the file's own time base: rounded to a frame rate, pictures of a camera that stutters may share a tick.
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", str(path)),
            *("-enc_time_base:v", "-1", "-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode or done.stderr else ""
