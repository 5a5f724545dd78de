"""Drives that fail on command: a file behind an NBD server in a thread of the test process.

What md and smartd's readers meet on real drives, and a plain file never shows: sectors that cannot be read until they are
rewritten, sectors that never can, writes that fail, answers that take long, and a write cache that loses with the power
what was not flushed. QEMU is the only client; the protocol is the part of NBD it needs.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 512

OPTION_MAGIC = 0x49484156454F5054
OPTION_REPLY_MAGIC = 0x3E889045565A9
REQUEST_MAGIC = 0x25609513
REPLY_MAGIC = 0x67446698
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
FLAG_HAS_FLAGS, FLAG_SEND_FLUSH, FLAG_SEND_FUA = 1, 4, 8
TRANSMISSION_FLAGS = FLAG_HAS_FLAGS | FLAG_SEND_FLUSH | FLAG_SEND_FUA
FIXED_NEW_STYLE_NO_ZEROES = 3
CMD_READ, CMD_WRITE, CMD_DISCONNECT, CMD_FLUSH = 0, 1, 2, 3
CMD_FLAG_FUA = 1
MAX_BLOCK_BYTES = 32 << 20


@dataclass(slots=True)
class Counted:
    reads: int = 0
    writes: int = 0
    read_errors: int = 0
    write_errors: int = 0
    healed_sectors: int = 0
    lost_writes: int = 0
    """Taken back by a power cut."""


class FaultDrive:
    """A drive's medium and its faults. The faults may be changed while it works."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(self._file, size_bytes)
        self._lock = threading.Lock()
        self._pending: set[int] = set()
        self._dead: set[int] = set()
        self._unflushed: list[tuple[int, bytes]] = []
        """What the writes since the last flush wrote over, oldest first."""
        self.fails_writes = False
        self.fails_reads = False
        self.latency_s = 0.0
        self.counted = Counted()

    def make_pending(self, first_sector: int, count: int = 1) -> None:
        """Unreadable until they are written again."""
        with self._lock:
            self._pending.update(range(first_sector, first_sector + count))

    def make_dead(self, first_sector: int, count: int = 1) -> None:
        """Unreadable for ever: a write seems to succeed and does not help."""
        with self._lock:
            self._dead.update(range(first_sector, first_sector + count))

    @property
    def pending_sectors(self) -> int:
        with self._lock:
            return len(self._pending)

    def heal(self) -> None:
        with self._lock:
            self._pending.clear()
            self._dead.clear()
        self.fails_writes = self.fails_reads = False
        self.latency_s = 0.0

    def lose_power(self) -> None:
        """Its write cache is gone: every write since the last flush is taken back, the newest first."""
        with self._lock:
            for offset, before in reversed(self._unflushed):
                os.pwrite(self._file, before, offset)
            self.counted.lost_writes += len(self._unflushed)
            self._unflushed.clear()

    def read(self, offset: int, length: int) -> bytes | None:
        """None: an error."""
        self._take_time()
        with self._lock:
            self.counted.reads += 1
            sectors = _sectors(offset, length)
            if self.fails_reads or _any_in(sectors, self._pending) or _any_in(sectors, self._dead):
                self.counted.read_errors += 1
                return None
            return os.pread(self._file, length, offset)

    def write(self, offset: int, data: bytes) -> bool:
        """False: an error, and nothing was written."""
        self._take_time()
        with self._lock:
            self.counted.writes += 1
            if self.fails_writes:
                self.counted.write_errors += 1
                return False
            healed = self._pending.intersection(_sectors(offset, len(data))) if self._pending else set()
            self._pending -= healed
            self.counted.healed_sectors += len(healed)
            self._unflushed.append((offset, os.pread(self._file, len(data), offset)))
            os.pwrite(self._file, data, offset)
            return True

    def flush(self) -> bool:
        with self._lock:
            if self.fails_writes:
                return False
            self._unflushed.clear()
            return True

    def close(self) -> None:
        os.close(self._file)

    def _take_time(self) -> None:
        if self.latency_s:
            time.sleep(self.latency_s)


class FaultServer:
    """Serves one `FaultDrive` on a unix socket, to one client after the other."""

    def __init__(self, path: Path, drive: FaultDrive) -> None:
        self.path = path
        self._drive = drive
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        self._listener.listen(2)
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, name=f"nbd {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if (client := self._client) is not None:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:  # QEMU was faster
                pass
        self._thread.join(10)
        self._drive.close()

    def _accept(self) -> None:
        while True:
            try:
                self._client, _ = self._listener.accept()
            except OSError:
                return
            with self._client as client:
                try:
                    if self._negotiated(client):
                        self._serve(client)
                except OSError:  # QEMU was killed: that is what power cuts are made of
                    pass
            self._client = None

    def _negotiated(self, client: socket.socket) -> bool:
        client.sendall(b"NBDMAGIC" + struct.pack(">QH", OPTION_MAGIC, FIXED_NEW_STYLE_NO_ZEROES))
        _received(client, 4)
        size_bytes = self._drive.size_bytes
        while True:
            _, option, length = struct.unpack(">QII", _received(client, 16))
            _received(client, length)

            def reply(kind: int, data: bytes = b"", option: int = option) -> None:
                client.sendall(struct.pack(">QIII", OPTION_REPLY_MAGIC, option, kind, len(data)) + data)

            if option in (OPT_GO, OPT_INFO):
                reply(REP_INFO, struct.pack(">HQH", INFO_EXPORT, size_bytes, TRANSMISSION_FLAGS))
                reply(REP_INFO, struct.pack(">HIII", INFO_BLOCK_SIZE, SECTOR_BYTES, 4096, MAX_BLOCK_BYTES))
                reply(REP_ACK)
                if option == OPT_GO:
                    return True
            elif option == OPT_EXPORT_NAME:
                client.sendall(struct.pack(">QH", size_bytes, TRANSMISSION_FLAGS))
                return True
            elif option == OPT_ABORT:
                reply(REP_ACK)
                return False
            else:
                reply(REP_UNSUPPORTED)

    def _serve(self, client: socket.socket) -> None:
        drive = self._drive
        while True:
            _, flags, command, handle, offset, length = struct.unpack(">IHHQQI", _received(client, 28))
            data = b""
            if command == CMD_READ:
                read = drive.read(offset, length)
                is_done, data = read is not None, read or b""
            elif command == CMD_WRITE:
                is_done = drive.write(offset, _received(client, length))
                if is_done and flags & CMD_FLAG_FUA:
                    is_done = drive.flush()
            elif command == CMD_FLUSH:
                is_done = drive.flush()
            elif command == CMD_DISCONNECT:
                return
            else:
                is_done = False
            client.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0 if is_done else errno.EIO, handle) + data)


def _sectors(offset: int, length: int) -> range:
    return range(offset // SECTOR_BYTES, -(-(offset + length) // SECTOR_BYTES))


def _any_in(sectors: range, marked: set[int]) -> bool:
    return any(sector in sectors for sector in marked)


def _received(client: socket.socket, length: int) -> bytes:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = client.recv_into(view)
        if not count:
            raise ConnectionResetError("closed by QEMU")
        view = view[count:]
    return bytes(data)
