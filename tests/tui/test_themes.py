"""Themes: the same at 256 colours and 16.7 million, readable, and within what the terminal has."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from textual.theme import Theme

from tui.profile import TerminalProfile
from tui.themes import DARK, LIGHT, MONO, SIXTEEN, THEMES, register_themes, theme_name


def named_colors(theme: Theme) -> dict[str, str]:
    own = {
        name: value
        for name in (
            "primary",
            "secondary",
            "accent",
            "success",
            "warning",
            "error",
            "foreground",
            "background",
        )
        if (value := getattr(theme, name)) is not None
    }
    own |= {"surface": str(theme.surface), "panel": str(theme.panel), "boost": str(theme.boost)}
    return own | {name: value for name, value in theme.variables.items() if value.startswith(("#", "ansi"))}


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_colour_is_in_the_256_colour_cube(theme: Theme) -> None:
    for name, value in named_colors(theme).items():
        shown = Color.parse(value).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
        wanted = Color.parse(value).get_truecolor()
        # Rich rounds light greys one step (of ten) down; everything else must be exact.
        is_grey = wanted.red == wanted.green == wanted.blue
        difference = max(abs(one - other) for one, other in zip(shown, wanted, strict=True))
        assert difference <= (10 if is_grey else 0), (
            f"{name} {value} would look like {shown.hex} at 256 colours"
        )


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_is_readable_on_every_background(theme: Theme) -> None:
    colors = named_colors(theme)
    backgrounds = [colors["background"], colors["surface"]]
    for name in ("text", "text-muted", "text-accent", "text-success", "text-warning", "text-error"):
        for background in backgrounds:
            assert contrast(colors[name], background) >= 4.5, f"{name} on {background}"
    assert contrast(colors["block-cursor-foreground"], colors["block-cursor-background"]) >= 4.5


@pytest.mark.parametrize("theme", [SIXTEEN, MONO], ids=lambda theme: theme.name)
def test_small_themes_use_no_bright_colour(theme: Theme) -> None:
    values = named_colors(theme).values()
    assert all(value.startswith("ansi_") and "bright" not in value for value in values)


def test_the_mono_theme_has_no_colour_and_marks_the_cursor_by_reverse_video() -> None:
    assert set(named_colors(MONO).values()) == {"ansi_default"}
    assert MONO.variables["block-cursor-text-style"] == "reverse"


def test_themes_are_there_before_the_app_is_made() -> None:
    from textual.theme import BUILTIN_THEMES

    register_themes()
    assert {theme.name for theme in THEMES} <= set(BUILTIN_THEMES)


@pytest.mark.parametrize("colors", [16_777_216, 256, 16, 8, 2])
def test_profile_and_themes_agree_on_names(colors: int) -> None:
    assert TerminalProfile(colors=colors).theme == theme_name(colors)
