"""Cameras as the operator edits them, and their passwords, which nothing here ever returns beside them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec

from storage.catalog.groups import GroupRows
from storage.catalog.names import as_number, as_uuid, checked_name, checked_url
from storage.catalog.records import Camera, RecordingMode, Schedule, Transport
from storage.errors import AlreadyExists, InvalidInput, NotFound

EVENT_SECONDS_LIMIT = 300

_SCHEDULE = msgspec.json.Decoder(Schedule)
_SELECT = """
SELECT c.id, c.uuid, c.name, c.url, c.user, p.camera_id IS NOT NULL, c.transport, coalesce(g.name, ''), c.mode,
       c.schedule, c.record_audio, c.is_enabled, c.verify_tls, c.is_removed,
       c.pre_event_s, c.post_event_s, c.live_url
  FROM camera AS c
  LEFT JOIN camera_password AS p ON p.camera_id = c.id
  LEFT JOIN recording_group AS g ON g.id = c.group_id
"""


def _camera(row: tuple[Any, ...]) -> Camera:
    return Camera(
        id=row[0],
        uuid=UUID(bytes=row[1]),
        name=row[2],
        url=row[3],
        user=row[4],
        has_password=bool(row[5]),
        transport=Transport(row[6]),
        group=row[7],
        mode=RecordingMode(row[8]),
        schedule=None if row[9] is None else _SCHEDULE.decode(row[9]),
        record_audio=bool(row[10]),
        is_enabled=bool(row[11]),
        verify_tls=bool(row[12]),
        is_removed=bool(row[13]),
        pre_event_s=row[14],
        post_event_s=row[15],
        live_url=row[16],
    )


def _schedule_column(schedule: Schedule | None) -> str | None:
    if schedule is None:
        return None
    if len(schedule.days) != 7 or any(len(day) != 48 or set(day) - {"x", "."} for day in schedule.days):
        raise InvalidInput("a schedule has seven days of 48 half-hours, each `x` or `.`")
    return msgspec.json.encode(schedule).decode()


class CameraRows(GroupRows):
    """Table `camera`. A removed camera is only found when asked for."""

    def cameras(self, *, with_removed: bool = False) -> list[Camera]:
        """In order of addition."""
        where = "" if with_removed else " WHERE c.is_removed = 0"
        return [_camera(row) for row in self._rows(f"{_SELECT}{where} ORDER BY c.id")]

    def camera(self, ref: str | int | UUID, *, with_removed: bool = False) -> Camera:
        """Text: by name, else UUID, else number; one in use comes before a removed one. Raises NotFound.

        A UUID or a number that is no text means itself and never a name: what the engine wrote down itself.
        """
        found = None
        text = str(ref)
        keys: list[tuple[str, Any]] = [("c.name = ?", text)] if isinstance(ref, str) else []
        if not isinstance(ref, int) and (uuid := as_uuid(text)) is not None:
            keys.append(("c.uuid = ?", uuid.bytes))
        if not isinstance(ref, UUID) and (number := as_number(text)) is not None:
            keys.append(("c.id = ?", number))
        for is_removed in (0, 1) if with_removed else (0,):
            for condition, value in keys:
                query = (
                    f"{_SELECT} WHERE {condition} AND c.is_removed = {is_removed} ORDER BY c.id DESC LIMIT 1"
                )
                found = found or self._row(query, (value,))
        if found is None:
            raise NotFound(f"no camera {text!r}", "`watchdeck camera list` shows all")
        return _camera(found)

    def add_camera(
        self,
        *,
        name: str,
        url: str,
        user: str = "",
        password: str = "",
        transport: str = Transport.AUTO,
        group: str = "main",
        mode: str = RecordingMode.CONTINUOUS,
        schedule: Schedule | None = None,
        record_audio: bool = True,
        verify_tls: bool = False,
        is_enabled: bool = True,
        pre_event_s: int = 5,
        post_event_s: int = 5,
        live_url: str = "",
        uuid: UUID | None = None,
    ) -> Camera:
        """Raises AlreadyExists, InvalidInput, NotFound (group). A removed camera's UUID brings it back."""
        columns: dict[str, Any] = {
            "name": self._free_camera_name(name, except_id=0),
            "url": checked_url(url),
            "user": user,
            "transport": _choice(Transport, transport, "transport"),
            "group_id": self.group(group).id,
            "mode": _choice(RecordingMode, mode, "mode"),
            "schedule": _schedule_column(schedule),
            "record_audio": int(record_audio),
            "is_enabled": int(is_enabled),
            "verify_tls": int(verify_tls),
            "pre_event_s": _event_seconds(pre_event_s),
            "post_event_s": _event_seconds(post_event_s),
            "live_url": _live_url(live_url),
            "is_removed": 0,
        }
        if columns["mode"] == RecordingMode.SCHEDULE and schedule is None:
            raise InvalidInput("the mode `schedule` needs a schedule")
        uuid = uuid or uuid4()
        with self.transaction():
            known = self._row("SELECT id, is_removed FROM camera WHERE uuid = ?", (uuid.bytes,))
            if known is not None and not known[1]:
                raise AlreadyExists(f"the camera {uuid} exists")
            if known is None:
                marks = ", ".join("?" * (len(columns) + 1))
                names = ", ".join((*columns, "uuid"))
                self._run(f"INSERT INTO camera ({names}) VALUES ({marks})", (*columns.values(), uuid.bytes))
            else:
                self._set_camera(known[0], columns)
            row = self._row("SELECT id FROM camera WHERE uuid = ?", (uuid.bytes,))
            assert row is not None
            self._set_password(row[0], password)
        return self.camera(uuid)

    def update_camera(self, uuid: UUID, **changes: Any) -> Camera:
        """Change the fields named (as in `add_camera`); an empty password removes it. Raises as `add_camera`."""
        camera = self.camera(uuid)
        columns: dict[str, Any] = {}
        for field, value in changes.items():
            match field:
                case "name":
                    columns["name"] = self._free_camera_name(value, except_id=camera.id)
                case "url":
                    columns["url"] = checked_url(value)
                case "live_url":
                    columns["live_url"] = _live_url(value)
                case "user":
                    columns["user"] = value
                case "transport":
                    columns["transport"] = _choice(Transport, value, "transport")
                case "group":
                    columns["group_id"] = self.group(value).id
                case "mode":
                    columns["mode"] = _choice(RecordingMode, value, "mode")
                case "schedule":
                    columns["schedule"] = _schedule_column(value)
                case "record_audio" | "is_enabled" | "verify_tls":
                    columns[field] = int(value)
                case "pre_event_s" | "post_event_s":
                    columns[field] = _event_seconds(value)
                case "password":
                    pass
                case _:
                    raise InvalidInput(f"a camera has no {field}")
        mode = columns.get("mode", camera.mode)
        schedule = columns["schedule"] if "schedule" in columns else camera.schedule
        if mode == RecordingMode.SCHEDULE and schedule is None:
            raise InvalidInput("the mode `schedule` needs a schedule")
        with self.transaction():
            self._set_camera(camera.id, columns)
            if "password" in changes:
                self._set_password(camera.id, changes["password"])
        return self.camera(uuid)

    def remove_camera(self, uuid: UUID) -> None:
        """Out of use at once, its password gone; its recordings stay readable until they are recycled."""
        camera = self.camera(uuid)
        with self.transaction():
            self._set_camera(camera.id, {"is_removed": 1, "group_id": None})
            self._set_password(camera.id, "")
            self._purge_removed_cameras()

    def camera_password(self, uuid: UUID) -> str:
        """Empty when there is none. For the session that connects, for nobody else."""
        row = self._row(
            "SELECT password FROM camera_password WHERE camera_id = (SELECT id FROM camera WHERE uuid = ?)",
            (uuid.bytes,),
        )
        return "" if row is None else str(row[0])

    def _purge_removed_cameras(self) -> None:
        """Inside a transaction: rows of removed cameras of which nothing is left to show.

        A bookmark or an item of a case still names its camera when its video is gone.
        """
        gone = self._rows(
            "SELECT id FROM camera AS c WHERE is_removed = 1"
            " AND NOT EXISTS (SELECT 1 FROM run WHERE camera_id = c.id)"
            " AND NOT EXISTS (SELECT 1 FROM bookmark WHERE camera_id = c.id)"
            " AND NOT EXISTS (SELECT 1 FROM case_item WHERE camera_id = c.id)"
        )
        for key in gone:
            self._run("DELETE FROM gap WHERE camera_id = ?", key)
            self._run("DELETE FROM footage_lock WHERE camera_id = ?", key)
            self._run("DELETE FROM camera WHERE id = ?", key)

    def _free_camera_name(self, name: str, *, except_id: int) -> str:
        checked = checked_name(name, "camera")
        is_its_own = self._row("SELECT 1 FROM camera WHERE name = ? AND id = ?", (checked, except_id))
        if as_uuid(checked) is not None and not is_its_own:
            raise InvalidInput(
                f"{checked} is no name for a camera: it reads as the id of one", "choose another name"
            )
        if self._row(
            "SELECT 1 FROM camera WHERE name = ? AND is_removed = 0 AND id <> ?", (checked, except_id)
        ):
            raise AlreadyExists(f"a camera is called {checked!r} already", "choose another name")
        return checked

    def _set_camera(self, camera_id: int, columns: dict[str, Any]) -> None:
        if columns:
            assignments = ", ".join(f"{column} = ?" for column in columns)
            self._run(f"UPDATE camera SET {assignments} WHERE id = ?", (*columns.values(), camera_id))

    def _set_password(self, camera_id: int, password: str) -> None:
        self._run("DELETE FROM camera_password WHERE camera_id = ?", (camera_id,))
        if password:
            self._run("INSERT INTO camera_password VALUES (?, ?)", (camera_id, password))


def _live_url(url: str) -> str:
    """Empty = the camera has no second stream."""
    return checked_url(url) if url.strip() else ""


def _event_seconds(value: int) -> int:
    if not 0 <= value <= EVENT_SECONDS_LIMIT:
        raise InvalidInput(
            f"{value} s before or after an event",
            f"choose 0 to {EVENT_SECONDS_LIMIT}: they are held in memory",
        )
    return value


def _choice(kind: type[Transport] | type[RecordingMode], value: str, thing: str) -> str:
    try:
        return str(kind(value))
    except ValueError:
        known = ", ".join(choice.value for choice in kind)
        raise InvalidInput(f"no {thing} {value!r}", f"choose one of {known}") from None
