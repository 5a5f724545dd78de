from __future__ import annotations

from widgets.overlay import ELEMENTS, Overlay, OverlayWord, overlay_lines, rows_needed

WORDS = {
    "name": OverlayWord("driveway"),
    "state": OverlayWord("recording", "bold"),
    "codec": OverlayWord("H.264"),
    "resolution": OverlayWord("1920x1080"),
    "fps": OverlayWord("25.00 fps"),
    "throughput": OverlayWord("3.91 Mbit/s"),
    "time": OverlayWord("14:03:20"),
}


def text(elements: tuple[str, ...], width: int, rows: int) -> list[str]:
    return ["  ".join(word.text for word in line) for line in overlay_lines(WORDS, elements, width, rows)]


def test_all_stand_in_one_line_where_it_is_wide_enough() -> None:
    assert text(ELEMENTS, 80, 2) == [
        "driveway  recording  H.264  1920x1080  25.00 fps  3.91 Mbit/s  14:03:20"
    ]


def test_more_lines_are_used_before_anything_is_left_out() -> None:
    assert text(ELEMENTS, 40, 2) == [
        "driveway  recording  H.264  1920x1080",
        "25.00 fps  3.91 Mbit/s  14:03:20",
    ]
    assert rows_needed(WORDS, ELEMENTS, 40) == 2


def test_the_name_stays_longest_and_is_cut_last() -> None:
    assert text(ELEMENTS, 40, 1) == ["driveway  recording  25.00 fps  14:03:20"]
    assert text(ELEMENTS, 20, 1) == ["driveway  14:03:20"]
    assert text(ELEMENTS, 6, 1) == ["drive…"]
    assert text(ELEMENTS, 6, 0) == []


def test_what_is_chosen_stands_in_the_same_order_however_it_was_named() -> None:
    assert Overlay(("time", "fps", "name")).shown == ("name", "fps", "time")
    assert Overlay(is_on=False).shown == ("name",)
    assert text(Overlay(("fps",)).shown, 40, 1) == ["25.00 fps"]
