"""A noun with a verb that may be left out: `watchdeck log` is `watchdeck log list`."""

from __future__ import annotations

import click


class DefaultGroup(click.Group):
    """`alone` is the verb when nothing follows; `other` when what follows is no verb and no help."""

    alone = "list"
    other = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            args = [self.alone]
        elif args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.alone if args[0].startswith("-") else self.other, *args]
        return super().parse_args(ctx, args)


class FiringGroup(DefaultGroup):
    """`watchdeck trigger NAME` presses the button."""

    other = "fire"
