"""One invocation: which engine, which output, and the event loop of its single call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, TypeVar

import click

from engine.client import EngineClient
from tui.local_zone import local_zone

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Session:
    """Made by the root command, filled by options."""

    socket: str | None = None
    is_json: bool = False
    zone: tzinfo = field(default_factory=local_zone)

    def call(self, work: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Run `work` with a client. Ctrl-C cancels it, so that its clean-up runs. Raises WatchdeckError."""

        async def run() -> T:
            async with EngineClient(self.socket) as engine:
                return await work(engine)

        return asyncio.run(run())


pass_session = click.make_pass_decorator(Session, ensure=True)


def json_option(command: F) -> F:
    """`--json` of a command; the session knows."""

    def remember(context: click.Context, _: click.Parameter, is_json: bool) -> None:
        if is_json:
            context.ensure_object(Session).is_json = True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Print one JSON document (streams: one a line); errors are JSON on stderr.",
    )(command)
