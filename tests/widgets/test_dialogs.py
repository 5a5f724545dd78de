"""Dialogs by keyboard: the dangerous answer is never the easy one."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widgets import Label

from tests.widgets.gallery import Gallery, drawn
from widgets.dialog import ConfirmDialog, Field, FormDialog, ProgressDialog, TypedDialog
from widgets.glyphs import ASCII
from widgets.pick_dialog import Option, PickDialog
from widgets.shelf_dialog import ShelfDialog, ShelfEntry, ShelfVerb

FIELDS = (
    Field("name", "Name", is_required=True),
    Field(
        "url", "Address", hint="rtsp://", check=lambda value: "" if "://" in value else "an address has ://"
    ),
    Field("password", "Password", kind="password"),
    Field("transport", "Transport", kind="choice", choices=("auto", "tcp", "udp")),
    Field("audio", "Record audio", kind="switch", value="yes"),
)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], False),  # at once
        (["escape"], False),
        (["n"], False),
        (["y"], True),
        (["tab", "enter"], True),
        (["right", "enter"], True),
        (["right", "left", "enter"], False),
    ],
)
async def test_confirming_takes_more_than_enter(keys: list[str], answer: bool) -> None:
    answers: list[bool | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ConfirmDialog("Remove camera yard?", "Its recordings stay."), answers.append)
        await pilot.pause()
        assert "y delete   n/esc cancel" in drawn(app)
        await pilot.press(*keys)
        assert answers == [answer]


async def test_what_cannot_be_undone_wants_its_name_typed() -> None:
    answers: list[bool | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(
            TypedDialog("Erase disk1", "All recordings on it are lost.", word="disk1"), answers.append
        )
        await pilot.pause()
        await pilot.press("enter")
        assert answers == []
        await pilot.press(*"Disk1", "enter")
        assert answers == []
        assert 'That is not "disk1". Nothing was done.' in drawn(app)
        await pilot.press("ctrl+u", *"disk1", "enter")
        assert answers == [True]


async def test_a_form_says_what_is_wrong_and_goes_there() -> None:
    answers: list[dict[str, str] | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FormDialog("Add camera", FIELDS), answers.append)
        await pilot.pause()
        await pilot.press("f10")
        assert "Name is needed" in drawn(app)
        await pilot.press(*"yard", "enter", *"camera", "f10")
        assert "an address has ://" in drawn(app)
        assert app.focused is not None
        assert app.focused.id == "field-url"
        await pilot.press(*"://x", "down", *"secret", "down", "right", "down", "n", "f10")
        await pilot.pause()
        assert answers == [
            {"name": "yard", "url": "camera://x", "password": "secret", "transport": "tcp", "audio": "no"}
        ]


async def test_the_label_of_the_focused_field_stands_out() -> None:
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FormDialog("Add camera", FIELDS))
        await pilot.pause()
        for name in ("Name *", "Address", "Password"):
            labels = app.screen.query(".form--row Label").results(Label)
            assert [str(label.content) for label in labels if label.styles.text_style.bold] == [name]
            await pilot.press("tab")


async def test_a_password_is_never_drawn() -> None:
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FormDialog("Edit", FIELDS))
        await pilot.pause()
        await pilot.press("tab", "tab", *"secret")
        assert "secret" not in drawn(app)


async def test_escape_leaves_a_form_without_values() -> None:
    answers: list[dict[str, str] | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FormDialog("Add", FIELDS), answers.append)
        await pilot.pause()
        await pilot.press(*"yard", "escape")
        assert answers == [None]


async def test_a_form_may_stay_open_until_the_engine_agreed() -> None:
    heard: list[dict[str, str]] = []

    class Asking(Gallery):
        def on_form_dialog_submitted(self, event: FormDialog.Submitted) -> None:
            heard.append(event.values)
            event.control.show_error("name", "there is a camera of that name")

    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(FormDialog("Add", FIELDS[:1], is_closing=False))
        await pilot.pause()
        await pilot.press(*"yard", "enter")
        await pilot.pause()
        assert heard == [{"name": "yard"}]
        assert "there is a camera of that name" in drawn(app)


async def test_rules_over_all_fields_are_checked_last() -> None:
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        form = FormDialog("Group", FIELDS[:1], check=lambda values: ("", f"{values['name']} is taken"))
        app.push_screen(form)
        await pilot.pause()
        await pilot.press(*"main", "f10")
        assert "main is taken" in drawn(app)


async def test_a_job_shows_its_progress_and_waits_to_be_read() -> None:
    answers: list[bool | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = ProgressDialog("Export front door")
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        dialog.advance(30, 100, "30 MB of 100 MB")
        await pilot.pause()
        assert "30 %" in drawn(app)
        assert "30 MB of 100 MB" in drawn(app)
        await pilot.press("enter")
        assert answers == []
        dialog.finish("Written: front-door.mp4")
        await pilot.pause()
        assert "enter close" in drawn(app)
        await pilot.press("enter")
        assert answers == [True]


async def test_escape_cancels_a_job() -> None:
    answers: list[bool | None] = []
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ProgressDialog("Export"), answers.append)
        await pilot.pause()
        await pilot.press("escape")
        assert answers == [False]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_dialogs_fit_small_screens_and_plain_ascii(size: tuple[int, int]) -> None:
    app = Gallery(glyphs=ASCII)
    async with app.run_test(size=size) as pilot:
        app.push_screen(ConfirmDialog("Remove [camera] yard?", "Its recordings stay until recycled."))
        await pilot.pause()
        text = drawn(app)
        text.encode("ascii")
        assert "Remove [camera] yard?" in text
        assert "Cancel" in text


async def test_notes_stand_below_each_other_beside_wide_names() -> None:
    names = ("gate", "駐車場の北側の入口", "🚗 garage 🚗")
    app = Gallery()
    async with app.run_test(size=(60, 20)) as pilot:
        for dialog in (
            PickDialog("Camera", [Option(name, name, "recording") for name in names]),
            ShelfDialog(
                "Views",
                [ShelfEntry(name, "recording") for name in names],
                [ShelfVerb("enter", "open", "open")],
            ),
        ):
            app.push_screen(dialog)
            await pilot.pause()
            rows = [line for line in drawn(app).splitlines() if "recording" in line]
            assert len({cell_len(row.partition("recording")[0]) for row in rows}) == 1
            assert len(rows) == 3
