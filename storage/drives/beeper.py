"""The PC speaker through the console's sound ioctl: a steady tone until it is switched off."""

from __future__ import annotations

import fcntl
import os

from storage.errors import Unsupported
from storage.roots import Roots
from storage.volumes.block_chain import listed, read_text

TONE_HZ = 2000
_KIOCSOUND = 0x4B2F
_PIT_HZ = 1_193_180
"""The ioctl takes a divider of the PC's timer (ioctl_console(2))."""


class Beeper:
    """Remembers whether it sounds; switching off what is silent does nothing."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._is_on = False

    def set(self, is_on: bool) -> None:
        """Raises Unsupported where there is no speaker or no permission."""
        if is_on == self._is_on:
            return
        if is_on and not self._has_speaker():
            raise Unsupported(
                "this machine has no beeper the kernel knows", "if the board has one: modprobe pcspkr"
            )
        console = self._roots.dev / "tty0"
        try:
            fd = os.open(console, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                fcntl.ioctl(fd, _KIOCSOUND, _PIT_HZ // TONE_HZ if is_on else 0)
            finally:
                os.close(fd)
        except OSError as error:
            raise Unsupported(
                f"the beeper cannot be switched through {console}: {error.strerror}",
                "the engine needs CAP_SYS_TTY_CONFIG and a console",
            ) from error
        self._is_on = is_on

    def _has_speaker(self) -> bool:
        base = self._roots.sys / "class" / "input"
        return any("speaker" in read_text(base / name / "name").lower() for name in listed(base))
