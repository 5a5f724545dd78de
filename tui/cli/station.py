"""`watchdeck station ...`: what makes this station itself. Rule 24."""

from __future__ import annotations

import click

from engine.client import EngineClient
from engine.wire_evidence import StationKeyView
from tui.cli.output import print_fields, print_json, print_line
from tui.cli.session import Session, json_option, pass_session
from widgets.format import local_time


@click.group()
def station() -> None:
    """Show what makes this station itself: the key that proves its recordings."""


@station.command()
@click.option(
    "--pem", is_flag=True, help="Print only the public key as PEM, for `watchdeck verify --key` and openssl."
)
@json_option
@pass_session
def key(session: Session, pem: bool) -> None:
    """Show the public key that proves recordings and exports. The private half never leaves the station."""

    async def fetch(engine: EngineClient) -> StationKeyView:
        return await engine.station_key()

    found = session.call(fetch)
    if session.is_json:
        print_json(found)
    elif pem:
        for line in found.pem.splitlines():
            print_line(line)
    else:
        groups = found.fingerprint.split()
        print_fields(
            [
                ("algorithm", found.algorithm),
                ("fingerprint", " ".join(groups[:8])),
                ("", " ".join(groups[8:])),
                ("public key", found.public_key),
                ("made", local_time(found.created_us, session.zone)),
            ]
        )
