"""The chassis file: how the front of the box looks, and which socket of the machine is which bay.

Two are shipped (chassis_8.toml, chassis_16.toml) without any mapping, because that differs from board to board; a person
writes one or `learn` does. A bay is tied to its socket by exactly one of: the by-path name, an enclosure and its slot, a SCSI
address, or a controller's slot.
"""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec

from storage.durable import write_atomically
from storage.errors import ConfigError, FileError, InvalidInput, NotFound
from storage.hardware import ChassisLayout

BUILTIN = ("chassis_8", "chassis_16")
MAX_BYTES = 256 * 1024
_MAPPINGS = ("path", "enclosure", "hctl", "controller")

_CONTROLLER_SLOT = re.compile(r"c\d+:(e\d+:)?s\d+")

BayNumber = Annotated[int, msgspec.Meta(ge=0, le=999)]


class BayMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A [[bay]] table."""

    number: BayNumber
    path: str = ""
    """A by-path name without /dev/disk/by-path/; `*`, `?` and `[...]` match."""
    enclosure: str = ""
    """H:C:T:L, or the enclosure's logical identifier, or `*` for whichever there is; together with `slot`."""
    slot: Annotated[int, msgspec.Meta(ge=0)] | None = None
    hctl: str = ""
    controller: str = ""
    """`c0:e252:s3`: of a drive behind a RAID controller."""
    side: str = ""
    """Side of a split backplane."""

    @property
    def is_mapped(self) -> bool:
        return any(getattr(self, key) for key in _MAPPINGS)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    rows: Annotated[list[Annotated[list[BayNumber], msgspec.Meta(min_length=1)]], msgspec.Meta(min_length=1)]
    bay: list[BayMapping] = []


class Chassis:
    """An immutable chassis: `learn` returns another one."""

    def __init__(
        self, name: str, rows: tuple[tuple[int, ...], ...], bays: dict[int, BayMapping], source: str
    ) -> None:
        self.name = name
        self.rows = rows
        self.source = source
        """Where it was read from, for messages."""
        self._bays = bays

    @staticmethod
    def load(what: Path | str) -> Chassis:
        """From a file, or one of BUILTIN by name. Raises ConfigError that names the key, FileError."""
        if isinstance(what, str) and what.removesuffix(".toml") in BUILTIN:
            name = f"{what.removesuffix('.toml')}.toml"
            return _parsed((files("storage.drives") / name).read_bytes(), name)
        path = Path(what)
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise FileError(
                f"the chassis file {path} cannot be read: {error.strerror}",
                f"name a file that exists, or one of {', '.join(BUILTIN)}",
            ) from error
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_BYTES} bytes", "this is not a chassis file")
        return _parsed(content, str(path))

    @property
    def layout(self) -> ChassisLayout:
        return ChassisLayout(name=self.name, rows=self.rows, has_mapping=self.has_mapping)

    @property
    def has_mapping(self) -> bool:
        return any(bay.is_mapped for bay in self._bays.values())

    def side_of(self, bay: int | None) -> str:
        mapping = self._bays.get(bay) if bay is not None else None
        return mapping.side if mapping else ""

    def mapping_of(self, bay: int) -> BayMapping | None:
        return self._bays.get(bay)

    def bay_of(
        self,
        *,
        place: str = "",
        hctl: str = "",
        enclosure_slot: tuple[tuple[str, ...], int] | None = None,
        controller_slot: str = "",
    ) -> int | None:
        """The bay of a drive, from whatever is known about where it is plugged in. `enclosure_slot`: the enclosure's names
        (address, identifier) and the slot. An exact name wins over a pattern."""
        for is_exact in (True, False):
            for number, bay in self._bays.items():
                if _matches(bay, place, hctl, enclosure_slot, controller_slot, is_exact):
                    return number
        return None

    def learn(self, bay: int, place: str, file: Path) -> Chassis:
        """The socket `place` (a by-path name, or `c0:e252:s3` of a controller) is bay `bay`: the file then says so. A bay that
        had this socket before has none now. Raises InvalidInput, NotFound, FileError."""
        if not place:
            raise InvalidInput(
                "this drive has no stable place", "write its enclosure slot into the chassis file"
            )
        if not any(bay in row for row in self.rows):
            raise NotFound(f"{self.name} has no bay {bay}", "see the numbers on the front of the box")
        is_controller = _CONTROLLER_SLOT.fullmatch(place) is not None
        bays = {
            number: _unmapped(other)
            if place == other.controller or other.path in _spellings(place)
            else other
            for number, other in self._bays.items()
        }
        bays[bay] = BayMapping(
            number=bay,
            path="" if is_controller else place,
            controller=place if is_controller else "",
            side=self.side_of(bay),
        )
        learned = Chassis(self.name, self.rows, dict(sorted(bays.items())), str(file))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, learned.text().encode(), 0o644)
        except OSError as error:
            raise FileError(
                f"the chassis file {file} cannot be written: {error.strerror}",
                "see that the engine may write there, or write the bay into it by hand",
            ) from error
        return learned

    def text(self) -> str:
        """As a chassis file."""
        rows = ", ".join(f"[{', '.join(str(bay) for bay in row)}]" for row in self.rows)
        lines = [f"name = {_quoted(self.name)}", f"rows = [{rows}]"]
        for bay in self._bays.values():
            lines += ["", "[[bay]]"]
            for key, value in msgspec.to_builtins(bay).items():
                lines.append(f"{key} = {value if isinstance(value, int) else _quoted(value)}")
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL.
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def _unmapped(bay: BayMapping) -> BayMapping:
    return BayMapping(number=bay.number, side=bay.side)


def _path_matches(pattern: str, place: str) -> bool:
    return bool(place) and any(fnmatchcase(spelling, pattern) for spelling in _spellings(place))


def _spellings(place: str) -> set[str]:
    """udev says `-ata-1.0` since 2021 and `-ata-1` before: both mean the same socket."""
    return {place, place.removesuffix(".0")} if "-ata-" in place else {place}


def _matches(
    bay: BayMapping,
    place: str,
    hctl: str,
    enclosure_slot: tuple[tuple[str, ...], int] | None,
    controller_slot: str,
    is_exact: bool,
) -> bool:
    if bay.path:
        return bay.path == place if is_exact else _path_matches(bay.path, place)
    if bay.enclosure and enclosure_slot is not None:
        names, slot = enclosure_slot
        return slot == bay.slot and (bay.enclosure in names if is_exact else bay.enclosure == "*")
    if bay.hctl:
        return bay.hctl == hctl
    return bool(bay.controller) and bay.controller == controller_slot


def _parsed(content: bytes, source: str) -> Chassis:
    try:
        raw = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} is not TOML: {error}") from error
    chassis = _converted(raw, source)
    numbers = [bay for row in chassis.rows for bay in row]
    for number in numbers:
        if numbers.count(number) > 1:
            raise ConfigError(f"{source}: rows: bay {number} is there {numbers.count(number)} times")
    bays: dict[int, BayMapping] = {}
    taken: dict[tuple[str, ...], int] = {}
    for index, bay in enumerate(chassis.bay):
        _check_bay(source, index, bay, numbers, bays)
        socket = (bay.path, bay.enclosure, str(bay.slot), bay.hctl, bay.controller)
        if bay.is_mapped and socket in taken:
            raise ConfigError(f"{source}: bay[{index}]: the same socket as bay {taken[socket]}")
        taken[socket] = bay.number
        bays[bay.number] = bay
    return Chassis(chassis.name, tuple(tuple(row) for row in chassis.rows), bays, source)


def _converted(raw: dict[str, Any], source: str) -> _File:
    try:
        return msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$").lstrip(".") or "top level"
        raise ConfigError(f"{source}: {key}: {what}", "see docs/chassis-file.md") from error


def _check_bay(
    source: str, index: int, bay: BayMapping, numbers: list[int], before: dict[int, BayMapping]
) -> None:
    where = f"{source}: bay[{index}]"
    if bay.number not in numbers:
        raise ConfigError(f"{where}.number: {bay.number} is not in rows")
    if bay.number in before:
        raise ConfigError(f"{where}.number: bay {bay.number} is described twice")
    used = [key for key in _MAPPINGS if getattr(bay, key)]
    if len(used) > 1:
        raise ConfigError(f"{where}: {' and '.join(used)} are given: one of them is enough")
    if bay.enclosure and bay.slot is None:
        raise ConfigError(f"{where}.slot: missing: an enclosure needs the number of the slot")
    if bay.slot is not None and not bay.enclosure:
        raise ConfigError(f"{where}.slot: given without enclosure")
