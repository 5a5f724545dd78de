"""Colour themes of the console. `register_themes` must run before the app exists, because Textual chooses its
colour filters while an App is made (a theme registered later would miss the NO_COLOR and ANSI filters).

`watchdeck` and `watchdeck-light` use only colours of the 256-colour cube, so that they look the same with 256 and with
16.7 million colours. `watchdeck-16` uses the eight basic colours and no background beyond them (the Linux console
has no others); `watchdeck-mono` uses none at all: focus and cursor are reverse video. State is never told by colour
alone: the widgets carry letters and words.
"""

from __future__ import annotations

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_SHARED: Final = {
    "block-cursor-text-style": "bold",
    "block-cursor-blurred-text-style": "bold",
    "input-cursor-text-style": "none",
    "button-focus-text-style": "bold",
    "link-style": "underline",
}

DARK: Final = Theme(
    name="watchdeck",
    dark=True,
    primary="#5f87af",
    secondary="#87afaf",
    accent="#87afd7",
    success="#87af5f",
    warning="#d7af5f",
    error="#d75f5f",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    boost="#262626",
    variables={
        **_SHARED,
        "text": "#d0d0d0",
        "text-muted": "#949494",
        "text-disabled": "#767676",
        "text-primary": "#87afd7",
        "text-secondary": "#87afaf",
        "text-accent": "#87afd7",
        "text-success": "#87af5f",
        "text-warning": "#d7af5f",
        "text-error": "#ff8787",
        "foreground-muted": "#949494",
        "foreground-disabled": "#767676",
        "block-cursor-background": "#005f87",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#303030",
        "block-cursor-blurred-foreground": "#d0d0d0",
        "block-hover-background": "#262626",
        "border": "#5f87af",
        "border-blurred": "#444444",
        "scrollbar": "#4e4e4e",
        "scrollbar-hover": "#626262",
        "scrollbar-active": "#5f87af",
        "scrollbar-background": "#1c1c1c",
        "scrollbar-background-hover": "#1c1c1c",
        "scrollbar-background-active": "#1c1c1c",
        "scrollbar-corner-color": "#1c1c1c",
        "footer-background": "#1c1c1c",
        "footer-foreground": "#949494",
        "footer-key-foreground": "#87afd7",
        "footer-description-foreground": "#949494",
        "input-cursor-background": "#d0d0d0",
        "input-cursor-foreground": "#121212",
        "input-selection-background": "#005f87",
        "input-selection-foreground": "#ffffff",
        "screen-selection-background": "#005f87",
        "screen-selection-foreground": "#ffffff",
    },
)

LIGHT: Final = Theme(
    name="watchdeck-light",
    dark=False,
    primary="#005f87",
    secondary="#005f5f",
    accent="#005faf",
    success="#005f00",
    warning="#875f00",
    error="#af0000",
    foreground="#1c1c1c",
    background="#eeeeee",
    surface="#dadada",
    panel="#c6c6c6",
    boost="#dadada",
    variables={
        **_SHARED,
        "text": "#1c1c1c",
        "text-muted": "#585858",
        "text-disabled": "#767676",
        "text-primary": "#005f87",
        "text-secondary": "#005f5f",
        "text-accent": "#005faf",
        "text-success": "#005f00",
        "text-warning": "#5f5f00",
        "text-error": "#af0000",
        "foreground-muted": "#585858",
        "foreground-disabled": "#767676",
        "block-cursor-background": "#005f87",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#c6c6c6",
        "block-cursor-blurred-foreground": "#1c1c1c",
        "block-hover-background": "#dadada",
        "border": "#005f87",
        "border-blurred": "#a8a8a8",
        "scrollbar": "#9e9e9e",
        "scrollbar-hover": "#767676",
        "scrollbar-active": "#005f87",
        "scrollbar-background": "#dadada",
        "scrollbar-background-hover": "#dadada",
        "scrollbar-background-active": "#dadada",
        "scrollbar-corner-color": "#dadada",
        "footer-background": "#dadada",
        "footer-foreground": "#585858",
        "footer-key-foreground": "#005faf",
        "footer-description-foreground": "#585858",
        "input-cursor-background": "#1c1c1c",
        "input-cursor-foreground": "#eeeeee",
        "input-selection-background": "#005f87",
        "input-selection-foreground": "#ffffff",
        "screen-selection-background": "#005f87",
        "screen-selection-foreground": "#ffffff",
    },
)

_ANSI_VARIABLES: Final = {
    **_SHARED,
    "text": "ansi_white",
    "text-muted": "ansi_white",
    "text-disabled": "ansi_white",
    "text-primary": "ansi_cyan",
    "text-secondary": "ansi_cyan",
    "text-accent": "ansi_cyan",
    "text-success": "ansi_green",
    "text-warning": "ansi_yellow",
    "text-error": "ansi_red",
    "foreground-muted": "ansi_white",
    "foreground-disabled": "ansi_white",
    # Bold black is dark grey on consoles that brighten bold: white on blue is readable either way.
    "block-cursor-background": "ansi_blue",
    "block-cursor-foreground": "ansi_white",
    "block-cursor-blurred-background": "ansi_black",
    "block-cursor-blurred-foreground": "ansi_white",
    "block-hover-background": "ansi_black",
    "border": "ansi_cyan",
    "border-blurred": "ansi_white",
    "scrollbar": "ansi_white",
    "scrollbar-hover": "ansi_white",
    "scrollbar-active": "ansi_cyan",
    "scrollbar-background": "ansi_black",
    "scrollbar-background-hover": "ansi_black",
    "scrollbar-background-active": "ansi_black",
    "scrollbar-corner-color": "ansi_black",
    "footer-background": "ansi_black",
    "footer-foreground": "ansi_white",
    "footer-key-foreground": "ansi_cyan",
    "footer-description-foreground": "ansi_white",
    "footer-description-background": "ansi_black",
    "footer-item-background": "ansi_black",
    "footer-key-background": "ansi_black",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_cyan",
    "input-selection-foreground": "ansi_black",
    "screen-selection-background": "ansi_cyan",
    "screen-selection-foreground": "ansi_black",
    "link-background-hover": "ansi_black",
    "link-color": "ansi_cyan",
    "link-color-hover": "ansi_cyan",
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
}

SIXTEEN: Final = Theme(
    name="watchdeck-16",
    ansi=True,
    dark=True,
    primary="ansi_cyan",
    secondary="ansi_blue",
    accent="ansi_magenta",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_white",
    background="ansi_black",
    surface="ansi_black",
    panel="ansi_black",
    boost="ansi_black",
    variables=_ANSI_VARIABLES,
)

_MONO_VARIABLES: Final = {
    **{name: "ansi_default" for name, value in _ANSI_VARIABLES.items() if value.startswith("ansi_")},
    **_SHARED,
    "block-cursor-text-style": "reverse",
    "block-cursor-blurred-text-style": "underline",
    "input-cursor-text-style": "reverse",
    "button-focus-text-style": "reverse",
}

MONO: Final = Theme(
    name="watchdeck-mono",
    ansi=True,
    dark=True,
    primary="ansi_default",
    secondary="ansi_default",
    accent="ansi_default",
    success="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables=_MONO_VARIABLES,
)

THEMES: Final = (DARK, LIGHT, SIXTEEN, MONO)


def register_themes() -> None:
    """Make the themes known to Textual. Call before the App is made; calling again changes nothing."""
    for theme in THEMES:
        BUILTIN_THEMES[theme.name] = theme


def theme_name(colors: int, *, is_light: bool = False) -> str:
    """The theme for a number of colours."""
    if colors <= 2:
        return MONO.name
    if colors <= 16:
        return SIXTEEN.name
    return LIGHT.name if is_light else DARK.name
