"""Who was where: the controller forgets a drive that was pulled, a person needs its serial number and its bay."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from storage.durable import write_atomically
from storage.raid.inventory import Drive
from storage.raid.megaraid.groups import Place

log = logging.getLogger(__name__)

_DRIVES = msgspec.json.Decoder(dict[str, Drive])


class PlaceMemory:
    """The last drive seen in each place of each group, kept in a small file. One thread at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Drive] = {}
        try:
            self._known = _DRIVES.decode(file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("%s cannot be read, missing drives will have no names: %s", file, error)

    def remember(self, controller: int, seen: dict[Place, Drive]) -> None:
        """The members that are there now. Written only when who they are has changed."""
        now = {_key(controller, place): _lasting(drive) for place, drive in seen.items()}
        if all(self._known.get(key) == drive for key, drive in now.items()):
            return
        self._known |= now
        try:
            write_atomically(self._file, msgspec.json.encode(self._known))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error.strerror)

    def last(self, controller: int, place: Place) -> Drive | None:
        return self._known.get(_key(controller, place))


def _key(controller: int, place: Place) -> str:
    return f"c{controller}/{place.group}/{place.span}/{place.row}"


def _lasting(drive: Drive) -> Drive:
    """Without what changes all the time."""
    return msgspec.structs.replace(drive, temperature_c=None, media_errors=0, is_predicted_to_fail=False)
