"""`watchdeck tour ...` and `watchdeck start-up ...`: views in turn, and what consoles show first. Manual rows VT-02 to VT-09."""

from __future__ import annotations

import click
import msgspec

from engine.client import EngineClient
from engine.wire_wall import TOUR_SECONDS, Arrangements, StartUp, StartUpRow, Tour, TourStop
from tui.cli.cameras import confirm
from tui.cli.output import print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.wall_refs import TOUR, named


@click.group()
def tour() -> None:
    """Save, show, list and remove tours of views."""


@tour.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List the tours with their views."""

    async def work(engine: EngineClient) -> Arrangements:
        return await engine.arrangements()

    found = session.call(work)
    if session.is_json:
        print_json({"tours": found.tours})
        return
    print_table(
        ["NAME", "SECONDS", "VIEWS"],
        [[each.name, str(sum(stop.seconds for stop in each.stops)), _stops(each)] for each in found.tours],
        right=["SECONDS"],
    )


def _stops(found: Tour) -> str:
    return ", ".join(f"{stop.view} {stop.seconds} s" for stop in found.stops)


@tour.command()
@click.argument("name", type=TOUR)
@json_option
@pass_session
def show(session: Session, name: str) -> None:
    """Show one tour: its views in their order, and how long each stays."""

    async def work(engine: EngineClient) -> Tour:
        return named((await engine.arrangements()).tours, name, "tour")

    found = session.call(work)
    if session.is_json:
        print_json(found)
        return
    print_table(
        ["NO", "VIEW", "SECONDS"],
        [[str(n), stop.view, str(stop.seconds)] for n, stop in enumerate(found.stops, 1)],
        right=["NO", "SECONDS"],
    )


@tour.command()
@click.argument("name", type=TOUR)
@click.argument("views", nargs=-1, metavar="[VIEW[=SECONDS]]...")
@click.option(
    "--seconds", type=click.IntRange(1, 86_400), help=f"For each view without its own ({TOUR_SECONDS})."
)
@click.option("--name", "new_name", metavar="NAME", help="New name.")
@json_option
@pass_session
def save(
    session: Session, name: str, views: tuple[str, ...], seconds: int | None, new_name: str | None
) -> None:
    """Save a tour, or change what is given: its views in their order."""
    if not (views or seconds or new_name):
        raise click.UsageError("nothing to save: name views")

    async def work(engine: EngineClient) -> Tour:
        known = [t for t in (await engine.arrangements()).tours if t.name.casefold() == name.casefold()]
        if views:
            stops = tuple(_stop(text, seconds or TOUR_SECONDS) for text in views)
        elif known:
            stops = tuple(
                msgspec.structs.replace(stop, seconds=seconds or stop.seconds) for stop in known[0].stops
            )
        else:
            raise click.UsageError("a new tour needs views")
        wanted = Tour(name=new_name or (known[0].name if known else name), stops=stops)
        found = await engine.put_tour(wanted, old_name=name if known else "")
        return named(found.tours, wanted.name, "tour")

    saved = session.call(work)
    if session.is_json:
        print_json(saved)
    else:
        print_line(f"tour {saved.name} saved: {_stops(saved)}")


def _stop(text: str, seconds: int) -> TourStop:
    view, sign, own = text.rpartition("=")
    if not sign:
        return TourStop(view=text, seconds=seconds)
    if not own.isdecimal() or not 1 <= int(own) <= 86_400:
        raise click.UsageError(f"{text!r}: seconds are 1 to 86400")
    return TourStop(view=view, seconds=int(own))


@tour.command()
@click.argument("name", type=TOUR)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a tour that no start-up row shows; its views stay."""
    confirm(session, f"Remove tour {name}?", yes)

    async def work(engine: EngineClient) -> None:
        await engine.remove_tour(name)

    session.call(work)
    if session.is_json:
        print_json({"removed": name})
    else:
        print_line(f"tour {name} removed")


@click.group("start-up")
def start_up() -> None:
    """What consoles show first, by terminal."""


@start_up.command("list")
@json_option
@pass_session
def list_start_up(session: Session) -> None:
    """List the terminals and what each shows first."""

    async def work(engine: EngineClient) -> Arrangements:
        return await engine.arrangements()

    rows = session.call(work).start_up
    if session.is_json:
        print_json({"rows": rows})
    else:
        print_table(["TERMINAL", "SHOWS"], [[row.terminal, row.shows] for row in rows])


@start_up.command("set")
@click.argument("terminal")
@click.argument("shows", nargs=-1, required=True, metavar="SHOWS...")
@json_option
@pass_session
def set_(session: Session, terminal: str, shows: tuple[str, ...]) -> None:
    """Choose what a terminal shows first: `start-up set tty1 tour Night`."""
    row = StartUpRow(terminal=terminal, shows=" ".join(shows))

    async def work(engine: EngineClient) -> Arrangements:
        rows = (await engine.arrangements()).start_up
        kept = tuple(each for each in rows if each.terminal != terminal.removeprefix("/dev/"))
        return await engine.put_start_up(StartUp(rows=(*kept, row)))

    rows = session.call(work).start_up
    if session.is_json:
        print_json({"rows": rows})
    else:
        print_line(f"consoles on {rows[-1].terminal} begin with {rows[-1].shows}")


@start_up.command("remove")
@click.argument("terminal")
@json_option
@pass_session
def remove_start_up(session: Session, terminal: str) -> None:
    """Take a terminal's choice away: it shows what `*` shows, else the dashboard."""

    async def work(engine: EngineClient) -> None:
        rows = (await engine.arrangements()).start_up
        kept = tuple(each for each in rows if each.terminal != terminal.removeprefix("/dev/"))
        if len(kept) == len(rows):
            raise click.UsageError(f"there is no start-up row for {terminal}")
        await engine.put_start_up(StartUp(rows=kept))

    session.call(work)
    if session.is_json:
        print_json({"removed": terminal})
    else:
        print_line(f"start-up row for {terminal} removed")
