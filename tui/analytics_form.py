"""What is done with a camera's events and pictures besides recording, as a form: `camera analytics set` without a command line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from engine.wire_sources import AnalyticsView, CameraAnalytics
from tui.motion_cells import CELLS_MAX, left_out_areas, looked_at, mask_of
from tui.motion_form import number_check
from widgets import format
from widgets.areas import Area
from widgets.dialog import Field

ALL, ALL_BUT, ALONE = "all of it", "all but the areas", "the areas alone"
PARTS = (ALL, ALL_BUT, ALONE)
"""Of the picture: what is looked at."""
SWITCHES = ("onvif", "onvif_verify_tls", "motion", "motion_index")


def analytics_fields(settings: CameraAnalytics) -> list[Field]:
    """As it is set now."""

    def switch(key: str, label: str) -> Field:
        return Field(key, label, "yes" if getattr(settings, key) else "no", kind="switch")

    return [
        switch("onvif", "ONVIF events"),
        Field("onvif_url", "ONVIF address", settings.onvif_url, hint="empty = the usual one"),
        switch("onvif_verify_tls", "Check certificate"),
        switch("motion", "Motion events"),
        switch("motion_index", "For searches"),
        Field("sensitivity", "Sensitivity", str(settings.sensitivity), check=number_check(1, 100)),
        Field("min_cells", "Least cells", str(settings.min_cells), check=number_check(1, CELLS_MAX)),
        Field(
            "part",
            "Looked at",
            ALL_BUT if settings.mask else ALL,
            kind="choice",
            choices=PARTS,
        ),
    ]


def areas_of(settings: CameraAnalytics) -> tuple[Area, ...]:
    """Those that are left out now."""
    return left_out_areas(settings.mask)


def mask_complaint(part: str, areas: Sequence[Area]) -> str:
    """What is wrong with what was drawn; empty = nothing."""
    if part == ALL:
        return ""
    if not areas:
        return "no area is drawn: f4 draws them on the picture"
    cells = looked_at(mask_of(areas, is_left_out=part == ALL_BUT))
    if not cells:
        return "nothing of the picture would be looked at"
    if cells == CELLS_MAX and part == ALL_BUT:
        return f"the areas are smaller than one of the {CELLS_MAX} cells: draw larger ones"
    return ""


def settings_of(values: Mapping[str, str], areas: Sequence[Area], before: CameraAnalytics) -> CameraAnalytics:
    """Of values that are right; what the form does not show stays."""
    part = values["part"]
    return msgspec.structs.replace(
        before,
        **{key: values[key] == "yes" for key in SWITCHES},
        onvif_url=values["onvif_url"].strip(),
        sensitivity=int(values["sensitivity"]),
        min_cells=int(values["min_cells"]),
        mask=() if part == ALL else mask_of(areas, is_left_out=part == ALL_BUT),
    )


def state_words(view: AnalyticsView, now_us: int) -> str:
    """How it goes: `ONVIF listening, motion watching (last 3 min ago), for searches keeping, a look every 2 s`."""
    trouble = f" ({view.onvif_trouble})" if view.onvif_trouble else ""
    last = f" (last {format.age(view.last_motion_us, now_us)})" if view.last_motion_us is not None else ""
    every = f", a look every {view.look_every_s:g} s" if view.look_every_s else ""
    return (
        f"Now: ONVIF {view.onvif_state}{trouble}, motion {view.motion_state}{last}, "
        f"for searches {view.index_state}{every}."
    )


def drawn_words(part: str, areas: Sequence[Area]) -> str:
    """`3 areas, 540 of 576 cells looked at`."""
    mask = () if part == ALL else mask_of(areas, is_left_out=part == ALL_BUT)
    return f"{format.plural(len(areas), 'area')}, {looked_at(mask)} of {CELLS_MAX} cells looked at"
