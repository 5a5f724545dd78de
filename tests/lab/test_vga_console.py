"""The console on the machine's own screen: a VGA in text mode, eight colours, 256 glyphs, the box drawn as on any terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.image import Image
from tests.lab.machine import Machine
from tests.lab.vga_screen import Picture, VgaScreen

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

STATION_TOML = b"""[chassis]
hardware = "simulated"
"""
SOCKET = "/run/watchdeck/engine.sock"
ENGINE = f"systemd-run -q -u lab-engine watchdeck engine --state /var/lib/watchdeck --socket {SOCKET} --config /etc/watchdeck/station.toml"
CONSOLE = (
    "systemctl stop getty@tty1.service; systemd-run -q -u lab-console -E TERM=linux -p TTYPath=/dev/tty1"
    f" -p StandardInput=tty -p StandardOutput=tty -p StandardError=tty watchdeck --socket {SOCKET}"
)
BLACK = (0, 0, 0)


@pytest.fixture(scope="module")
def screen(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VgaScreen]:
    """An engine with a simulated chassis in which bay 2 has failed, and the console on the first terminal."""
    folder: Path = tmp_path_factory.mktemp("vga")
    with Machine(folder, image, has_screen=True) as machine:
        machine.start()
        machine.sh("mkdir -p /run/watchdeck /var/lib/watchdeck /etc/watchdeck")
        machine.put("/etc/watchdeck/station.toml", STATION_TOML)
        machine.sh(ENGINE)
        simulate = f"--socket {SOCKET} chassis simulate"
        # Without its spare the group keeps the failed drive's place open.
        machine.until(
            lambda: machine.watchdeck(f"{simulate} pull 7").exit_code,
            lambda code: code == 0,
            "the engine",
            timeout_s=60,
        )
        assert machine.watchdeck(f"{simulate} fail 2").exit_code == 0
        machine.sh(CONSOLE)
        yield VgaScreen(machine)
    shutil.rmtree(folder)


def place_of(text: str, words: str) -> tuple[int, int]:
    """Column and row where these begin."""
    row = next(number for number, line in enumerate(text.split("\n")) if words in line)
    return text.split("\n")[row].index(words), row


def lit_rows(picture: Picture, column: int, row: int) -> list[int]:
    """Lines of a cell that are lit from edge to edge."""
    return [y for y, line in enumerate(picture.cell(column, row)) if BLACK not in line]


def test_the_bay_map_is_drawn_with_the_glyphs_and_colours_of_the_screen(
    screen: VgaScreen, tmp_path: Path
) -> None:
    screen.shows("1 Dashboard", "Newest events", timeout_s=120)
    screen.press("<f6>")
    text = screen.shows("with a drive", "FAILED", "SIMULATED")
    picture = screen.picture(tmp_path / "bays.ppm")
    column, row = place_of(text, "\u250c 4 ")
    # Lines of boxes are whole: the horizontal one goes from cell to cell, the corner begins in the middle of its own.
    assert lit_rows(picture, column + 5, row)
    assert lit_rows(picture, column + 5, row) == lit_rows(picture, column + 6, row)
    assert lit_rows(picture, column, row) == []
    # A glyph that the font does not have is drawn as a question mark or a blank: neither is on the map.
    assert "?" not in "".join(line[:44] for line in text.split("\n")[2:14])
    # The lamp of the failed drive is amber (brown or yellow on a VGA), its word red, that of a member that works green.
    failed_column, failed_row = place_of(text, "FAILED")
    lamps = [
        colour
        for lamp in range(failed_column, failed_column + 5)
        for colour in picture.colours(lamp, failed_row - 1)
        if colour[0] > colour[2] + 60 and colour[1] > colour[2] + 40
    ]
    assert lamps, "no amber lamp in front of FAILED"
    assert any(red > 100 and green < 100 for red, green, _ in picture.colours(failed_column, failed_row))
    online_column, online_row = place_of(text, "online")
    assert any(green > 100 and red < 100 for red, green, _ in picture.colours(online_column, online_row))


def test_keys_of_the_machine_work_and_dialogs_are_drawn(screen: VgaScreen, tmp_path: Path) -> None:
    screen.shows("with a drive")
    screen.press("2r")
    text = screen.shows("Replace the drive in bay 2", "y do it")
    picture = screen.picture(tmp_path / "dialog.ppm")
    column, row = place_of(text, "\u250c\u2500")
    assert lit_rows(picture, column + 1, row)
    screen.press("y")
    screen.shows("Cancel the job", "esc leaves the view")
    screen.picture(tmp_path / "job.ppm")
    screen.press("<esc>")
    screen.shows("with a drive")
