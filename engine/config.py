"""station.toml: paths, intervals and the log level of one engine. All that an operator edits lives in the catalog.

Every key is optional and documented in packaging/station.toml; an unknown key or a wrong value is a ConfigError
that names the key's path and the file, because a misspelt key that is silently ignored is found after an incident.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from engine.decoding import path_and_reason
from storage.errors import ConfigError

DEFAULT_CONFIG = Path("/etc/watchdeck/station.toml")
HARDWARE = ("auto", "local", "service", "simulated", "none")
LOG_LEVELS = ("debug", "info", "warning", "error")

Count = Annotated[int, msgspec.Meta(ge=1, le=8)]


class StationSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """Shown to people and written into every segment; empty = as it is in the catalog (at first the host's name)."""


class RecordingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    segment_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 120
    """Length of a segment file; cut at the next keyframe, staggered between cameras."""
    part_ms: Annotated[int, msgspec.Meta(ge=200, le=10_000)] = 1_500
    """A longer GOP is written in parts of this length: what a kill can take from a camera."""
    sync_interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    """Time between two flushes of a volume: what a power cut can take."""
    queue_mib: Annotated[int, msgspec.Meta(ge=4, le=4096)] = 64
    """Memory that may wait for a slow volume before whole GOPs are dropped."""
    pre_event_mib: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 512
    """Memory for the seconds before events, of all cameras in mode `events`: (their time + 3 s + a GOP) at their rate."""


class CatalogSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keep_events: Annotated[int, msgspec.Meta(ge=10_000, le=100_000_000)] = 1_000_000
    """The newest so many events are kept, older ones forgotten: some 200 bytes each."""
    keep_events_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    """Events older than this are forgotten too, except the newest 10000; so are jobs that ended before then."""
    keep_gaps_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    """Gaps of a camera without any footage; of the others they go with the footage around them."""


class ApiSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    socket: str = ""
    """Path of the unix socket; empty = the rule of engine/socket_path.py. --socket overrides it."""


class LogSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(LOG_LEVELS)})$")] = "info"


class PicturesSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    workers: Count = 1
    """Processes that decode and encode pictures."""
    motion_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 10.0
    """Of one core, for looking at cameras only to keep what moved where; each is looked at once in 30 s all the same. 0 = none is."""


class LinksSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Video links: full-rate video for players on other machines, each under an address that ends by itself."""

    listen: str = "127.0.0.1"
    """Address of the two ports; only this machine unless changed: players elsewhere come through an SSH tunnel. Empty = off."""
    http_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8091
    """0 = any that is free."""
    rtsp_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8554
    """0 = any that is free."""
    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    """How players' machines call this one; empty = its own name."""


class ExportsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    folder: str = ""
    """Where exports are made, a folder each; empty = `exports` in the state folder."""
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 7
    """Their files are removed after this; what they were stays in the list."""


class ChassisSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hardware: Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(HARDWARE)})$")] = "auto"
    """auto: the drive service where there is one, else this machine itself when the engine is root."""
    file: str = ""
    """How the front looks and which socket is which bay: front-8 (also when empty), front-16, or a chassis file."""
    socket: str = ""
    """Of the drive service; empty = /run/watchdeck-drives/drives.sock."""


class StationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    station: StationSection = StationSection()
    recording: RecordingSection = RecordingSection()
    catalog: CatalogSection = CatalogSection()
    api: ApiSection = ApiSection()
    log: LogSection = LogSection()
    pictures: PicturesSection = PicturesSection()
    exports: ExportsSection = ExportsSection()
    chassis: ChassisSection = ChassisSection()
    links: LinksSection = LinksSection()


def parse_config(content: str, origin: str) -> StationConfig:
    """The configuration in `content`; `origin` names the file in errors."""
    try:
        config = msgspec.toml.decode(content, type=StationConfig)
    except msgspec.ValidationError as error:
        path, reason = path_and_reason(error)
        raise ConfigError(
            f"{origin}: {path}: {reason}", "correct the key or remove it; see docs/operations.md"
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{origin} is not TOML: {error}", "correct that line") from error
    paths = {
        "api.socket": config.api.socket,
        "exports.folder": config.exports.folder,
        "chassis.socket": config.chassis.socket,
    }
    for key, path in paths.items():
        if path and not Path(path).is_absolute():
            raise ConfigError(f"{origin}: $.{key}: not an absolute path", "begin it with /")
    return config


def load_config(path: Path | None) -> StationConfig:
    """Of `path`, which must exist; of /etc/watchdeck/station.toml, if it exists; else the defaults. Blocking."""
    if path is None:
        if not DEFAULT_CONFIG.exists():
            return StationConfig()
        path = DEFAULT_CONFIG
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "check the path and its permissions") from error
    return parse_config(content, str(path))
