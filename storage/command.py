"""Run a system program with a deadline: argument list, no shell, bounded output, typed failures. Blocking.

A program that waits for a dead drive sits in the kernel and ignores even SIGKILL; it is then left behind, counted
and collected later, so that the caller's thread goes on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import Protocol

import msgspec

from storage.errors import CommandFailed, CommandTimeout, ToolMissing

OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
KILL_GRACE_S = 1.0
PACKAGES = {
    "mdadm": "mdadm",
    "smartctl": "smartmontools",
    "ledctl": "ledmon",
    "ipmitool": "ipmitool",
    "sg_ses": "sg3-utils",
    "sgdisk": "gdisk",
    "mkfs.xfs": "xfsprogs",
    "mkfs.ext4": "e2fsprogs",
    "hdparm": "hdparm",
    "nvme": "nvme-cli",
    "storcli64": "",
}
"""Debian packages; storcli64 comes from the controller's maker."""
_SEARCH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/opt/MegaRAID/storcli"


def is_installed(program: str) -> bool:
    """Where `run` looks for it."""
    return shutil.which(program, path=_search_path()) is not None


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:{_SEARCH}".lstrip(":")


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended."""

    argv: tuple[str, ...]
    status: int
    output: bytes
    errors: bytes

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """The last line it said, for an error message."""
        said = (self.errors or self.output).decode("utf-8", "replace").strip().splitlines()
        return said[-1].strip() if said else f"exit status {self.status}"

    def checked(self) -> Completed:
        """Itself when it succeeded. Raises CommandFailed."""
        if self.status != 0:
            raise CommandFailed(
                f"{self.argv[0]} failed: {self.complaint}", f"run by hand: {' '.join(self.argv)}"
            )
        return self


class Runner(Protocol):
    """`run` below, or a stand-in for tests."""

    def __call__(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed: ...


def run(argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Completed:
    """Run a program to its end. A non-zero status is an answer, not an error: see `Completed.checked`.

    Raises ToolMissing, CommandTimeout, and CommandFailed when it cannot be started or says more than 16 MiB.
    """
    environment = {
        "PATH": _search_path(),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        package = PACKAGES.get(argv[0], "")
        remedy = f"apt-get install {package}" if package else "install it and see that it is on PATH"
        raise ToolMissing(f"the program {argv[0]} is not installed", remedy) from error
    except OSError as error:
        raise CommandFailed(f"{argv[0]} cannot be started: {error.strerror}") from error
    try:
        output, errors = process.communicate(stdin or None, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        _abandon(process)
        raise CommandTimeout(
            f"{' '.join(argv)} did not end within {timeout_s:g} s",
            "a drive may not answer: see the kernel log",
        ) from error
    except BaseException:
        _abandon(process)
        raise
    if len(output) > OUTPUT_LIMIT_BYTES:
        raise CommandFailed(f"{argv[0]} said more than {OUTPUT_LIMIT_BYTES} bytes")
    return Completed(argv=tuple(argv), status=process.returncode, output=output, errors=errors)


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """Kill it with its children; one that cannot die is waited for by a thread of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(KILL_GRACE_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
