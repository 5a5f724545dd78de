"""`watchdeck bookmark ...`: moments kept from recycling. Manual rows BM."""

from __future__ import annotations

import sys

import click

from engine.client import EngineClient, InvalidInput
from engine.wire_bookmarks import BookmarkAdd, BookmarkEdit, BookmarkQuery, BookmarkView
from tui.cli.lengths import SecondsType
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import CAMERA, WHEN, LimitType, When, now_us
from widgets.format import clock_length, local_time, local_time_with_zone

PAGE = 1_000
SECOND_US = 1_000_000
LENGTH = SecondsType(1, 86_400)
DAYS = LimitType(click.IntRange(1, 36_500), none="ever", stands_for=0)


@click.group()
def bookmark() -> None:
    """Moments kept from recycling: make them, find them, change them."""


@bookmark.command("list")
@click.option("--camera", metavar="TEXT", default="", help="Part of the camera's name.")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="Recorded from here.")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Recorded up to here.")
@click.option("--made-from", type=WHEN, metavar="TIME", help="Bookmarked from here.")
@click.option("--made-to", type=WHEN, metavar="TIME", help="Bookmarked up to here.")
@click.option("--text", metavar="WORDS", default="", help="All of which must be in name, note or author.")
@click.option("--limit", "-n", type=click.IntRange(1), metavar="N", help="At most so many (default: all).")
@json_option
@pass_session
def list_(
    session: Session,
    camera: str,
    start: When | None,
    end: When | None,
    made_from: When | None,
    made_to: When | None,
    text: str,
    limit: int | None,
) -> None:
    """List bookmarks, those of the newest footage first."""

    async def work(engine: EngineClient) -> list[BookmarkView]:
        now = await now_us(engine)

        def meant(when: When | None) -> int | None:
            return None if when is None else when.time_us(now, session.zone)

        found: list[BookmarkView] = []
        before = ""
        while limit is None or len(found) < limit:
            page = await engine.bookmarks(
                BookmarkQuery(
                    camera=camera,
                    text=text,
                    start_us=meant(start),
                    end_us=meant(end),
                    made_start_us=meant(made_from),
                    made_end_us=meant(made_to),
                    before=before,
                    limit=PAGE if limit is None else min(PAGE, limit - len(found)),
                )
            )
            found.extend(page.bookmarks)
            if not (before := page.resume):
                break
        return found

    found = session.call(work)
    if session.is_json:
        print_json({"bookmarks": found})
        return
    print_table(
        ["ID", "STATUS", "CAMERA", "START", "LENGTH", "NAME", "KEPT UNTIL", "BY"],
        [
            [
                str(each.id),
                _status(each),
                each.camera,
                local_time(each.start_us, session.zone),
                clock_length(each.end_us - each.start_us),
                each.name,
                _kept(session, each),
                each.created_by,
            ]
            for each in found
        ],
        right=["ID", "LENGTH"],
    )


def _status(bookmark: BookmarkView) -> str:
    if not bookmark.is_valid:
        return "invalid"
    return "valid" if bookmark.is_protected else "not kept"


def _kept(session: Session, bookmark: BookmarkView) -> str:
    if not bookmark.is_protected:
        return "over"
    return "for ever" if bookmark.expires_us is None else local_time(bookmark.expires_us, session.zone)


def _print(session: Session, bookmark: BookmarkView) -> None:
    if session.is_json:
        print_json(bookmark)
        return
    print_fields(
        [
            ("bookmark", str(bookmark.id)),
            ("status", _status(bookmark)),
            ("camera", bookmark.camera),
            ("start", local_time_with_zone(bookmark.start_us, session.zone)),
            ("end", local_time_with_zone(bookmark.end_us, session.zone)),
            ("name", bookmark.name),
            ("note", bookmark.note),
            ("kept until", _kept(session, bookmark)),
            ("made", local_time_with_zone(bookmark.created_us or None, session.zone)),
            ("by", bookmark.created_by),
        ]
    )


@bookmark.command()
@click.argument("bookmark_id", type=int, metavar="ID")
@json_option
@pass_session
def show(session: Session, bookmark_id: int) -> None:
    """Show everything about one."""
    _print(session, session.call(lambda engine: engine.bookmark(bookmark_id)))


@bookmark.command()
@click.argument("camera", type=CAMERA)
@click.option(
    "--from", "start", type=WHEN, metavar="TIME", help="From here (default: so long before now as it lasts)."
)
@click.option("--length", type=LENGTH, default=10, metavar="LENGTH", help="How long (default: 10s).")
@click.option("--name", default="", metavar="TEXT", help="What it is called.")
@click.option("--note", default="", metavar="TEXT", help="More about it.")
@click.option(
    "--keep-days",
    type=click.IntRange(1, 36_500),
    metavar="N",
    help="For so long (default: as preservation says).",
)
@json_option
@pass_session
def add(
    session: Session,
    camera: str,
    start: When | None,
    length: int,
    name: str,
    note: str,
    keep_days: int | None,
) -> None:
    """Keep a moment of a camera from recycling."""

    async def work(engine: EngineClient) -> BookmarkView:
        now = await now_us(engine)
        start_us = now - length * SECOND_US if start is None else start.time_us(now, session.zone)
        return await engine.add_bookmark(
            BookmarkAdd(
                camera=camera,
                start_us=start_us,
                end_us=start_us + length * SECOND_US,
                name=name,
                note=note,
                keep_days=keep_days,
            )
        )

    _print(session, session.call(work))


@bookmark.command()
@click.argument("bookmark_id", type=int, metavar="ID")
@click.option("--name", metavar="TEXT", help="What it is called.")
@click.option("--note", metavar="TEXT", help="More about it.")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="From here; its length stays unless given.")
@click.option("--length", type=LENGTH, metavar="LENGTH", help="How long.")
@click.option("--keep-days", type=DAYS, metavar="N|ever", help="For so many days from now, or for ever.")
@json_option
@pass_session
def edit(
    session: Session,
    bookmark_id: int,
    name: str | None,
    note: str | None,
    start: When | None,
    length: int | None,
    keep_days: int | None,
) -> None:
    """Change one: what is given, and nothing else."""
    if (name, note, start, length, keep_days) == (None,) * 5:
        raise InvalidInput(
            "nothing to change was given", "`watchdeck bookmark edit --help` shows what can be"
        )

    async def work(engine: EngineClient) -> BookmarkView:
        start_us = end_us = None
        if start is not None or length is not None:
            before = await engine.bookmark(bookmark_id)
            start_us = before.start_us
            if start is not None:
                start_us = start.time_us(await now_us(engine), session.zone)
            length_us = before.end_us - before.start_us if length is None else length * SECOND_US
            end_us = start_us + length_us
        edit = BookmarkEdit(name=name, note=note, start_us=start_us, end_us=end_us, keep_days=keep_days)
        return await engine.edit_bookmark(bookmark_id, edit)

    _print(session, session.call(work))


@bookmark.command()
@click.argument("bookmark_ids", type=int, nargs=-1, required=True, metavar="ID...")
@json_option
@pass_session
def remove(session: Session, bookmark_ids: tuple[int, ...]) -> None:
    """Delete bookmarks; what they kept may be recycled then."""
    if sys.stdin.isatty() and not session.is_json:
        click.confirm("Delete? What they kept may be recycled then", abort=True, err=True)

    async def work(engine: EngineClient) -> None:
        for bookmark_id in bookmark_ids:  # a slip of the pen among them deletes nothing
            await engine.bookmark(bookmark_id)
        for bookmark_id in dict.fromkeys(bookmark_ids):
            await engine.remove_bookmark(bookmark_id)

    session.call(work)
    if session.is_json:
        print_json({"removed": bookmark_ids})
    else:
        print_line(f"deleted: {', '.join(map(str, bookmark_ids))}")
