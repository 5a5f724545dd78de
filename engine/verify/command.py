"""`watchdeck verify FILE|FOLDER|ZIP...`: is it what the station recorded and exported? Needs no engine, and changes nothing.

Leaves by one of: 0 all parts matched and nothing else is wrong; 1 something is not proven, or is disproved; else the exit code
of the error that stopped it (docs/errors.md). Manual rows WM-05, WM-06, rule 24.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from engine.verify.bounds import bounded
from engine.verify.words import report_lines, summary_lines
from engine.verify.zip_package import ZipPackage, is_zip
from storage.errors import FileError, InvalidInput, NotFound, WatchdeckError
from storage.evidence.content import FileContent
from storage.evidence.findings import FileReport, KeyCheck, is_all_authentic
from storage.evidence.public_key import key_from_argument
from storage.evidence.verify_export import verify_export
from storage.evidence.verify_package import (
    VIDEO_ENDINGS,
    folder_contents,
    is_package,
    verify_package,
)
from storage.evidence.verify_segment import (
    SegmentFinding,
    looks_like_segment,
    verify_runs,
    verify_segment,
)
from storage.plain_text import printable

NOT_AUTHENTIC = 1
PASSWORD_LIMIT_BYTES = 4096


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        named = key_from_argument(options.key) if options.key else None
        reports = list(bounded(_verified(options, named.fits if named else None)))
    except WatchdeckError as error:
        if options.json:
            document = {"code": error.code, "what": error.what, "remedy": error.remedy}
            print(_json(document), file=sys.stderr)
        else:
            print(f"watchdeck: {printable(error.what)}", file=sys.stderr)
            if error.remedy:
                print(f"  {printable(error.remedy)}", file=sys.stderr)
        return error.exit_code
    is_authentic = is_all_authentic(reports)
    if options.json:
        print(_json(_document(reports, is_authentic)))
    else:
        for report in reports:
            for line in report_lines(report):
                print(line)
        for line in summary_lines(reports):
            print(line)
    return 0 if is_authentic else NOT_AUTHENTIC


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchdeck verify", description="Is it what the station recorded and exported? Needs no engine."
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="FILE|FOLDER|ZIP")
    parser.add_argument(
        "--key", metavar="KEY", help="the station's public key: a PEM file, its fingerprint, or base64"
    )
    parser.add_argument(
        "--password-file", metavar="FILE", help="the password of a ZIP is its first line; - is stdin"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser


def _json(document: Mapping[str, object]) -> str:
    """In ASCII: names that are no UTF-8 (as escaped surrogates) and what would move a terminal's cursor included."""
    return json.dumps(msgspec.to_builtins(document), separators=(",", ":"))


def _document(reports: Sequence[FileReport], is_authentic: bool) -> dict[str, object]:
    return {
        "is_authentic": is_authentic,
        "is_key_given": bool(reports) and all(report.is_key_given for report in reports),
        "matched": sum(report.matched for report in reports),
        "not_matched": sum(report.not_matched for report in reports),
        "without_signature": sum(report.without_signature for report in reports),
        "keys": sorted({report.key for report in reports if report.key}),
        "files": reports,
    }


def _verified(options: argparse.Namespace, is_named_key: KeyCheck | None) -> Iterator[FileReport]:
    """Reports in the order of the arguments; segments together at the end, because they are held against each other."""
    segments: list[SegmentFinding] = []
    for path in options.paths:
        if path.is_dir():
            contents = folder_contents(path)
            if is_package(contents):
                yield from verify_package(str(path), contents, is_named_key)
                continue
            videos = sorted(name for name in contents if name.lower().endswith(VIDEO_ENDINGS))
            if not videos:
                raise NotFound(f"{path} holds no export and no video", "name the files, or their folder")
            for name in videos:
                yield from _verified_file(path / name, is_named_key, segments)
        elif is_zip(path):
            yield from _verified_zip(path, options.password_file, is_named_key)
        else:
            yield from _verified_file(path, is_named_key, segments)
    yield from verify_runs(segments)


def _verified_file(
    path: Path, is_named_key: KeyCheck | None, segments: list[SegmentFinding]
) -> Iterator[FileReport]:
    content = FileContent(path)  # says first what cannot be read at all
    if looks_like_segment(path):
        segments.append(verify_segment(path, is_named_key))
    else:
        yield verify_export(content, is_named_key)


def _verified_zip(
    path: Path, password_file: str | None, is_named_key: KeyCheck | None
) -> Iterator[FileReport]:
    with ZipPackage(path) as package:
        if package.is_encrypted:
            package.open_with(_password(path, password_file))
        contents = package.contents()
        if is_package(contents):
            yield from verify_package(str(path), contents, is_named_key)
            return
        videos = [
            content for name, content in sorted(contents.items()) if name.lower().endswith(VIDEO_ENDINGS)
        ]
        if not videos:
            raise NotFound(f"{path} holds no export and no video", "is it the right file?")
        for content in videos:
            yield verify_export(content, is_named_key)


def _password(path: Path, password_file: str | None) -> str:
    """From the file, or asked on the terminal, unseen. Raises FileError, InvalidInput."""
    if password_file is None:
        if not sys.stdin.isatty():
            raise InvalidInput(
                f"{path} is encrypted, and there is no terminal to ask for its password on",
                "give --password-file FILE (or - for stdin)",
            )
        return getpass.getpass(f"Password of {printable(path.name)}: ", stream=sys.stderr)
    try:
        if password_file == "-":
            line = sys.stdin.buffer.readline(PASSWORD_LIMIT_BYTES)
        else:
            with open(password_file, "rb") as file:
                line = file.readline(PASSWORD_LIMIT_BYTES)
        return line.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise FileError(
            f"the password file {password_file} cannot be read: {error.strerror}", "check its path"
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(f"the password file {password_file} is no UTF-8 text") from error
