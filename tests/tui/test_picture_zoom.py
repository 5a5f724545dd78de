from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.picture_zoom import RATIOS, Zoom


def test_zoom_goes_from_one_to_sixteen_about_the_centre_and_back() -> None:
    zoom, seen = Zoom(), []
    for _ in range(12):
        seen.append(zoom.ratio)
        zoom = zoom.nearer()
    assert tuple(seen[: len(RATIOS)]) == RATIOS
    assert zoom.ratio == 16
    assert zoom.region == (4688, 4688, 625, 625)
    for _ in range(12):
        zoom = zoom.farther()
    assert (zoom, zoom.region, zoom.words) == (Zoom(), None, "1.0x")


def test_panning_stops_at_the_edge_and_zooming_out_comes_back_inside() -> None:
    zoom = Zoom().nearer().nearer()
    for _ in range(9):
        zoom = zoom.panned(1, -1)
    assert zoom.region == (5000, 0, 5000, 5000)
    assert zoom.farther().region == (3333, 0, 6667, 6667)


@given(st.lists(st.sampled_from("+-lrud"), max_size=60))
def test_what_is_seen_is_always_part_of_the_picture(keys: str) -> None:
    zoom = Zoom()
    moves = {"l": (-1, 0), "r": (1, 0), "u": (0, -1), "d": (0, 1)}
    for key in keys:
        zoom = zoom.nearer() if key == "+" else zoom.farther() if key == "-" else zoom.panned(*moves[key])
        if zoom.region is not None:
            left, top, width, height = zoom.region
            assert width == height == round(10_000 / zoom.ratio)
            assert 0 <= left <= 10_000 - width
            assert 0 <= top <= 10_000 - height
        else:
            assert zoom.ratio == 1
