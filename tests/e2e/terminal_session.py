"""A real sshd and a real terminal (tmux), for tests that look at the console as an administrator does."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """OpenSSH on a port of its own, with keys made for this test; nothing of the machine's set-up is touched."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("sshd") or "/usr/sbin/sshd"
        if not Path(binary).exists() or not shutil.which("ssh"):
            pytest.skip("openssh-server and openssh-client are not installed")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation folder
        self.port = free_port()
        self.key = folder / "user_key"
        for path in (folder / "host_key", self.key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        authorized = folder / "authorized_keys"
        authorized.write_text((folder / "user_key.pub").read_text())
        authorized.chmod(0o600)
        config = folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host_key'}\n"
            f"AuthorizedKeysFile {authorized}\nPasswordAuthentication no\nUsePAM no\nStrictModes no\n"
            f"PidFile none\nPermitRootLogin prohibit-password\n"
        )
        self.process = subprocess.Popen([binary, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("sshd did not open its port")

    def command(self, remote: str) -> list[str]:
        """The ssh client's argument list for a remote command in a terminal."""
        return [
            *("ssh", "-tt", "-p", str(self.port), "-i", str(self.key), "-o", "StrictHostKeyChecking=no"),
            *("-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
            *(f"{getpass.getuser()}@127.0.0.1", remote),
        ]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Tmux:
    """A program in a tmux window of a given size; keys go in, the visible screen comes out."""

    def __init__(
        self, folder: Path, command: list[str], columns: int, rows: int, env: dict[str, str] | None = None
    ):
        if not shutil.which("tmux"):
            pytest.skip("tmux is not installed")
        self.base = ["tmux", "-S", str(folder / "tmux.sock"), "-f", "/dev/null"]
        clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE", "NO_COLOR")}
        settings = [word for pair in (env or {}).items() for word in ("-e", "=".join(pair))]
        subprocess.run(
            [
                *self.base,
                *("new-session", "-d", "-x", str(columns), "-y", str(rows), *settings, *command),
                *(";", "set", "-g", "status", "off", ";", "set", "-g", "remain-on-exit", "on"),
            ],
            check=True,
            env={**clean, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        )

    def screen(self, *, with_colours: bool = False) -> str:
        """What is visible now."""
        escape = ["-e"] if with_colours else []
        shown = subprocess.run(
            [*self.base, "capture-pane", "-p", *escape], capture_output=True, text=True, check=True
        )
        return shown.stdout

    def title(self) -> str:
        """Of the window."""
        shown = subprocess.run(
            [*self.base, "display-message", "-p", "#{pane_title}"], capture_output=True, text=True, check=True
        )
        return shown.stdout.strip()

    def press(self, *keys: str) -> None:
        subprocess.run([*self.base, "send-keys", *keys], check=True)

    def resize(self, columns: int, rows: int) -> None:
        subprocess.run([*self.base, "resize-window", "-x", str(columns), "-y", str(rows)], check=True)

    def wait_for(self, text: str, timeout_s: float = 30) -> str:
        """The screen once it shows `text`; a failure prints what it showed instead."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            if text in (screen := self.screen()):
                return screen
            time.sleep(0.1)
        raise AssertionError(f"{text!r} never appeared; the screen shows:\n{self.screen()}")

    def stop(self) -> None:
        subprocess.run([*self.base, "kill-server"], check=False, capture_output=True)
