"""What somebody pastes on a machine of their own to watch a video link with a player there. Pure.

When the engine's ports listen on its own machine only, the line opens an SSH tunnel first, with the log-in that this console runs in.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from engine.wire_links import VideoLink


@dataclass(frozen=True, slots=True)
class PasteLine:
    label: str
    """`mpv`, `VLC`, `address`."""
    text: str


def paste_lines(link: VideoLink, environ: Mapping[str, str], host: str, left_s: int) -> tuple[PasteLine, ...]:
    """Best first. `host`: this machine's name, for whoever stands before it; `left_s`: until the link ends."""
    is_rtsp = bool(link.rtsp_url)
    url = link.rtsp_url or link.http_url
    players = [
        PasteLine("mpv", _command("mpv", *(["--profile=low-latency"] if link.start_us is None else []), url)),
        PasteLine("VLC", _command("vlc", *(["--rtsp-tcp"] if is_rtsp else []), url)),
    ]
    if link.is_loopback:
        port = link.rtsp_port if is_rtsp else link.http_port
        tunnel = _tunnel(port, environ, host, left_s)
        players = [PasteLine(each.label, f"{tunnel} && {each.text}") for each in players]
    return (*players, PasteLine("address", url))


def _tunnel(port: int, environ: Mapping[str, str], host: str, left_s: int) -> str:
    """An SSH that forwards the port and ends with the link."""
    user = environ.get("SUDO_USER") or environ.get("USER") or environ.get("LOGNAME") or ""
    reached = environ.get("SSH_CONNECTION", "").split()
    machine, ssh_port = (reached[2], reached[3]) if len(reached) == 4 else (host, "22")
    command = ["ssh", "-f", "-o", "ExitOnForwardFailure=yes", "-L", f"{port}:localhost:{port}"]
    if ssh_port != "22":
        command += ["-p", ssh_port]
    return _command(*command, f"{user}@{machine}" if user else machine, "sleep", str(max(left_s, 1)))


def _command(*words: str) -> str:
    """For a shell of the reader's: names and addresses cannot be more than words."""
    return " ".join(shlex.quote(word) for word in words)
