"""`watchdeck fsck`: catalog against volumes, and a lost catalog again from its volumes. Runs instead of an engine.

Holds the lock of the state folder, so that no engine starts meanwhile. Prints what is wrong and leaves by one of:
0 nothing is wrong (any more), 1 something is, or the exit code of the error that stopped it (docs/errors.md).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.socket_path import default_state_folder
from engine.state_folder import CATALOG_NAME, locked_state_folder
from storage.catalog.check import Finding, check
from storage.catalog.db import Catalog
from storage.catalog.places import mounted_places, remembered_places
from storage.catalog.rebuild import Rebuilt, rebuild
from storage.errors import CatalogDamaged, ConfigError, InvalidInput, WatchdeckError
from storage.evidence.footage_check import check_footage
from storage.evidence.station_key import known_public_keys
from storage.plain_text import printable
from storage.volumes.volume import Volume

FOUND = 1
"""Exit code when something is wrong that was not repaired."""
SHOWN_PER_KIND = 20


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        state: Path = (options.state or default_state_folder()).absolute()
        if not state.is_dir():
            raise ConfigError(f"there is no state folder {state}", "name the engine's with --state")
        with locked_state_folder(state):
            if (state / CATALOG_NAME).exists():
                return _check(state / CATALOG_NAME, options)
            return _rebuild(state / CATALOG_NAME, options)
    except WatchdeckError as error:
        if options.json:
            report = {"code": error.code, "what": error.what, "remedy": error.remedy}
            print(msgspec.json.encode(report).decode(), file=sys.stderr)
        else:
            print(f"watchdeck: {error.what}", file=sys.stderr)
            if error.remedy:
                print(f"  {error.remedy}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchdeck fsck", description="Compare the catalog with the volumes; the engine must be stopped."
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="the engine's state folder")
    parser.add_argument(
        "--repair", action="store_true", help="put right what can be; footage is never deleted"
    )
    parser.add_argument(
        "--volume",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="with --repair and no catalog: rebuild it from the volume mounted there (once for each; default: "
        "where volumes were registered, and where some are mounted)",
    )
    parser.add_argument(
        "--footage",
        action="store_true",
        help="also read all recordings, and find what was changed since it was recorded: hours on a full volume",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    return parser


def _check(path: Path, options: argparse.Namespace) -> int:
    if options.volume:
        raise InvalidInput(
            f"there is a catalog {path}", "leave --volume out to check it, or move it away to rebuild it"
        )
    with Catalog.open(path, read_only=not options.repair) as catalog:
        volumes = [Volume(record) for record in catalog.volumes()]
        try:
            findings = check(catalog, volumes, repair=options.repair)
            if options.footage:
                findings.extend(check_footage(volumes, known_public_keys(path.parent)))
        finally:
            for volume in volumes:
                volume.close()
    if options.json:
        _print_json({"catalog": str(path), "volumes": len(volumes), "findings": findings})
    else:
        _print_findings(findings)
        print(_summary(findings, f"{_counted(len(volumes), 'volume')} checked"))
    return _exit_code(findings)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _rebuild(path: Path, options: argparse.Namespace) -> int:
    roots = [root.absolute() for root in options.volume] or _places(path)
    if not (options.repair and roots):
        raise CatalogDamaged(
            f"there is no catalog {path}",
            "rebuild it from the volumes with --repair"
            + ("" if roots else " --volume PATH (once for each volume)")
            + ", or start the engine for an empty one",
        )
    result: Rebuilt = rebuild(path, roots)
    if options.json:
        _print_json({"catalog": str(path), "rebuilt": result})
    else:
        _print_findings(result.findings)
        print(
            f"rebuilt {path}: {_counted(result.cameras, 'camera')}, {_counted(result.volumes, 'volume')},"
            f" {_counted(result.segments, 'segment')}, {_counted(result.gaps, 'gap')}"
        )
        print("passwords, retention, schedules, locks and events are on no volume: set them again")
    return _exit_code(result.findings)


def _places(path: Path) -> list[Path]:
    """Where volumes were registered, and where more of the same station are mounted. Raises InvalidInput."""
    remembered = remembered_places(path)
    stations = {
        identity.station for root in remembered if (identity := Volume.read_identity(root)) is not None
    }
    mounted = [
        (root, identity) for root in mounted_places() if (identity := Volume.read_identity(root)) is not None
    ]
    if not stations:
        stations = {identity.station for _, identity in mounted}
    if len(stations) > 1:
        raise InvalidInput(
            "volumes of several stations are mounted: " + ", ".join(str(root) for root, _ in mounted),
            "name those of this station with --volume PATH (once for each)",
        )
    found = [root for root, identity in mounted if identity.station in stations]
    return list(dict.fromkeys([*remembered, *found]))


def _exit_code(findings: Sequence[Finding]) -> int:
    return FOUND if any(not finding.is_repaired for finding in findings) else 0


def _print_json(document: dict[str, Any]) -> None:
    print(msgspec.json.encode(document).decode())


def _print_findings(findings: Sequence[Finding]) -> None:
    """A few of each kind: thousands of lines of one kind would hide the others."""
    shown: Counter[str] = Counter()
    for finding in findings:
        shown[finding.kind] += 1
        if shown[finding.kind] <= SHOWN_PER_KIND:
            where = f" [{finding.volume}]" if finding.volume else ""
            # Names of files on a volume, and of cameras in them, are whatever somebody wrote there.
            print(printable(f"{finding.kind}{where}: {finding.what}"))
            print(f"  {printable(finding.remedy)}")
    for kind, count in shown.items():
        if count > SHOWN_PER_KIND:
            print(f"{kind}: {count - SHOWN_PER_KIND} more (--json lists all)")


def _summary(findings: Sequence[Finding], done: str) -> str:
    repaired = sum(finding.is_repaired for finding in findings)
    if not findings:
        return f"{done}: nothing is wrong"
    return f"{done}: {len(findings)} found, {repaired} put right"


if __name__ == "__main__":
    sys.exit(main())
