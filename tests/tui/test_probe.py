"""The probe: answers in any shape, silence, and a terminal left as it was found."""

from __future__ import annotations

import os
import pty
import termios
import threading

import pyte
import pytest

from tui.probe import KITTY_QUESTION, QUESTIONS, ProbeReply, parse_replies, probe, window_cell_size


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ProbeReply()),
        (b"\x1b[?62;22c", ProbeReply(is_complete=True)),
        (b"\x1b[?62;4;22c", ProbeReply(has_sixel=True, is_complete=True)),
        (b"\x1b[?64;1;2;4c", ProbeReply(has_sixel=True, is_complete=True)),
        (b"\x1b[?4c", ProbeReply(is_complete=True)),  # the first number is the class, not an attribute
        (b"\x1b[?6c", ProbeReply(is_complete=True)),  # Linux console
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62c", ProbeReply(has_kitty=True, is_complete=True)),
        (b"\x1b_Gi=31;EINVAL:bad\x1b\\\x1b[?62c", ProbeReply(is_complete=True)),
        (
            b"\x1b[6;20;10t\x1b[?1;0;256S\x1b[?65;4c",
            ProbeReply(
                has_sixel=True, sixel_registers=256, cell_width_px=10, cell_height_px=20, is_complete=True
            ),
        ),
        (b"abc\x1b[A\x1b[?62;4cxyz", ProbeReply(has_sixel=True, is_complete=True)),  # typed ahead
        (b"\x1b[6;0;0t\x1b[?62c", ProbeReply(is_complete=True)),  # nonsense sizes are not believed
        (b"\x1b[?1;3;0S\x1b[?62c", ProbeReply(is_complete=True)),  # registers: failure
        (
            b"\x1b[?2;0;1000;900S\x1b[?63;4c",
            ProbeReply(has_sixel=True, sixel_width_px=1000, sixel_height_px=900, is_complete=True),
        ),
        (b"\x1b[?2;3;0S\x1b[?2;0;0;0S\x1b[?63c", ProbeReply(is_complete=True)),
        (b"\x1b_Gi=31;OK\x1b\\", ProbeReply(has_kitty=True)),
        (b"\xff\xfe\x00\x1b[?62;4c", ProbeReply(has_sixel=True, is_complete=True)),
    ],
)
def test_answers_are_understood_in_any_order_and_between_other_input(
    data: bytes, expected: ProbeReply
) -> None:
    assert parse_replies(data) == expected


class Terminal:
    """The other end of a pseudo-terminal, answering once the questions came."""

    def __init__(self, answer: bytes) -> None:
        self.master, self.slave = pty.openpty()
        self.asked = b""
        self._answer = answer
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self.asked.endswith(QUESTIONS):
            self.asked += os.read(self.master, 1024)
        if self._answer:
            os.write(self.master, self._answer)

    def close(self) -> None:
        self._thread.join()
        os.close(self.master)
        os.close(self.slave)


def test_the_last_answer_ends_the_wait_and_the_terminal_is_as_before() -> None:
    terminal = Terminal(b"\x1b[6;24;12t\x1b[?62;4c")
    before = termios.tcgetattr(terminal.slave)
    # The limit would fail the test by the suite's timeout if the answer did not end the wait.
    reply = probe(terminal.slave, terminal.slave, timeout_s=600)
    assert reply == ProbeReply(has_sixel=True, cell_width_px=12, cell_height_px=24, is_complete=True)
    assert termios.tcgetattr(terminal.slave) == before
    assert terminal.asked == KITTY_QUESTION + QUESTIONS
    terminal.close()


def test_a_silent_terminal_costs_the_time_limit_and_answers_nothing() -> None:
    terminal = Terminal(b"")
    assert probe(terminal.slave, terminal.slave, timeout_s=0.05) == ProbeReply()
    terminal.close()


def test_half_an_answer_is_used_as_far_as_it_goes() -> None:
    terminal = Terminal(b"\x1b_Gi=31;OK\x1b\\")
    assert probe(terminal.slave, terminal.slave, timeout_s=0.2).has_kitty
    terminal.close()


def test_for_kitty_graphics_is_not_asked_where_nothing_follows_from_it() -> None:
    terminal = Terminal(b"\x1b[?62;4c")
    assert probe(terminal.slave, terminal.slave, timeout_s=600, asks_for_kitty=False).is_complete
    assert terminal.asked == QUESTIONS
    terminal.close()


def test_a_terminal_that_prints_the_question_is_left_without_it() -> None:
    screen = pyte.Screen(80, 3)
    stream = pyte.ByteStream(screen)
    stream.feed(b"$ watchdeck\r\nwords before ")
    printed = KITTY_QUESTION.replace(b"\x1b_", b"").replace(b"\x1b\\", b"")
    assert b"Gi=31" in printed
    stream.feed(printed)
    assert [line.rstrip() for line in screen.display] == ["$ watchdeck", "words before", ""]
    assert (screen.cursor.x, screen.cursor.y) == (13, 1)


def test_what_is_no_terminal_is_not_asked() -> None:
    reader, writer = os.pipe()
    assert probe(reader, writer, timeout_s=600) == ProbeReply()
    assert window_cell_size(reader) == (0, 0)
    os.close(reader)
    os.close(writer)
