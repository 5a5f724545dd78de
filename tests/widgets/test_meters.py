"""Bars and sparklines: numbers beside them, marks on them, nothing redrawn for nothing."""

from __future__ import annotations

from tests.widgets.gallery import Gallery, lines_of
from widgets.glyphs import ASCII, CP437
from widgets.meters import Meter, Spark


async def test_a_meter_is_label_bar_and_number() -> None:
    meter = Meter("CPU", label_width=5)
    async with Gallery(meter).run_test(size=(30, 3)) as pilot:
        meter.show(0.5, "50 %")
        await pilot.pause()
        assert lines_of(meter, [0]) == ["CPU  ██████████░░░░░░░░░░ 50 %"]
        meter.show(0.5, "50 %", mark=0.75, level="warning")
        await pilot.pause()
        assert lines_of(meter, [0]) == ["CPU  █████████░░░░│░░░░ 50 % !"]
        meter.show(7.0, "too much", level="error")
        await pilot.pause()
        assert lines_of(meter, [0]) == ["CPU  █████████████ too much !!"]


async def test_a_little_is_never_drawn_as_nothing() -> None:
    meter = Meter("", label_width=5)
    async with Gallery(meter, glyphs=ASCII).run_test(size=(20, 3)) as pilot:
        meter.show(0.0001, "0.0 %")
        await pilot.pause()
        assert lines_of(meter, [0]) == ["#............. 0.0 %"]


async def test_a_meter_without_room_keeps_its_number() -> None:
    meter = Meter("Memory", label_width=8)
    async with Gallery(meter).run_test(size=(14, 3)) as pilot:
        meter.show(0.5, "50 %")
        await pilot.pause()
        assert lines_of(meter, [0]) == ["Memory   50 %"] or "50 %" in lines_of(meter, [0])[0]


async def test_a_sparkline_rises_with_its_values_in_one_run() -> None:
    spark = Spark(limit=8)
    async with Gallery(spark).run_test(size=(10, 3)) as pilot:
        spark.set_values([0, 1, 2, 4, 7.9, 80])
        await pilot.pause()
        assert spark.render_line(0).text == "     ▂▃▅██"
        assert len(list(spark.render_line(0))) == 1
        spark.push(0)
        await pilot.pause()
        assert spark.render_line(0).text == "    ▂▃▅██ "


async def test_a_sparkline_fits_the_console() -> None:
    spark = Spark()
    async with Gallery(spark, glyphs=CP437).run_test(size=(10, 3)):
        spark.set_values(range(10))
        spark.render_line(0).text.encode("cp437")
