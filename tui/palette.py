"""The ctrl+p palette over the one command registry; replaces Textual's own system commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import Command, Scope, commands_for
from tui.screens.frame import key_name

if TYPE_CHECKING:
    from tui.app import WatchdeckApp


class CommandProvider(Provider):
    """All commands, those of the view in front first."""

    @property
    def _console_app(self) -> WatchdeckApp:
        return cast("WatchdeckApp", self.app)

    def _choices(self) -> list[tuple[Command, str]]:
        from tui.commands import COMMANDS

        first = commands_for(self._console_app.front)
        rest = [command for command in COMMANDS if command not in first]
        return [(command, _label(command)) for command in (*first, *rest) if command.id != "app.palette"]

    async def discover(self) -> Hits:
        for command, label in self._choices():
            yield DiscoveryHit(label, partial(self._run, command), help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command, label in self._choices():
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, matcher.highlight(label), partial(self._run, command), help=command.help)

    async def _run(self, command: Command) -> None:
        await self._console_app.run_command(command)


def _label(command: Command) -> str:
    where = "" if command.scope is Scope.EVERYWHERE else f"{command.scope.words}: "
    key = f"  ({key_name(command.keys.split(',')[0])})" if command.keys else ""
    return f"{where}{command.title}{key}"
