"""Is an exported MP4 what the station signed? Needs the file and, to know whose signature it is, the public key. Rule 24.

The file is hostile until proven otherwise: lengths are held against what is there, and memory stays at one piece and one
manifest (at most 32 MiB).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from storage.evidence.content import Content, hash_of_next, read_up_to
from storage.evidence.findings import FileReport, Findings, KeyCheck, Verdict
from storage.evidence.manifest import (
    FRAME_BYTES,
    MANIFEST_LIMIT_BYTES,
    FoundBox,
    Manifest,
    ProvedPart,
    is_manifest_header,
    parse_box,
    read_key,
    read_manifest,
)
from storage.evidence.public_key import PublicKey, grouped
from storage.segments.boxes import HEADER_BYTES, LARGE_HEADER_BYTES, BoxError, BoxHeader, parse_header
from storage.segments.chain import Recorded

_BOX_LIMIT = 1000
"""An export has four boxes; who has thousands wants to keep us busy."""
_NO_MANIFEST = "no manifest: not exported by Watchdeck, written anew by another program, or cut off"
_WHY_RECORDED = {
    Recorded.ALTERED: "was changed on the volume before it was exported",
    Recorded.UNHASHED: "nothing proved it on the volume when it was exported",
}


@dataclass(frozen=True, slots=True)
class _Located:
    """A manifest's box and what lies around it."""

    box: FoundBox
    offset_bytes: int
    appended_bytes: int


def verify_export(content: Content, is_named_key: KeyCheck | None = None) -> FileReport:
    """Report on one file that is no segment. `is_named_key`: the key a person named; None: any, to be compared by a person.

    Raises FileError when it cannot be read.
    """
    findings = Findings()
    located, missing_bytes = _locate(content)
    manifest = None if located is None else read_manifest(located.box.body)
    if located is None or manifest is None:
        why = (
            _NO_MANIFEST
            if located is None
            else "its manifest cannot be read: it was changed, or is of a newer version"
        )
        if located is None and missing_bytes:
            why = f"no manifest: cut off, {missing_bytes} bytes are missing at least"
        findings.part(Verdict.UNSIGNED, 0, content.size_bytes, why)
        return findings.report(content.name, "unknown" if located is None else "export", content.size_bytes)
    key = read_key(manifest.key)
    trouble = _signature_trouble(manifest, located.box, key, is_named_key)
    if located.appended_bytes:
        findings.troubles.append(f"{located.appended_bytes} bytes were appended")
    if not located.box.is_padded_right:
        findings.troubles.append("the room behind the manifest was written to")
    with content.open() as file:
        _check_data(file, content.name, manifest, located.offset_bytes, trouble, findings)
    findings.notes.extend(manifest.notes)
    return findings.report(
        content.name,
        "export",
        content.size_bytes,
        camera=manifest.camera.name,
        station=manifest.statement.station.name,
        start_us=manifest.start_us,
        end_us=manifest.end_us,
        exported_us=manifest.statement.exported_us,
        exported_by=manifest.statement.exported_by,
        comment=manifest.statement.comment,
        software=manifest.statement.software,
        is_encoded_anew=manifest.is_encoded_anew,
        key=key.fingerprint.hex() if key else "",
        is_key_given=is_named_key is not None and not trouble,
    )


def _signature_trouble(
    manifest: Manifest, box: FoundBox, key: PublicKey | None, is_named_key: KeyCheck | None
) -> str:
    if key is None or not key.verifies(box.body, box.signature):
        return "the manifest was changed, or is not signed by the key in it"
    if is_named_key is not None and not is_named_key(key):
        return f"signed by another key than the one given: {grouped(key.fingerprint)}"
    return ""


def _check_data(
    file: BinaryIO, name: str, manifest: Manifest, data_bytes: int, trouble: str, findings: Findings
) -> None:
    """Head, parts and tail in the file's order."""
    if trouble:
        findings.troubles.append(trouble)
    position, tail_at = manifest.head_bytes, data_bytes - manifest.tail_bytes
    if min(manifest.head_bytes, manifest.tail_bytes) < 0:
        findings.troubles.append("the manifest contradicts itself")
        position = 0
    digest, found_bytes = hash_of_next(file, position, name)
    if (digest, found_bytes) != (manifest.head_sha256, position):
        findings.troubles.append("the head was changed: names, times, and which bytes are which picture")
    places = {part.sha256: part for part in manifest.parts}
    for part in manifest.parts:
        times_us = (part.start_us, part.end_us)
        if part.offset_bytes != position or part.size_bytes <= 0:
            findings.part(Verdict.NOT_MATCHED, position, 0, "the manifest contradicts itself", times_us)
            return
        digest, found_bytes = hash_of_next(file, part.size_bytes, name)
        verdict, why = _verdict(part, digest, found_bytes, places)
        if trouble and verdict is not Verdict.NOT_MATCHED:
            verdict, why = Verdict.NOT_MATCHED, "what is signed is not known to be the station's"
        findings.part(verdict, position, part.size_bytes, why, times_us)
        position += part.size_bytes
    if position != tail_at:
        findings.troubles.append(
            f"there are {data_bytes} bytes before the manifest, and not {position + manifest.tail_bytes}"
        )
    elif manifest.tail_bytes and hash_of_next(file, manifest.tail_bytes, name)[0] != manifest.tail_sha256:
        findings.troubles.append("what is behind the last part was changed")
    if not manifest.parts:
        findings.troubles.append("the manifest names no part")


def _verdict(
    part: ProvedPart, digest: str, found_bytes: int, places: dict[str, ProvedPart]
) -> tuple[Verdict, str]:
    if found_bytes < part.size_bytes:
        return Verdict.NOT_MATCHED, "cut off"
    if digest != part.sha256:
        other = places.get(digest)
        return Verdict.NOT_MATCHED, "changed" if other is None else "in the wrong order"
    if part.recorded is Recorded.MATCHED:
        return Verdict.MATCHED, ""
    verdict = Verdict.NOT_MATCHED if part.recorded is Recorded.ALTERED else Verdict.UNSIGNED
    return verdict, _WHY_RECORDED[part.recorded]


# -- where the manifest is -------------------------------------------------------------------------------


def _locate(content: Content) -> tuple[_Located | None, int]:
    """By the length in the file's last bytes; where something was appended, box by box from the front.

    And how many bytes are missing that the box with which the file ends claims; 0 when it does not look so.
    """
    last = content.tail(4)
    box_bytes = int.from_bytes(last, "big")
    if len(last) == 4 and FRAME_BYTES <= box_bytes <= min(
        content.size_bytes, FRAME_BYTES + MANIFEST_LIMIT_BYTES
    ):
        box = parse_box(content.tail(box_bytes))
        if box is not None:
            return _Located(box, content.size_bytes - box_bytes, 0), 0
    return _locate_from_front(content)


def _locate_from_front(content: Content) -> tuple[_Located | None, int]:
    is_video = False
    with content.open() as file:
        for position, header, opening in _boxes(file, content):
            is_video = is_video or (position == 0 and header.kind == b"ftyp")
            end_bytes = position + header.size_bytes
            rest_bytes = header.size_bytes - len(opening)
            if end_bytes > content.size_bytes:
                _skip(file, content.size_bytes - position - len(opening), content.name)
                return None, end_bytes - content.size_bytes if is_video else 0
            is_manifest = is_manifest_header(opening)
            if is_manifest and header.size_bytes <= FRAME_BYTES + MANIFEST_LIMIT_BYTES:
                box = parse_box(opening + read_up_to(file, rest_bytes, content.name))
                if box is not None:
                    return _Located(box, position, content.size_bytes - end_bytes), 0
                return None, 0
            _skip(file, rest_bytes, content.name)
    return None, 0


def _boxes(file: BinaryIO, content: Content) -> Iterator[tuple[int, BoxHeader, bytes]]:
    """Position, header and what was read of each top-level box; who takes them moves on to the next one's beginning."""
    position = 0
    for _ in range(_BOX_LIMIT):
        opening = read_up_to(file, HEADER_BYTES, content.name)
        if opening[:4] == b"\0\0\0\1":
            opening += read_up_to(file, LARGE_HEADER_BYTES - HEADER_BYTES, content.name)
        try:
            header = parse_header(opening, position)
        except BoxError:
            return
        if header is None:
            return
        if header.kind == b"uuid" and header.size_bytes >= len(opening) + 16:
            opening += read_up_to(file, 16, content.name)
        yield position, header, opening
        position += header.size_bytes


def _skip(file: BinaryIO, size_bytes: int, name: str) -> None:
    if file.seekable():
        file.seek(size_bytes, 1)
    else:
        hash_of_next(file, size_bytes, name)
