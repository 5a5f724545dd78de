"""Through the screens with pictures of a real terminal: the camera's colours come, and nothing of them stays behind."""

from __future__ import annotations

from typing import Final

from tests.e2e.window_session import WindowSession

BARS: Final = ((255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0))
"""Upper bars of the SMPTE test picture: yellow, cyan, green, magenta, red."""
TELLING: Final = ((255, 0, 255), (106, 0, 212))
"""Magenta and the violet at the bottom of it: the console itself never draws them."""
BAR: Final = (48, 48, 48)
"""Of the line with the names of the screens: no terminal shows it before the console does."""
SHARE: Final = 0.004


def look_around(terminal: WindowSession) -> None:
    """Pictures come on both screens that have them; dialogs, help, palette and other screens are free of them."""
    terminal.wait_for((BAR,), share=0.003)  # the console is there and reads keys
    terminal.press("2")
    terminal.wait_for(BARS, share=SHARE)
    for opened in ("a", "question", "d", "1", "4"):
        terminal.press(opened)
        terminal.wait_without(TELLING)
        terminal.press("2" if opened.isdigit() else "Escape")
        terminal.wait_for(BARS, share=SHARE)
    terminal.press("3", "g")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("J")
    terminal.wait_without(TELLING)
    terminal.press("Escape")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("1")
    terminal.wait_without(TELLING)
    change_size(terminal)
    look_at_the_wall(terminal)


def change_size(terminal: WindowSession) -> None:
    """Another size of the window, then of the letters: pictures follow, and nothing of the old ones stays."""
    terminal.press("2")
    terminal.wait_for(BARS, share=SHARE)
    terminal.resize(660, 440)
    terminal.wait_for(BARS, share=SHARE)
    terminal.press("question")
    terminal.wait_without(TELLING)
    terminal.press("Escape")
    terminal.wait_for(BARS, share=SHARE)
    terminal.press(terminal.smaller)
    terminal.wait_for(BARS, share=SHARE / 2)
    terminal.press("1")
    terminal.wait_without(TELLING)
    terminal.press(terminal.larger)
    terminal.resize(900, 600)


def look_at_the_wall(terminal: WindowSession) -> None:
    """The camera fills a good part of its cell of 2x2; dialogs leave nothing of it, and it comes back."""
    terminal.press("7")
    terminal.wait_for(BARS, share=2 * SHARE)
    for opened in ("l", "colon"):
        terminal.press(opened)
        if opened == "l":
            terminal.wait_without(TELLING)
        terminal.press("Escape")
        terminal.wait_for(BARS, share=2 * SHARE)
    terminal.press("t")  # thumbnails of the last hour: one of them was recorded
    terminal.wait_for(BARS, share=SHARE / 8)
    terminal.press("d")
    terminal.wait_without(TELLING)
    terminal.press("Escape")
    terminal.wait_for(BARS, share=SHARE / 8)
    terminal.press("7")
    terminal.wait_for(BARS, share=2 * SHARE)
    terminal.press("Return")
    terminal.wait_for(BARS, share=6 * SHARE)
    terminal.press("4")
    terminal.wait_without(TELLING)
