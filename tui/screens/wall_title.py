"""The first line of the wall: what is shown, and in which mode the keys are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.screens.text_pane import hints
from tui.wall_words import is_down

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

MODE = "bold reverse"


def wall_title(wall: LiveWall) -> Content:
    """One line; the mode stands where it cannot be cut off."""
    if wall.tour.is_running:
        return Content.assemble((" TOUR ", MODE), f" {wall.tour.words}  ", ("any key stops", "dim"))
    if wall.mark is not None:
        verb, number = wall.mark
        camera = wall.camera_of(wall.now.cameras[number])
        name = camera.name if camera is not None else "this cell"
        key = "m" if verb == "move" else "x"
        how = "puts it there" if verb == "move" else "swaps them"
        words = f"{name}: arrows  {key} {how}  esc leaves it"
        return Content.assemble((f" {verb.upper()} ", MODE), f" {hints(words, wall.size.width - 8)}")
    if wall.history.is_editing:
        keys = "shift+arrows, HJKL grow  ctrl+arrows, - shrink  enter keep  esc leave"
        return Content.assemble((" EDIT ", MODE), f"  {hints(keys, wall.size.width - 9)}")
    if wall.is_full:
        return _full(wall)
    return _wall(wall)


def _full(wall: LiveWall) -> Content:
    camera = wall.in_hand
    name = camera.name if camera is not None else "empty cell"
    zoom = wall.camera.zoom_of(wall.now.camera)
    parts: list[tuple[str, str]] = [(" FULL ", MODE), (f" {name}", "bold")]
    if zoom.is_zoomed:
        parts += [(f"  {zoom.words} ", ""), (" PAN ", MODE)]
        words = "arrows move  0 whole picture  esc back"
    else:
        words = "+/- zoom  arrows other cameras  esc back"
    title = Content.assemble(*parts)
    gap = " " if zoom.is_zoomed else "  "
    return title + Content.styled(gap + hints(words, wall.size.width - title.cell_length - len(gap)), "dim")


def _wall(wall: LiveWall) -> Content:
    now = wall.now
    parts: list[tuple[str, str]] = [(" Live", "bold")]
    if wall.view_name:
        parts.append((f"  {wall.view_name}", ""))
    parts.append((f"  {now.layout.name}", ""))
    cameras, count = wall.desk.mirror.cameras, len(now.layout.cells)
    if wall.is_automatic and len(cameras) > count:
        first = wall.page * count
        last = min(first + count, len(cameras))
        number = f"  cameras {first + 1}-{last} of {len(cameras)}"
        keys = " (pageup, pagedown)"
        has_room = sum(cell_len(text) for text, _ in parts) + len(number + keys) < wall.size.width
        parts.append((number + keys if has_room else number, ""))
    shown = [camera for camera in cameras if camera.uuid in now.cameras]
    if down := sum(is_down(camera) for camera in shown):
        words = f"  {down} without picture"
        has_room = sum(cell_len(text) for text, _ in parts) + len(words) < wall.size.width
        parts.append((words if has_room else f"  {down} down", "bold $text-warning"))
    if not any(now.cameras):
        words = "no camera yet (:camera add)" if not cameras else "empty: a picks a camera"
        parts.append((f"  {words}", "dim"))
    if not wall.desk.mirror.is_live:
        parts.append(("  not live", "bold $text-warning"))
    return Content.assemble(*parts)
