"""Regions of a picture as they are typed: corners in percent, `10,10 90,10 50,90`."""

from __future__ import annotations

import click

from widgets.polygon_area import SHARE, area

CORNERS_MAX = 64
LEAST_AREA = 20_000
"""Twice, in squared 1/10,000 of the picture."""

Polygon = tuple[tuple[int, int], ...]


class PolygonType(click.ParamType[Polygon]):
    """At least three corners, from the upper left corner of the picture."""

    name = "polygon"

    def convert(
        self, value: str | Polygon, param: click.Parameter | None, ctx: click.Context | None
    ) -> Polygon:
        if not isinstance(value, str):
            return value
        corners = []
        for text in value.split():
            try:
                x, y = (float(number) for number in text.split(","))
            except ValueError:
                self.fail(f"{text!r} is no corner; for example '10,10 90,10 90,90'", param, ctx)
            if not (0 <= x <= 100 and 0 <= y <= 100):
                self.fail(f"{text!r} lies outside of the picture: 0 to 100 percent", param, ctx)
            corners.append((round(x * SHARE / 100), round(y * SHARE / 100)))
        if not 3 <= len(corners) <= CORNERS_MAX:
            self.fail(f"a region has 3 to {CORNERS_MAX} corners, not {len(corners)}", param, ctx)
        if area(corners) < LEAST_AREA:
            self.fail("these corners enclose nothing", param, ctx)
        return tuple(corners)


POLYGON = PolygonType()
