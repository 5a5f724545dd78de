"""The one place that says who may do what: peer -> role -> permissions, and the permission each route needs.

Today there is one kind of peer, a process on this machine, known by SO_PEERCRED: root and the engine's own user are
administrators, everyone else is refused. Accounts and TLS will add ways to get a role; nothing else has to change.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.wire_chassis import (
    ChassisOperation,
    JobKind,
    PauseTask,
    ReplaceDrive,
    ResumeTask,
    Silence,
    StartCheck,
    StartPatrolRead,
)
from storage.errors import NotPermitted


class Permission(StrEnum):
    VIEW = "view"
    """See states, events, recordings and pictures."""
    EXPORT = "export"
    """Take recordings away."""
    LOCK = "lock"
    """Keep recordings from being recycled, and release them."""
    TRIAGE = "triage"
    """Handle alarms: status, mute, comment, undo; press virtual triggers."""
    SERVICE = "service"
    """Look after the box without taking anything apart: locate, self-tests, checks, the steps of a drive's replacement."""
    ARRANGE = "arrange"
    """Save layouts, views and tours that everybody sees, and what consoles show first."""
    CONFIGURE = "configure"
    """Cameras, volumes, groups, alarm rules, schedules, settings; whatever makes, changes or erases arrays."""
    AUDIT = "audit"
    """Read the log of what people did."""


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    VIEWER = "viewer"


ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.OPERATOR: frozenset(
        {
            Permission.VIEW,
            Permission.EXPORT,
            Permission.LOCK,
            Permission.TRIAGE,
            Permission.ARRANGE,
            Permission.SERVICE,
        }
    ),
    Role.VIEWER: frozenset({Permission.VIEW}),
}

ROUTE_PERMISSIONS: Mapping[str, Permission] = {
    "GET /v1/version": Permission.VIEW,
    "GET /v1/openapi.json": Permission.VIEW,
    "GET /v1/station": Permission.VIEW,
    "GET /v1/snapshot": Permission.VIEW,
    "GET /v1/stream": Permission.VIEW,
    "GET /v1/cameras": Permission.VIEW,
    "POST /v1/cameras": Permission.CONFIGURE,
    "GET /v1/cameras/{ref}": Permission.VIEW,
    "PATCH /v1/cameras/{ref}": Permission.CONFIGURE,
    "DELETE /v1/cameras/{ref}": Permission.CONFIGURE,
    "POST /v1/camera-tests": Permission.CONFIGURE,
    "GET /v1/volumes": Permission.VIEW,
    "POST /v1/volumes": Permission.CONFIGURE,
    "GET /v1/volumes/{ref}": Permission.VIEW,
    "DELETE /v1/volumes/{ref}": Permission.CONFIGURE,
    "GET /v1/groups": Permission.VIEW,
    "POST /v1/groups": Permission.CONFIGURE,
    "GET /v1/groups/{ref}": Permission.VIEW,
    "PATCH /v1/groups/{ref}": Permission.CONFIGURE,
    "DELETE /v1/groups/{ref}": Permission.CONFIGURE,
    "GET /v1/recordings": Permission.VIEW,
    "GET /v1/gaps": Permission.VIEW,
    "GET /v1/timeline": Permission.VIEW,
    "GET /v1/locks": Permission.VIEW,
    "POST /v1/locks": Permission.LOCK,
    "DELETE /v1/locks/{id}": Permission.LOCK,
    "GET /v1/exports/plan": Permission.EXPORT,
    "GET /v1/exports": Permission.EXPORT,
    "POST /v1/pictures": Permission.VIEW,
    "GET /v1/events": Permission.VIEW,
    "GET /v1/events/csv": Permission.VIEW,
    "POST /v1/alarms/query": Permission.VIEW,
    "POST /v1/alarms/place": Permission.VIEW,
    "POST /v1/alarms/csv": Permission.VIEW,
    "GET /v1/alarms/counts": Permission.VIEW,
    "GET /v1/alarms/{id}": Permission.VIEW,
    "POST /v1/alarms/triage": Permission.TRIAGE,
    "POST /v1/alarms/undo": Permission.TRIAGE,
    "GET /v1/trigger-kinds": Permission.VIEW,
    "GET /v1/alarm-rules": Permission.CONFIGURE,
    "POST /v1/alarm-rules": Permission.CONFIGURE,
    "GET /v1/alarm-rules/{ref}": Permission.CONFIGURE,
    "PATCH /v1/alarm-rules/{ref}": Permission.CONFIGURE,
    "DELETE /v1/alarm-rules/{ref}": Permission.CONFIGURE,
    "POST /v1/alarm-rules/{ref}/test": Permission.CONFIGURE,
    "GET /v1/schedules": Permission.VIEW,
    "PUT /v1/schedules/{ref}": Permission.CONFIGURE,
    "DELETE /v1/schedules/{ref}": Permission.CONFIGURE,
    "GET /v1/virtual-triggers": Permission.VIEW,
    "POST /v1/virtual-triggers/{ref}": Permission.TRIAGE,
    "GET /v1/alarm-settings": Permission.CONFIGURE,
    "PATCH /v1/alarm-settings": Permission.CONFIGURE,
    "POST /v1/mail-tests": Permission.CONFIGURE,
    "GET /v1/listening": Permission.CONFIGURE,
    "GET /v1/cameras/{ref}/analytics": Permission.CONFIGURE,
    "PUT /v1/cameras/{ref}/analytics": Permission.CONFIGURE,
    "GET /v1/cameras/{ref}/io": Permission.CONFIGURE,
    "POST /v1/log/query": Permission.AUDIT,
    "POST /v1/log/csv": Permission.AUDIT,
    "GET /v1/log/verification": Permission.AUDIT,
    "GET /v1/chassis": Permission.VIEW,
    "PUT /v1/chassis/uid": Permission.SERVICE,
    "POST /v1/chassis/bays": Permission.CONFIGURE,
    "PATCH /v1/chassis/upkeep": Permission.CONFIGURE,
    "POST /v1/chassis/plans": Permission.SERVICE,
    "POST /v1/chassis/operations": Permission.SERVICE,
    "GET /v1/chassis/levels": Permission.VIEW,
    "GET /v1/chassis/jobs": Permission.VIEW,
    "GET /v1/chassis/jobs/{id}": Permission.VIEW,
    "POST /v1/chassis/jobs/{id}": Permission.SERVICE,
    "POST /v1/chassis/simulation": Permission.CONFIGURE,
    "GET /v1/chassis/detection": Permission.SERVICE,
    "GET /v1/gone-drives": Permission.VIEW,
    "DELETE /v1/gone-drives/{ref}": Permission.CONFIGURE,
    "GET /v1/drives": Permission.VIEW,
    "GET /v1/drives/{ref}": Permission.VIEW,
    "POST /v1/drives/{ref}/locate": Permission.SERVICE,
    "POST /v1/drives/{ref}/tests": Permission.SERVICE,
    "DELETE /v1/drives/{ref}/tests": Permission.SERVICE,
    "GET /v1/activity": Permission.VIEW,
    "POST /v1/motion-searches": Permission.VIEW,
    "GET /v1/motion-searches/{id}": Permission.VIEW,
    "DELETE /v1/motion-searches/{id}": Permission.VIEW,
    "POST /v1/bookmarks/query": Permission.VIEW,
    "POST /v1/bookmarks": Permission.LOCK,
    "GET /v1/bookmarks/{id}": Permission.VIEW,
    "PATCH /v1/bookmarks/{id}": Permission.LOCK,
    "DELETE /v1/bookmarks/{id}": Permission.LOCK,
    "GET /v1/cases": Permission.EXPORT,
    "POST /v1/cases": Permission.EXPORT,
    "GET /v1/cases/{ref}": Permission.EXPORT,
    "PATCH /v1/cases/{ref}": Permission.EXPORT,
    "DELETE /v1/cases/{ref}": Permission.EXPORT,
    "POST /v1/cases/{ref}/items": Permission.EXPORT,
    "PATCH /v1/cases/{ref}/items/{id}": Permission.EXPORT,
    "DELETE /v1/cases/{ref}/items/{id}": Permission.EXPORT,
    "POST /v1/export-jobs/plan": Permission.EXPORT,
    "GET /v1/export-jobs": Permission.EXPORT,
    "POST /v1/export-jobs": Permission.EXPORT,
    "GET /v1/export-jobs/{id}": Permission.EXPORT,
    "POST /v1/export-jobs/{id}/cancel": Permission.EXPORT,
    "DELETE /v1/export-jobs/{id}": Permission.EXPORT,
    "GET /v1/export-jobs/{id}/files/{name}": Permission.EXPORT,
    "GET /v1/station/key": Permission.VIEW,
    "GET /v1/arrangements": Permission.VIEW,
    "PUT /v1/layouts/{name}": Permission.ARRANGE,
    "DELETE /v1/layouts/{name}": Permission.ARRANGE,
    "PUT /v1/views/{name}": Permission.ARRANGE,
    "DELETE /v1/views/{name}": Permission.ARRANGE,
    "PUT /v1/tours/{name}": Permission.ARRANGE,
    "DELETE /v1/tours/{name}": Permission.ARRANGE,
    "PUT /v1/start-up": Permission.ARRANGE,
    "GET /v1/last-wall/{terminal}": Permission.VIEW,
    "PUT /v1/last-wall/{terminal}": Permission.VIEW,
    "POST /v1/video-links": Permission.EXPORT,
    "GET /v1/video-links": Permission.VIEW,
    "DELETE /v1/video-links/{id}": Permission.EXPORT,
}
"""Of operations and of jobs' steps the least; `operation_permission` and `job_permission` say which need more."""

SERVICE_OPERATIONS = (ReplaceDrive, StartPatrolRead, PauseTask, ResumeTask, Silence)
"""Nothing is erased but the drive that was put in for a failed one, and no redundancy is given up: what the person on
duty does at night."""


def operation_permission(operation: ChassisOperation) -> Permission:
    if isinstance(operation, StartCheck):
        return Permission.CONFIGURE if operation.repair else Permission.SERVICE
    return Permission.SERVICE if isinstance(operation, SERVICE_OPERATIONS) else Permission.CONFIGURE


def job_permission(kind: JobKind) -> Permission:
    return Permission.SERVICE if kind is JobKind.REPLACE else Permission.CONFIGURE


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking."""

    uid: int
    name: str
    role: Role

    def require(self, permission: Permission, route: str) -> None:
        if permission not in ROLE_PERMISSIONS[self.role]:
            raise NotPermitted(
                f"{self.name} ({self.role}) may not use {route}: it needs the permission `{permission}`",
                "ask an administrator",
            )


class Peers:
    """Tells who is at the other end of a connection. User names are looked up once: name services may block."""

    def __init__(self, engine_uid: int | None = None) -> None:
        uid = os.geteuid() if engine_uid is None else engine_uid
        self._callers = {
            known: Caller(known, _user_name(known), Role.ADMINISTRATOR) for known in sorted({0, uid})
        }

    def caller(self, connection: socket.socket) -> Caller:
        """Raises NotPermitted for everyone who is neither root nor the engine's user."""
        uid = peer_uid(connection)
        try:
            return self._callers[uid]
        except KeyError:
            raise NotPermitted(
                f"user id {uid} may not use this engine", "run as the engine's user or with sudo"
            ) from None


def peer_uid(connection: socket.socket) -> int:
    """The user that opened the connection, as the kernel noted it then (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


def stranger(connection: socket.socket) -> str:
    """What somebody is called who may not use this engine: no name service is asked for them."""
    return f"uid {peer_uid(connection)}"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
