"""Whether another child process would find room, asked before uvloop is: when that fails half-way it never gives its descriptors back.

Measured with uvloop 0.23: two to five descriptors a try are lost without room for more (EMFILE), two without room for a process
(EAGAIN). Who tries again and again would take from recording what it needs to come back. Loop only; some 50 us.
"""

from __future__ import annotations

import errno
import os
import threading

DESCRIPTORS = 24
"""For both ends of three pipes, what the loop opens beside them, and files that others open at that moment."""


def check_room() -> None:
    """Raises OSError (EMFILE, ENFILE, EAGAIN). What has room now may not have it a moment later: that stays rare."""
    taken: list[int] = []
    try:
        for _ in range(DESCRIPTORS):
            taken.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for descriptor in taken:
            os.close(descriptor)
    # Threads and processes are counted by the same limits, of the user and of the service.
    probe = threading.Thread(target=int, name="room for a process", daemon=True)
    try:
        probe.start()
    except RuntimeError as exc:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from exc
    probe.join()
