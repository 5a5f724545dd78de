"""Looks a widget's styles up once for each pass of painting, not once for each line.

Textual works `rich_style` out anew whenever it is read: a walk over all ancestors and their rules, which for widgets of
the line API costs more than the lines themselves. While one pass of `render_lines` runs nothing can change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.widget import Widget
else:
    # A style sheet follows the first base that is a widget: as one, this would hide the rules of the real base.
    Widget = object


class PaintPass(Widget):
    """Mix-in for line-API widgets: put it before the widget class."""

    _pass_styles: dict[str, Style] | None = None
    """Found in the running pass, by component class (the widget's own under ""); None = no pass runs."""

    @property
    def rich_style(self) -> Style:
        """Style of the widget on its background."""
        styles = self._pass_styles
        if styles is None:
            return super().rich_style
        if (style := styles.get("")) is None:
            style = styles[""] = super().rich_style
        return style

    def part_style(self, component: str) -> Style:
        """Partial style of a component class."""
        styles = self._pass_styles
        if styles is None:
            return self.get_component_rich_style(component, partial=True)
        if (style := styles.get(component)) is None:
            style = styles[component] = self.get_component_rich_style(component, partial=True)
        return style

    def render_lines(self, crop: Region) -> list[Strip]:
        """One pass."""
        self._pass_styles = {}
        try:
            return super().render_lines(crop)
        finally:
            self._pass_styles = None
