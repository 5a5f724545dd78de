"""`watchdeck view ...`: cameras in the cells of a layout. Manual row VT-01."""

from __future__ import annotations

import click
import msgspec

from engine.client import EngineClient
from engine.wire_wall import OVERLAY, Arrangements, WallView
from tui.cli.cameras import confirm
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA
from tui.cli.wall_refs import LAYOUT, VIEW, find_layout, named
from tui.wall_layouts import LETTERS, equal_layout, rows_of_layout

NOTHING = "-"
"""An empty cell."""


@click.group()
def view() -> None:
    """Save, show, list and remove views of the live wall."""


@view.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the views with their cameras, cell by cell."""

    async def work(engine: EngineClient) -> Arrangements:
        return await engine.arrangements()

    found = session.call(work)
    if session.is_json:
        print_json({"views": found.views})
        return
    print_table(
        ["NAME", "LAYOUT", "CELLS", "TOURS", "CAMERAS"],
        [
            [
                each.name,
                each.layout.name,
                str(len(each.cameras)),
                ", ".join(t.name for t in found.tours if any(stop.view == each.name for stop in t.stops)),
                ", ".join(name or NOTHING for name in each.cameras),
            ]
            for each in found.views
        ],
        right=["CELLS"],
    )


@view.command()
@click.argument("name", type=VIEW)
@json_option
@pass_session
def show(session: Session, name: str) -> None:
    """Show one view: which camera is in which cell."""

    async def work(engine: EngineClient) -> WallView:
        return named((await engine.arrangements()).views, name, "view")

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    overlay = "as the console is set" if found.overlay is None else ", ".join(found.overlay) or "nothing"
    print_fields([("name", found.name), ("layout", found.layout.name), ("overlay", overlay)])
    print_line()
    for row in rows_of_layout(found.layout):
        print_line(" ".join(row))
    print_line()
    for letter, camera in zip(LETTERS, found.cameras, strict=False):
        print_line(f"{letter}  {camera or NOTHING}")


@view.command()
@click.argument("name", type=VIEW)
@click.argument("cameras", nargs=-1, type=CAMERA, metavar="[CAMERA]...")
@click.option(
    "--layout", "layout_name", type=LAYOUT, help="Layout (the smallest of n x n that holds the cameras)."
)
@click.option("--overlay", metavar="LIST|console", help=f"What stands on the pictures: {','.join(OVERLAY)}.")
@click.option(
    "--overlay-place", type=click.Choice(["above", "below", "console"]), help="Beside the pictures, where."
)
@click.option("--name", "new_name", metavar="NAME", help="New name.")
@json_option
@pass_session
def save(
    session: Session,
    name: str,
    cameras: tuple[str, ...],
    layout_name: str | None,
    overlay: str | None,
    overlay_place: str | None,
    new_name: str | None,
) -> None:
    """Save a view, or change what is given: cameras cell by cell, `-` for an empty cell."""
    if not (cameras or layout_name or overlay is not None or overlay_place or new_name):
        raise click.UsageError("nothing to save: give cameras, or an option")

    async def work(engine: EngineClient) -> WallView:
        known = [v for v in (await engine.arrangements()).views if v.name.casefold() == name.casefold()]
        names = tuple("" if camera == NOTHING else camera for camera in cameras)
        if layout_name is not None:
            shape = await find_layout(engine, layout_name)
        elif known:
            shape = known[0].layout
        else:
            shape = equal_layout(next((n for n in range(1, 8) if n * n >= len(names)), 8))
        names = names or (known[0].cameras if known else ())
        if len(names) > len(shape.cells):
            raise click.UsageError(
                f"{len(names)} cameras for {len(shape.cells)} cells of layout {shape.name}"
            )
        names += ("",) * (len(shape.cells) - len(names))
        wanted = WallView(name=new_name or (known[0].name if known else name), layout=shape, cameras=names)
        if known:
            wanted = msgspec.structs.replace(
                wanted, overlay=known[0].overlay, is_overlay_on_top=known[0].is_overlay_on_top
            )
        if overlay is not None:
            wanted = msgspec.structs.replace(wanted, overlay=_overlay(overlay))
        if overlay_place is not None:
            is_on_top = None if overlay_place == "console" else overlay_place == "above"
            wanted = msgspec.structs.replace(wanted, is_overlay_on_top=is_on_top)
        found = await engine.put_view(wanted, old_name=name if known else "")
        return named(found.views, wanted.name, "view")

    saved = session.call(work)
    if session.is_json:
        print_json(saved)
    else:
        print_line(
            f"view {saved.name} saved: {saved.layout.name}, {', '.join(c or NOTHING for c in saved.cameras)}"
        )


def _overlay(text: str) -> tuple[str, ...] | None:
    return None if text == "console" else tuple(word.strip() for word in text.split(",") if word.strip())


@view.command()
@click.argument("name", type=VIEW)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a view that no tour and no start-up row shows."""
    confirm(session, f"Remove view {name}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_view(name)

    session.call(work)
    if session.is_json:
        print_json({"removed": name})
    else:
        print_line(f"view {name} removed")
