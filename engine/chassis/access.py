"""What the jobs and the planner need of the chassis: the steel behind an object that looks, asks and does.

The real one is engine/chassis/chassis.py; tests put a chassis of folders and values behind the same names. Loop only: what
blocks runs on the chassis' own threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from engine import wire
from engine.wire_chassis import ChassisView
from storage.catalog.records import Camera, Severity, Volume
from storage.hardware import Hardware
from storage.raid.backend import Command
from storage.raid.inventory import Inventory
from storage.raid.operations import RaidOperation

T = TypeVar("T")


class ChassisAccess(Protocol):
    """The box."""

    @property
    def hardware(self) -> Hardware: ...

    def inventory(self) -> Inventory:
        """As it was read last."""
        ...

    def view(self) -> ChassisView:
        """The whole box as clients see it: bays that settle, healths, chains."""
        ...

    async def refresh(self) -> Inventory:
        """Read everything anew."""
        ...

    async def plan(self, operation: RaidOperation, inventory: Inventory) -> tuple[Command, ...]:
        """See RaidBackend.plan: changes nothing."""
        ...

    async def perform(self, operation: RaidOperation, inventory: Inventory) -> Inventory:
        """See RaidBackend.perform; the inventory after it is the last one from then on."""
        ...

    async def locate(self, drive_id: str, is_on: bool, seconds: float) -> None:
        """The locate lamp of the bay this drive is in, or was in when it was last seen."""
        ...

    async def call(self, method: Callable[..., T], *args: Any) -> T:
        """A blocking call (of `hardware`, or on files) on a thread of the chassis."""
        ...


class CatalogAccess(Protocol):
    """engine.catalog_thread.CatalogThread."""

    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...

    async def write(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...


class RecordingAccess(Protocol):
    """engine.recording.recording.RecordingService, as far as volumes come and go."""

    async def add_volume(self, volume: Volume) -> None: ...

    async def remove_volume(self, uuid: UUID) -> None: ...

    async def update_camera(self, camera: Camera, password: str) -> None: ...

    async def reload_groups(self) -> None: ...

    def camera_views(self) -> Sequence[wire.CameraView]: ...

    def volume_views(self) -> Sequence[wire.VolumeView]: ...

    def group_views(self) -> Sequence[wire.GroupView]: ...


class Announcer(Protocol):
    """engine.events.EventBus: says what happened."""

    def publish(
        self, kind: str, text: str, *, severity: Severity = Severity.INFO, source: str = "", actor: str = ""
    ) -> object: ...
