"""The drive service: answers the engine's calls on a unix socket, one thread a connection. Root; as little code as can be.

Only root and the engine's user get an answer (SO_PEERCRED). What a call may do is decided again here: virtual drives are
looked up anew by id, file systems are mounted below the allowed folders only, and every refusal of the back-ends stands.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from engine.api.permissions import peer_uid
from engine.drive_service.calls import (
    WATCH,
    Answer,
    Failure,
    decode_request,
    receive_message,
    send_message,
)
from engine.supervise import attempt_blocking
from storage.errors import DriveError, NotFound, NotPermitted, OperationRefused, WatchdeckError
from storage.hardware import Hardware
from storage.raid.backend import Wakeup
from storage.raid.inventory import VirtualDrive

log = logging.getLogger(__name__)

CONNECTION_LIMIT = 32
"""Calls at once; a hung drive holds one each until its tool's time limit. More are turned away at once."""
WATCHER_LIMIT = 8
"""The engine, and whoever looks over its shoulder; the oldest gives way."""
EXHAUSTED_PAUSE_S = 0.1
"""After the machine had no descriptor or thread left for a call."""
MOUNT_ROOTS = ("/srv", "/mnt", "/media")
WATCH_SEND_TIMEOUT_S = 2.0
_VOLUME_CALLS = frozenset({"plan_volume", "make_volume", "unmake_volume"})
_CHANGING = frozenset(
    {"perform", "make_volume", "unmake_volume", "start_self_test", "abort_self_test", "learn"}
)


class DriveService:
    """Serves until `stop`. The socket is made by `listen`, before privileges or time matter."""

    def __init__(
        self, hardware: Hardware, allowed_uids: Sequence[int], mount_roots: Sequence[str] = MOUNT_ROOTS
    ) -> None:
        self._hardware = hardware
        self._allowed = frozenset({0, *allowed_uids})
        self._mount_roots = tuple(PurePosixPath(root) for root in mount_roots)
        self._slots = threading.BoundedSemaphore(CONNECTION_LIMIT)
        self._watchers: list[socket.socket] = []
        self._lock = threading.Lock()
        self._wake_fd, self._stop_fd = os.pipe()

    def stop(self) -> None:
        """From any thread or a signal handler."""
        os.write(self._stop_fd, b"x")

    def serve(self, listener: socket.socket) -> None:
        """Accept calls and pass on wake-ups until `stop`."""
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ, None)
        selector.register(self._wake_fd, selectors.EVENT_READ, None)
        for wakeup in self._hardware.wakeups():
            selector.register(wakeup.fileno(), selectors.EVENT_READ, wakeup)
        with selector:
            while True:
                for key, _ in selector.select():
                    if key.fd == self._wake_fd:
                        return
                    if key.data is None:
                        self._accept(listener)
                    else:
                        self._pass_on(key.data)

    def close(self) -> None:
        with self._lock:
            for watcher in self._watchers:
                watcher.close()
            self._watchers.clear()
        os.close(self._wake_fd)
        os.close(self._stop_fd)
        self._hardware.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError as error:  # no descriptors left, or the caller has gone: the next call may do better
            log.warning("a call could not be taken: %s", error.strerror)
            time.sleep(EXHAUSTED_PAUSE_S)
            return
        if not self._is_allowed(connection):
            connection.close()
            return
        if not self._slots.acquire(blocking=False):
            log.warning("more than %d calls at once: one turned away", CONNECTION_LIMIT)
            connection.close()
            return
        try:
            threading.Thread(target=self._answer, args=(connection,), name="drive call", daemon=True).start()
        except RuntimeError as error:  # the machine has no thread left
            log.warning("a call could not be taken: %s", error)
            self._slots.release()
            connection.close()

    def _is_allowed(self, connection: socket.socket) -> bool:
        """Before anything else: who may not ask must not take a place from who may."""
        uid = peer_uid(connection)
        if uid in self._allowed:
            return True
        refusal = NotPermitted(f"user id {uid} may not use the drive service", "it serves the engine only")
        failure = Failure(code=refusal.code, what=refusal.what, remedy=refusal.remedy)
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            send_message(connection, msgspec.msgpack.encode(Answer(error=failure)))
        return False

    def _answer(self, connection: socket.socket) -> None:
        """One call; a watcher's connection stays open."""
        is_kept = False
        try:
            connection.settimeout(WATCH_SEND_TIMEOUT_S)
            with contextlib.suppress(OSError):
                is_kept = self._answer_one(connection)
        finally:
            if not is_kept:
                connection.close()
            self._slots.release()

    def _answer_one(self, connection: socket.socket) -> bool:
        result = attempt_blocking("drive service call", lambda: self._call(connection))
        if isinstance(result, WatchdeckError):
            failure = Failure(code=result.code, what=result.what, remedy=result.remedy)
            send_message(connection, msgspec.msgpack.encode(Answer(error=failure)))
            return False
        if result == WATCH:
            with self._lock:
                # "Look now": for what came before it listened.
                send_message(connection, msgspec.msgpack.encode(()))
                self._watchers.append(connection)
                if len(self._watchers) > WATCHER_LIMIT:
                    self._watchers.pop(0).close()
            return True
        if isinstance(result, bytes):
            send_message(connection, result)
        return False

    def _call(self, connection: socket.socket) -> bytes | str | None:
        """The encoded answer; WATCH for a watcher; None when nothing was asked."""
        message = receive_message(connection)
        if message is None:
            return None
        method, arguments = decode_request(message)
        if method == WATCH:
            return WATCH
        if method in _VOLUME_CALLS:
            arguments = self._checked_volume_call(method, arguments)
        if method in _CHANGING:
            log.info("%s for user id %d: %s", method, peer_uid(connection), _shown(arguments))
        value = getattr(self._hardware, method)(*arguments)
        return msgspec.msgpack.encode({"value": value})

    def _checked_volume_call(self, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The virtual drive as it is now, not as the caller says; mount points only where volumes belong."""
        asked: VirtualDrive = arguments[0]
        found = self._hardware.inventory().virtual_drive(asked.id)
        if found is None:
            raise NotFound(f"no virtual drive {asked.id!r} ({asked.name})", "`watchdeck raid list` shows all")
        if method != "unmake_volume":
            place = PurePosixPath(arguments[2])
            inside = any(place.is_relative_to(root) and place != root for root in self._mount_roots)
            if not place.is_absolute() or ".." in place.parts or not inside:
                raise OperationRefused(
                    f"{place} is no place for a volume",
                    f"choose a folder below {', '.join(str(root) for root in self._mount_roots)}",
                )
        return (found, *arguments[1:])

    def _pass_on(self, wakeup: Wakeup) -> None:
        notices = attempt_blocking("wake-up of the drives", wakeup.drain)
        if isinstance(notices, WatchdeckError):
            time.sleep(EXHAUSTED_PAUSE_S)
            notices = ()
        message = msgspec.msgpack.encode(tuple(notices))
        with self._lock:
            for watcher in list(self._watchers):
                try:
                    send_message(watcher, message)
                except OSError:  # gone, or it does not read: it looks again when it comes back
                    self._watchers.remove(watcher)
                    watcher.close()


def listen(path: Path, group_id: int | None) -> socket.socket:
    """The socket, open to root and one group. Raises DriveError when another service answers there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            _require_dead(path)
            path.unlink()
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        if group_id is not None:
            os.chown(path, -1, group_id)
            path.chmod(0o660)
        listener.listen(CONNECTION_LIMIT)
    except OSError as error:
        listener.close()
        raise DriveError(f"the socket {path} cannot be made: {error.strerror}", "check its folder") from error
    except BaseException:
        listener.close()
        raise
    return listener


def _require_dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        raise DriveError(
            f"a drive service answers on {path} already", "stop it first: systemctl stop watchdeck-drives"
        )


def _shown(arguments: tuple[Any, ...]) -> str:
    return ", ".join(repr(item) for item in arguments if not hasattr(item, "virtual_drives"))[:500]
