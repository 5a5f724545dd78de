"""Errors at the edge of the API: which HTTP status each gets, and the one place that answers a defect.

A WatchdeckError becomes its ErrorReply; what aiohttp refuses itself (no such route, body too large) too. Anything else
is a defect: logged with its trace, answered with `internal_error` and no details.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from engine import wire
from engine.supervise import flattened
from storage import errors

log = logging.getLogger(__name__)

STATUSES: Mapping[type[errors.WatchdeckError], int] = {
    errors.InvalidInput: 400,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.Conflict: 409,
    errors.CameraError: 502,
    errors.VolumeError: 503,
    errors.PictureUnavailable: 404,
    errors.SegmentDamaged: 500,
    errors.DriveError: 503,
    errors.OperationRefused: 409,
    errors.StateChanged: 409,
    errors.Unsupported: 501,
    errors.ExportFailed: 500,
    errors.ActionFailed: 502,
    errors.CatalogDamaged: 503,
    errors.ConfigError: 500,
    errors.InternalError: 500,
}
"""By the nearest class in the error's ancestry; 500 when there is none."""


def status_of(error: errors.WatchdeckError) -> int:
    return next((STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES), 500)


def error_response(error: errors.WatchdeckError, status: int | None = None) -> web.Response:
    reply = wire.ErrorReply(code=error.code, what=error.what, remedy=error.remedy)
    return web.Response(
        status=status or status_of(error), body=msgspec.json.encode(reply), content_type="application/json"
    )


@web.middleware
async def errors_to_replies(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except errors.WatchdeckError as error:
        return error_response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_response(_refusal(request, error), error.status)
    except ConnectionError:
        raise  # the client went away; there is nobody to answer
    except Exception as error:  # noqa: BLE001 - the API boundary: a defect in one call must not take the engine down
        known = [leaf for leaf in flattened(error) if isinstance(leaf, errors.WatchdeckError)]
        if known and len(known) == len(flattened(error)):
            return error_response(known[0])
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return error_response(
            errors.InternalError("the engine met a defect in itself", "see the engine's log and report it")
        )


def _refusal(request: web.Request, error: web.HTTPException) -> errors.WatchdeckError:
    if error.status == 404:
        return errors.NotFound(f"no route {request.method} {request.path}", "see GET /v1/openapi.json")
    if error.status == 405:
        return errors.InvalidInput(f"{request.path} does not take {request.method}")
    if error.status == 413:
        return errors.InvalidInput("the body is larger than 1 MiB")
    return errors.InvalidInput(f"{request.method} {request.path}: {error.reason}")
