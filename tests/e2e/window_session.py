"""Real terminals on a virtual X server, for tests that look at the console's pixels: xterm (sixel) and kitty."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import ClassVar, Final

import pytest
from PIL import Image

NEEDED: Final = ("Xvfb", "xdotool", "import")
SCREEN: Final = (1000, 700)


class WindowSession:
    """One terminal, alone on its own X server."""

    program: ClassVar[str]
    """What is to be installed, and the class of its window."""
    larger: ClassVar[str]
    """Key for larger letters."""
    smaller: ClassVar[str]

    def __init__(self, folder: Path, command: list[str], *, columns: int = 100, rows: int = 30) -> None:
        missing = [tool for tool in (*NEEDED, self.program) if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"{', '.join(missing)} not installed: packaging/install-test-tools")
        self._log = folder / f"{self.program}.log"
        self._server, self._display = _x_server()
        self._environment = {
            **os.environ,
            "DISPLAY": self._display,
            "LC_ALL": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            # Nothing of the machine's own settings is read, nothing is left in its caches.
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        for name in ("NO_COLOR", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "WAYLAND_DISPLAY"):
            self._environment.pop(name, None)
        with self._log.open("wb") as log:
            self._terminal = subprocess.Popen(
                [*self.argv(columns, rows), *command], env=self._environment, stdout=log, stderr=log
            )

    def argv(self, columns: int, rows: int) -> list[str]:
        """The terminal's command line, up to the command it runs."""
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        """Keys by their X names: `2`, `a`, `Escape`."""
        subprocess.run(
            ["xdotool", "key", "--delay", "50", *keys],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=20,
        )

    def resize(self, width_px: int, height_px: int) -> None:
        """Another size of the window. The pointer goes where the window surely is: without a window manager keys follow it."""
        subprocess.run(
            ["xdotool", "mousemove", "20", "20"],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=20,
        )
        window = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--class", self.program],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
        subprocess.run(
            ["xdotool", "windowsize", window.stdout.split()[0], str(width_px), str(height_px)],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=20,
        )

    def picture(self) -> Image.Image:
        """What the screen shows now."""
        done = subprocess.run(
            ["import", "-window", "root", "png:-"],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=20,
        )
        return Image.open(io.BytesIO(done.stdout)).convert("RGB")

    def wait_for(
        self, colors: tuple[tuple[int, int, int], ...], *, share: float, timeout_s: float = 40
    ) -> None:
        """Until each colour covers so much of the screen."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            seen = [covered(self.picture(), color) for color in colors]
            if min(seen) >= share:
                return
            if time.monotonic() > deadline_s or self._terminal.poll() is not None:
                self.picture().save(self._log.with_suffix(".png"))
                raise AssertionError(f"shares of {colors} are {seen}, not {share}; see {self._log.parent}")
            time.sleep(0.2)

    def wait_without(
        self, colors: tuple[tuple[int, int, int], ...], *, stays_s: float = 2.0, timeout_s: float = 10
    ) -> None:
        """Until not a pixel of any of them is left; nor may one come back (a picture that was on its way)."""
        deadline_s = time.monotonic() + timeout_s
        clear_since_s: float | None = None
        while clear_since_s is None or time.monotonic() - clear_since_s < stays_s:
            seen = [covered(self.picture(), color) for color in colors]
            if not any(seen):
                clear_since_s = clear_since_s or time.monotonic()
            elif clear_since_s is not None or time.monotonic() > deadline_s:
                self.picture().save(self._log.with_suffix(".png"))
                raise AssertionError(f"{colors} still cover {seen}; see {self._log.parent}")
            time.sleep(0.2)

    def stop(self) -> None:
        for process in (self._terminal, self._server):
            process.terminate()
            process.wait(10)


class XtermSession(WindowSession):
    """It calls itself a VT340."""

    program = "xterm"
    larger = "shift+KP_Add"
    smaller = "shift+KP_Subtract"

    def argv(self, columns: int, rows: int) -> list[str]:
        colors = ("-bg", "black", "-fg", "white")
        font = ("-fa", "DejaVu Sans Mono", "-fs", "9")
        return ["xterm", "-ti", "vt340", "-geometry", f"{columns}x{rows}+0+0", *colors, *font, "-e"]


class KittySession(WindowSession):
    """Its OpenGL is Mesa's in software."""

    program = "kitty"
    larger = "ctrl+shift+equal"
    smaller = "ctrl+shift+minus"

    def argv(self, columns: int, rows: int) -> list[str]:
        options = {
            "initial_window_width": f"{columns}c",
            "initial_window_height": f"{rows}c",
            "remember_window_size": "no",
            "font_family": "DejaVu Sans Mono",
            "font_size": "10",
            "update_check_interval": "0",
            "enable_audio_bell": "no",
            "cursor_blink_interval": "0",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["kitty", "--config", "NONE", *given]


def covered(picture: Image.Image, color: tuple[int, int, int], tolerance: int = 24) -> float:
    """Share of the pixels that are of this colour, as a picture survives the way through codec and palette."""
    counts = picture.getcolors(picture.width * picture.height) or []
    near = sum(
        count
        for count, pixel in counts
        if isinstance(pixel, tuple)
        and all(abs(one - other) <= tolerance for one, other in zip(pixel, color, strict=True))
    )
    return near / (picture.width * picture.height)


def draws_sixels(folder: Path) -> bool:
    """Whether this xterm was built with sixel graphics: it says so when asked (attribute 4)."""
    answer = folder / "attributes"
    script = f"stty raw -echo min 0 time 20; printf '\\033[c'; dd bs=64 count=1 of={answer} 2>/dev/null"
    session = XtermSession(folder, ["sh", "-c", script])
    try:
        deadline_s = time.monotonic() + 15
        while not (answer.exists() and answer.read_bytes().endswith(b"c")):
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.1)
        return b"4" in answer.read_bytes().strip(b"\x1b[?c").split(b";")[1:]
    finally:
        session.stop()


def _x_server() -> tuple[subprocess.Popen[bytes], str]:
    """Xvfb chooses a free display and says which."""
    reading, writing = os.pipe()
    try:
        width, height = SCREEN
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
            pass_fds=(writing,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        writing = -1
        with os.fdopen(reading, "rb") as file:
            reading = -1
            number = file.readline().strip().decode()
        assert number, "Xvfb did not start"
        return server, f":{number}"
    finally:
        for fd in (reading, writing):
            if fd >= 0:
                os.close(fd)
