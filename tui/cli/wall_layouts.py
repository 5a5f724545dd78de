"""`watchdeck layout ...`: how cells divide the live wall. Manual rows LV-03 to LV-07, CL."""

from __future__ import annotations

import click
import msgspec

from engine.client import EngineClient
from engine.wire_wall import Arrangements, Layout
from tui.cli.cameras import confirm
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.wall_refs import LAYOUT, find_layout, named
from tui.wall_layouts import STANDARD, layout_of_rows, rows_of_layout, shape_of


@click.group()
def layout() -> None:
    """Save, show, list and remove layouts of the live wall."""


@layout.command("list")
@click.option("--standard", is_flag=True, help="Those that are always there, too.")
@json_option
@pass_session
def list_(session: Session, standard: bool) -> None:
    """List the saved layouts."""

    async def work(engine: EngineClient) -> Arrangements:
        return await engine.arrangements()

    found = session.call(work)
    always = [(str(kind), each) for kind, several in STANDARD.items() for each in several if standard]
    if session.is_json:
        print_json({"layouts": [*found.layouts, *(each for _, each in always)]})
        return
    print_table(
        ["NAME", "TYPE", "CELLS", "ROWS OF LETTERS"],
        [
            [each.name, kind, str(len(each.cells)), " ".join(rows_of_layout(each))]
            for kind, each in [*(("own", each) for each in found.layouts), *always]
        ],
        right=["CELLS"],
    )


@layout.command()
@click.argument("name", type=LAYOUT)
@json_option
@pass_session
def show(session: Session, name: str) -> None:
    """Show one layout, each cell by a letter."""

    async def work(engine: EngineClient) -> Layout:
        return await find_layout(engine, name)

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_fields([("name", found.name), ("shape", shape_of(found))])
    print_line()
    for row in rows_of_layout(found):
        print_line(" ".join(row))


@layout.command()
@click.argument("name", type=LAYOUT)
@click.argument("rows", nargs=-1, metavar="[ROWS]...")
@click.option("--name", "new_name", metavar="NAME", help="New name.")
@json_option
@pass_session
def save(session: Session, name: str, rows: tuple[str, ...], new_name: str | None) -> None:
    """Save a layout, each row as letters: one letter for each cell, `.` for a field that stays empty."""
    if not rows and new_name is None:
        raise click.UsageError("nothing to save: give rows of letters, or --name")
    drawn: Layout | None = None
    if rows:
        try:
            drawn = layout_of_rows(new_name or name, rows)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    async def work(engine: EngineClient) -> Layout:
        wanted = drawn
        if wanted is None:
            known = named((await engine.arrangements()).layouts, name, "layout")
            wanted = msgspec.structs.replace(known, name=new_name)
        await engine.put_layout(wanted, old_name=name if new_name is not None else "")
        return wanted

    saved = session.call(work)
    if session.is_json:
        print_json(saved)
    else:
        print_line(f"layout {saved.name} saved: {shape_of(saved)}")


@layout.command()
@click.argument("name", type=LAYOUT)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a saved layout; views made with it stay as they are."""
    confirm(session, f"Remove layout {name}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_layout(name)

    session.call(work)
    if session.is_json:
        print_json({"removed": name})
    else:
        print_line(f"layout {name} removed")
