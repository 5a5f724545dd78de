from __future__ import annotations

import pytest

from engine.api.wall_checks import check_layout
from engine.wire_wall import Layout
from tui.wall_layouts import STANDARD, LayoutType, layout_of_rows, rows_of_layout, standard_layout

EVERY = [each for several in STANDARD.values() for each in several]


def test_the_manuals_layouts_are_all_there() -> None:
    names = {kind: [each.name for each in several] for kind, several in STANDARD.items()}
    assert names == {
        LayoutType.EQUAL: [f"{n}x{n}" for n in range(1, 9)],
        LayoutType.PANORAMA: ["1P+6", "2P", "2P+3", "3P"],
        LayoutType.FOCUS: ["1+3", "1+5", "1+7", "1+9", "1+12", "1+16", "2+8"],
        LayoutType.VERTICAL: ["1V+6", "2V+2", "2V+3", "3V", "3V+4", "4V", "4V+4", "5V"],
    }


@pytest.mark.parametrize("layout", EVERY, ids=lambda layout: layout.name)
def test_each_is_whole_and_has_as_many_cells_as_its_name_says(layout: Layout) -> None:
    check_layout(layout)
    covered = sum(cell.columns * cell.rows for cell in layout.cells)
    assert covered == layout.columns * layout.rows, "no field is left over"
    name = layout.name.replace("V", "").replace("P", "")
    if "x" in name:
        side = int(name.split("x")[0])
        assert len(layout.cells) == side * side
    else:
        assert len(layout.cells) == sum(int(part) for part in name.split("+"))
    assert layout_of_rows(layout.name, rows_of_layout(layout)) == layout
    assert standard_layout(layout.name.lower()) is layout


@pytest.mark.parametrize("layout", STANDARD[LayoutType.FOCUS], ids=lambda layout: layout.name)
def test_focus_cells_are_as_wide_as_they_are_high(layout: Layout) -> None:
    assert all(cell.columns == cell.rows for cell in layout.cells)
    assert layout.columns == layout.rows or layout.name in ("1+3", "2+8")
