"""`RtspServer`: a real RTSP server (GStreamer's) in a process of its own, to start, kill and restart in tests.

    with RtspServer([RtspStream(video="h264", audio="aac")]) as server:
        ... server.url("/main") ...

It runs under the system's Python, because Debian's gst-rtsp-server bindings live there.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("gst_server.py")
COUNTER_BITS = 32


@dataclass(frozen=True, slots=True)
class RtspStream:
    """One mount point of the server."""

    path: str = "/main"
    video: str = "h264"
    """h264, h265, mjpeg, vp8 (which Watchdeck cannot record) or empty."""
    audio: str = ""
    """aac, latm, pcmu, pcma, opus, l16 or empty."""
    width: int = 320
    height: int = 240
    fps: int = 15
    gop: int = 15
    """Frames from keyframe to keyframe."""
    kbps: int = 300
    b_frames: int = 0
    config_interval: int = -1
    """Seconds between in-band parameter sets: -1 = with every keyframe, 0 = never."""
    aggregate: str = "none"
    """STAP-A / AP use: none, zero-latency or max-stap."""
    mtu: int = 1400
    pattern: str = "ball"
    counter: bool = False
    """Draw the frame number as 32 black or white blocks (`read_counter`)."""
    transport: str = "any"
    """any, tcp or udp."""
    sent_log: str = ""
    """File that gets a line for each picture sent: SHA-1 of its slices (H.264 only)."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate with its key, as cameras have."""
    pem = folder / "camera.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera"]
        + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True,
        capture_output=True,
    )
    pem.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return pem


class RtspServer:
    """A server process on a port of 127.0.0.1 that stays the same over restarts."""

    def __init__(
        self,
        streams: Sequence[RtspStream] = (RtspStream(),),
        *,
        user: str = "",
        password: str = "",
        auth: str = "digest",
        tls_pem: Path | None = None,
    ) -> None:
        self._streams = tuple(streams)
        self.user, self.password = user, password
        self._auth, self._tls_pem = auth, tls_pem
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str = "") -> str:
        scheme = "rtsps" if self._tls_pem else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}{path or self._streams[0].path}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Returns when the server answers; skips the test when this machine cannot run one."""
        assert self._process is None, "the server is running"
        if not _bindings_present():
            pytest.skip("gst-rtsp-server's Python bindings are not installed (packaging/install-test-tools)")
        config = {
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "auth": self._auth,
            "tls_pem": str(self._tls_pem or ""),
            "streams": [asdict(stream) for stream in self._streams],
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT), json.dumps(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.kill()
            raise RuntimeError("the RTSP server did not start")
        assert json.loads(line)["port"] == self.port

    def kill(self) -> None:
        """As a power cut: no TEARDOWN, no last bytes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self.kill()
        self.start()

    def pause(self) -> None:
        """Freeze: connected but silent, as a hung camera."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def read_counter(luma: bytes, width: int, height: int, stride: int = 0) -> int:
    """The frame number drawn by a `counter` stream, from the decoded luma plane."""
    stride = stride or width
    block = width // COUNTER_BITS
    row = height // 8 * stride
    number = 0
    for bit in range(COUNTER_BITS):
        number = number << 1 | (luma[row + bit * block + block // 2] > 128)
    return number


_found: list[bool] = []


def _bindings_present() -> bool:
    if not _found:
        code = (
            "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
        )
        try:
            done = subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, check=False)
            _found.append(done.returncode == 0)
        except FileNotFoundError:
            _found.append(False)
    return _found[0]
