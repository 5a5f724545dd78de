"""The manifest of an export of several files: a folder, or a ZIP of it. Rule 24, EX-05. Blocking.

    manifest.json     every file with size and SHA-256, and who exported what, when and why
    manifest.sig      64 bytes: Ed25519 over the bytes of manifest.json
    station-key.pem   the public key, for openssl
    VERIFY.txt        how to play and how to verify

Videos in it carry manifests of their own as well, and go on doing so when somebody takes them out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from storage.durable import write_atomically
from storage.evidence.manifest import ExportStatement, ManifestKey, manifest_key
from storage.evidence.public_key import grouped
from storage.evidence.station_key import StationKey

MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
KEY_NAME = "station-key.pem"
HOW_NAME = "VERIFY.txt"
KIND = "watchdeck-package"
FILE_LIMIT = 100_000
_CHUNK_BYTES = 1024 * 1024

_HOW = """\
This folder is an export of the Watchdeck station {station}.

To play: any player (VLC, mpv, a browser, ...) opens the .mp4 files.{report}

To verify that nothing was changed, added or taken away, with Watchdeck (it needs no station and no network):

    watchdeck verify .

Compare the fingerprint it shows with the one the station's operator reads out to you
(`watchdeck station key` on the station). For this export it should be:

    {fingerprint}

Without Watchdeck, with openssl and sha256sum: see docs/evidence.md of Watchdeck, or

    openssl pkeyutl -verify -pubin -inkey {key} -rawin -in {manifest} -sigfile {signature}

and then compare the SHA-256 of each file with the one in {manifest}.
"""


class PackagedFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """Relative, with `/`."""
    bytes: int
    sha256: str
    """Hexadecimal."""


class PackageManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Unknown fields are tolerated on reading: the signature covers them."""

    kind: str = KIND
    version: int = 1
    statement: ExportStatement
    key: ManifestKey
    case: str = ""
    """Name of the case, if it is the export of one."""
    notes: tuple[str, ...] = ()
    files: tuple[PackagedFile, ...]
    """All but the manifest and its signature, by name."""


def package_papers(
    statement: ExportStatement,
    key: StationKey,
    files: Iterable[PackagedFile],
    *,
    case: str = "",
    notes: Sequence[str] = (),
) -> list[tuple[str, bytes]]:
    """(name, content) of VERIFY.txt, station-key.pem, manifest.json and manifest.sig for files that are written already.

    For who writes a ZIP and hashes on the way; they are the package's last files, in this order.
    """
    files = sorted(files, key=lambda file: file.name)
    report = "\nindex.html shows what is in them." if any(f.name == "index.html" for f in files) else ""
    how = _HOW.format(
        station=statement.station.name,
        report=report,
        fingerprint=grouped(key.fingerprint),
        key=KEY_NAME,
        manifest=MANIFEST_NAME,
        signature=SIGNATURE_NAME,
    ).encode()
    papers = [(HOW_NAME, how), (KEY_NAME, key.public.pem.encode())]
    listed = [*files, *(packaged(name, content) for name, content in papers)]
    manifest = PackageManifest(
        statement=statement,
        key=manifest_key(key.public),
        case=case,
        notes=tuple(notes),
        files=tuple(sorted(listed, key=lambda file: file.name)),
    )
    body, signature = signed_manifest(manifest, key)
    return [*papers, (MANIFEST_NAME, body), (SIGNATURE_NAME, signature)]


def packaged(name: str, content: bytes) -> PackagedFile:
    """A small file as the manifest lists it."""
    return PackagedFile(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def write_package_manifest(
    folder: Path, statement: ExportStatement, key: StationKey, *, case: str = "", notes: Sequence[str] = ()
) -> None:
    """Write VERIFY.txt, station-key.pem, manifest.json and manifest.sig into a folder that is otherwise complete.

    Reads every file in it once. Raises OSError; ValueError for what is neither file nor folder in it.
    """
    own = {HOW_NAME, KEY_NAME}
    files = [
        PackagedFile(name=name, bytes=size_bytes, sha256=digest)
        for name, size_bytes, digest in hashed_files(folder)
        if name not in own
    ]
    for name, content in package_papers(statement, key, files, case=case, notes=notes):
        write_atomically(folder / name, content, 0o640)


def signed_manifest(manifest: PackageManifest, key: StationKey) -> tuple[bytes, bytes]:
    """Contents of manifest.json and of manifest.sig; for who writes a ZIP without a folder."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    return body, key.sign(body)


def package_files(folder: Path) -> Iterator[str]:
    """Relative names of everything that a manifest lists, by name.

    Raises ValueError for links and devices (their content lies elsewhere) and for more than FILE_LIMIT files.
    """
    waiting, count = [""], 0
    names = []
    while waiting:
        below = waiting.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                mode = entry.stat(follow_symlinks=False).st_mode
                count += 1
                if count > FILE_LIMIT:
                    raise ValueError(f"more than {FILE_LIMIT} files")
                if stat.S_ISDIR(mode):
                    waiting.append(f"{name}/")
                elif not stat.S_ISREG(mode):
                    raise ValueError(f"{name} is neither a file nor a folder")
                elif name not in (MANIFEST_NAME, SIGNATURE_NAME):
                    names.append(name)
    yield from sorted(names)


def hashed_files(folder: Path) -> Iterator[tuple[str, int, str]]:
    """(name, bytes, SHA-256 in hexadecimal) of each of them. Raises OSError."""
    for name in package_files(folder):
        digest, size_bytes = hashlib.sha256(), 0
        fd = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
        yield name, size_bytes, digest.hexdigest()
