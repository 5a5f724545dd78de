"""What is shown when no engine answers: what a console needs, how to start it, and the demo."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tui.desk import Desk
from tui.screens.text_pane import TextPane


class AbsentPane(TextPane, can_focus=True):
    """Full-screen explanation; its keys (`d`, `R`, `q`) are the app's."""

    DEFAULT_CSS = """
    AbsentPane { height: 1fr; padding: 0 1; }
    """

    def draw(self, desk: Desk, *, is_starting: bool) -> None:
        self.show(absent_lines(desk.mirror.trouble, self.size.height, is_starting=is_starting))

    def parent_resized(self, parent: Widget) -> None:
        self.refresh()


def absent_lines(trouble: str, height: int, *, is_starting: bool) -> list[Content]:
    """The explanation, in the middle when there is room."""
    if is_starting:
        return [Content(""), Content("Connecting to the recording engine ...")]
    lines = [
        Content.styled("No recording engine answers", "bold"),
        Content.styled(trouble, "dim"),
        Content(""),
        Content("The console shows and steers an engine; the engine records. Start one:"),
        Content(""),
        Content.assemble(("  systemctl start watchdeck     ", "bold $text-accent"), "installed as a service"),
        Content.assemble(("  watchdeck engine --state DIR  ", "bold $text-accent"), "in another terminal"),
        Content.assemble(
            ("  watchdeck --socket PATH       ", "bold $text-accent"), "if it listens elsewhere"
        ),
        Content(""),
        Content("or press"),
        Content(""),
        Content.assemble(
            ("  d  ", "bold $text-accent"),
            "demo: eight simulated cameras, recorded for real in a scratch folder",
        ),
        Content.assemble(
            ("  R  ", "bold $text-accent"), "try again now (it is tried every few seconds anyway)"
        ),
        Content.assemble(("  q  ", "bold $text-accent"), "quit"),
    ]
    above = max(0, (height - len(lines)) // 3)
    return [Content("")] * above + lines
