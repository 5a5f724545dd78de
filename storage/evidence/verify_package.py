"""Is an export of several files what the station signed: every file there, none added, none changed? Rule 24, EX-05.

Works on a folder, and on whatever else has names and contents (engine/verify/zip_package.py). Memory: one manifest, one piece.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from storage.errors import FileError
from storage.evidence.content import Content, FileContent, HashedContent, read_up_to
from storage.evidence.findings import FileReport, Findings, KeyCheck, Verdict
from storage.evidence.manifest import MANIFEST_LIMIT_BYTES, read_key
from storage.evidence.package import (
    KIND,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    PackagedFile,
    PackageManifest,
    package_files,
)
from storage.evidence.public_key import SIGNATURE_BYTES, PublicKey, grouped
from storage.evidence.verify_export import verify_export

_PACKAGE = msgspec.json.Decoder(PackageManifest)
MISSING_LIMIT = 1_000
"""Files that are named one by one."""
VIDEO_ENDINGS = (".mp4", ".m4v", ".mov")


def folder_contents(folder: Path) -> dict[str, Content]:
    """All files below the folder by relative name. Raises FileError for links and devices in it."""
    try:
        names = [
            *package_files(folder),
            *(n for n in (MANIFEST_NAME, SIGNATURE_NAME) if (folder / n).exists()),
        ]
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise FileError(
            f"{folder} cannot be verified: {reason}", "verify the files in it one by one"
        ) from exc
    return {name: FileContent(folder / name, os.path.join(folder, name)) for name in names}


def is_package(contents: Mapping[str, Content]) -> bool:
    """There is a manifest in it."""
    return MANIFEST_NAME in contents


@dataclass(frozen=True, slots=True)
class _Signed:
    manifest: PackageManifest | None
    key: PublicKey | None
    trouble: str


def verify_package(
    name: str, contents: Mapping[str, Content], is_named_key: KeyCheck | None = None
) -> Iterator[FileReport]:
    """A report on the package, then one on each of its files, by name. Raises FileError."""
    signed = _signed(contents, is_named_key)
    manifest = signed.manifest
    findings = Findings()
    if signed.trouble:
        findings.troubles.append(signed.trouble)
    listed = {} if manifest is None else {file.name: file for file in manifest.files}
    gone = sorted(each for each in listed if each not in contents)
    findings.troubles.extend(f"{each} is missing" for each in gone[:MISSING_LIMIT])
    if len(gone) > MISSING_LIMIT:
        findings.troubles.append(f"{len(gone) - MISSING_LIMIT} more files are missing")
    yield findings.report(
        name,
        "package",
        sum(content.size_bytes for content in contents.values()),
        **_about(signed, is_named_key is not None),
    )
    for each in sorted(contents):
        if each not in (MANIFEST_NAME, SIGNATURE_NAME):
            yield _file(contents[each], listed.get(each), signed, is_named_key)


def _about(signed: _Signed, is_key_asked: bool) -> dict[str, object]:
    if signed.manifest is None:
        return {}
    statement = signed.manifest.statement
    return {
        "station": statement.station.name,
        "exported_us": statement.exported_us,
        "exported_by": statement.exported_by,
        "comment": statement.comment,
        "software": statement.software,
        "key": signed.key.fingerprint.hex() if signed.key else "",
        "is_key_given": is_key_asked and not signed.trouble,
    }


def _signed(contents: Mapping[str, Content], is_named_key: KeyCheck | None) -> _Signed:
    """The manifest, and what is wrong with its signature."""
    content = contents[MANIFEST_NAME]
    if content.size_bytes > MANIFEST_LIMIT_BYTES:
        return _Signed(None, None, f"{MANIFEST_NAME} has {content.size_bytes} bytes: it is no manifest")
    with content.open() as file:
        body = read_up_to(file, MANIFEST_LIMIT_BYTES, content.name)
    try:
        manifest = _PACKAGE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
        return _Signed(None, None, f"{MANIFEST_NAME} cannot be read: it was changed, or is no manifest")
    key = read_key(manifest.key)
    if manifest.kind != KIND or manifest.version != 1:
        return _Signed(None, key, f"{MANIFEST_NAME} is of a kind or version that is not known here")
    signature = b""
    if SIGNATURE_NAME in contents:
        with contents[SIGNATURE_NAME].open() as file:
            signature = read_up_to(file, SIGNATURE_BYTES + 1, SIGNATURE_NAME)
    if key is None or not key.verifies(body, signature):
        return _Signed(
            manifest, key, f"{MANIFEST_NAME} was changed, or {SIGNATURE_NAME} is not its signature"
        )
    if is_named_key is not None and not is_named_key(key):
        return _Signed(manifest, key, f"signed by another key than the one given: {grouped(key.fingerprint)}")
    return _Signed(manifest, key, "")


def _file(
    content: Content, listed: PackagedFile | None, signed: _Signed, is_named_key: KeyCheck | None
) -> FileReport:
    """One file: by the package's manifest, and a video by its own as well."""
    try:
        return _readable_file(content, listed, signed, is_named_key)
    except FileError as exc:
        findings = Findings()
        findings.part(Verdict.NOT_MATCHED, 0, content.size_bytes, exc.what)
        return findings.report(content.name, "file", content.size_bytes)


def _readable_file(
    content: Content, listed: PackagedFile | None, signed: _Signed, is_named_key: KeyCheck | None
) -> FileReport:
    hashed = HashedContent(content)
    report = None
    if content.name.lower().endswith(VIDEO_ENDINGS):  # reads it: its hash is known then
        report = verify_export(hashed, is_named_key)
    digest = hashed.sha256()
    trouble = ""
    if listed is None and signed.manifest is not None:
        trouble = "it is not in the package's manifest: added later"
    elif listed is not None and (digest, content.size_bytes) != (listed.sha256, listed.bytes):
        trouble = "it is not the file that was exported"
    if report is not None and report.kind == "export":
        if trouble:
            report = msgspec.structs.replace(report, troubles=(*report.troubles, trouble))
        return report
    findings = Findings()
    if signed.manifest is None or signed.trouble:
        findings.part(Verdict.UNSIGNED, 0, content.size_bytes, "the package's manifest proves nothing")
    elif listed is None:
        findings.part(Verdict.UNSIGNED, 0, content.size_bytes, trouble)
    elif trouble:
        findings.part(Verdict.NOT_MATCHED, 0, content.size_bytes, trouble)
    else:
        findings.part(Verdict.MATCHED, 0, content.size_bytes)
    key = signed.key.fingerprint.hex() if signed.key and not signed.trouble else ""
    return findings.report(
        content.name,
        "file",
        content.size_bytes,
        key=key,
        is_key_given=bool(key) and is_named_key is not None,
    )
