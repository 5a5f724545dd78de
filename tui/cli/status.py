"""`watchdeck status`: one look at everything."""

from __future__ import annotations

import click

from engine import wire
from engine.client import EngineClient
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from widgets.format import age, binary_bytes, bit_rate, days, decimal_bytes, duration, percent


@click.command()
@json_option
@pass_session
def status(session: Session) -> None:
    """Show what records, what does not and why, and how full the volumes are."""

    async def fetch(engine: EngineClient) -> wire.Snapshot:
        return await engine.snapshot()

    snapshot = session.call(fetch)
    if session.is_json:
        print_json(
            {
                "station": snapshot.station,
                "cameras": snapshot.cameras,
                "volumes": snapshot.volumes,
                "groups": snapshot.groups,
            }
        )
        return
    station = snapshot.station
    print_fields(
        [
            ("station", f"{station.name}{' (demo)' if station.is_demo else ''}, Watchdeck {station.version}"),
            ("running for", duration(station.now_us - station.started_us)),
            ("recording", f"{station.cameras_recording} of {station.cameras_expected} cameras expected to"),
            ("CPU", f"{percent(station.cpu_percent)}, engine {percent(station.engine_cpu_percent)}"),
            ("memory", f"{percent(station.memory_percent)}, engine {binary_bytes(station.engine_rss_bytes)}"),
        ]
    )
    amiss = [camera for camera in snapshot.cameras if camera.state in _AMISS]
    if amiss:
        print_line()
        print_table(
            ["CAMERA", "STATE", "SINCE", "CAUSE"],
            [
                [camera.name, camera.state, age(camera.state_since_us or None, station.now_us), camera.cause]
                for camera in amiss
            ],
        )
    if snapshot.groups:
        print_line()
        print_table(
            ["GROUP", "CAMERAS", "USED", "LOCKED", "RECORDED", "REMAINING", "RATE"],
            [
                [
                    group.name,
                    str(len(group.cameras)),
                    decimal_bytes(group.used_bytes),
                    decimal_bytes(group.locked_bytes),
                    days(group.recorded_days),
                    days(group.remaining_days),
                    bit_rate(group.write_bps),
                ]
                for group in snapshot.groups
            ],
            right=["CAMERAS", "USED", "LOCKED", "RECORDED", "REMAINING", "RATE"],
        )
    if snapshot.volumes:
        print_line()
        print_table(
            ["VOLUME", "STATE", "FREE", "OF", "CAUSE"],
            [
                [
                    volume.name,
                    volume.state,
                    decimal_bytes(volume.free_bytes),
                    decimal_bytes(volume.total_bytes),
                    volume.cause,
                ]
                for volume in snapshot.volumes
            ],
            right=["FREE", "OF"],
        )


_AMISS = (
    wire.CameraState.CONNECTING,
    wire.CameraState.STREAMING,
    wire.CameraState.LOST,
    wire.CameraState.REFUSED,
)
