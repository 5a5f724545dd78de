"""The client's calls about footage beyond playing it: search, bookmarks, cases, export jobs, the live wall, video links. Mixed into EngineClient.

The same rules hold as there: each method mirrors a route of docs/api.md, nothing is repeated by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from engine.path_segment import path_segment
from engine.wire_bookmarks import BookmarkAdd, BookmarkEdit, BookmarkPage, BookmarkQuery, BookmarkView
from engine.wire_evidence import (
    CaseAdd,
    CaseEdit,
    CaseItemAdd,
    CaseItemEdit,
    CaseList,
    CaseView,
    ExportAsk,
    ExportJobList,
    ExportJobView,
    ExportPlanView,
    StationKeyView,
)
from engine.wire_links import VideoLink, VideoLinkAsk, VideoLinkList
from engine.wire_search import ActivityView, MotionSearch, MotionSearchView
from engine.wire_wall import Arrangements, LastWall, Layout, StartUp, Tour, WallView

if TYPE_CHECKING:
    from engine import wire

T = TypeVar("T")

PLAN_TIMEOUT_MS = 60_000
"""Planning reads the tables of every file."""


class FootageCalls:
    """What EngineClient can do with footage."""

    if TYPE_CHECKING:

        async def _call(
            self,
            method: str,
            path: str,
            reply: type[T] | None,
            *,
            body: wire.Request | None = None,
            query: Mapping[str, str | int | Iterable[str] | None] | None = None,
            timeout_ms: int | None = None,
        ) -> T: ...

    # -- searching ---------------------------------------------------------------------------------------

    async def activity(self, camera: str, start_us: int, end_us: int, bins: int) -> ActivityView:
        """For the histogram of the timeline."""
        query: dict[str, str | int | Iterable[str] | None] = {
            "camera": camera,
            "start_us": start_us,
            "end_us": end_us,
            "bins": bins,
        }
        return await self._call("GET", "/v1/activity", ActivityView, query=query)

    async def search_motion(self, search: MotionSearch) -> MotionSearchView:
        """Begin; from stored motion alone the answer is whole."""
        return await self._call(
            "POST", "/v1/motion-searches", MotionSearchView, body=search, timeout_ms=PLAN_TIMEOUT_MS
        )

    async def motion_search(self, id: str, *, wait_ms: int = 0) -> MotionSearchView:
        """How far it is. Searches are forgotten ten minutes after they were asked for last."""
        query = {"wait_ms": wait_ms}
        return await self._call(
            "GET", f"/v1/motion-searches/{path_segment(id)}", MotionSearchView, query=query
        )

    async def cancel_motion_search(self, id: str) -> None:
        await self._call("DELETE", f"/v1/motion-searches/{path_segment(id)}", None)

    # -- bookmarks ---------------------------------------------------------------------------------------

    async def bookmarks(self, query: BookmarkQuery) -> BookmarkPage:
        return await self._call("POST", "/v1/bookmarks/query", BookmarkPage, body=query)

    async def bookmark(self, id: int) -> BookmarkView:
        return await self._call("GET", f"/v1/bookmarks/{id}", BookmarkView)

    async def add_bookmark(self, bookmark: BookmarkAdd) -> BookmarkView:
        return await self._call("POST", "/v1/bookmarks", BookmarkView, body=bookmark)

    async def edit_bookmark(self, id: int, changes: BookmarkEdit) -> BookmarkView:
        return await self._call("PATCH", f"/v1/bookmarks/{id}", BookmarkView, body=changes)

    async def remove_bookmark(self, id: int) -> None:
        """With its protection."""
        await self._call("DELETE", f"/v1/bookmarks/{id}", None)

    # -- cases -------------------------------------------------------------------------------------------

    async def cases(self) -> tuple[CaseView, ...]:
        return (await self._call("GET", "/v1/cases", CaseList)).cases

    async def case(self, ref: str) -> CaseView:
        """By name or id."""
        return await self._call("GET", f"/v1/cases/{path_segment(ref)}", CaseView)

    async def add_case(self, case: CaseAdd) -> CaseView:
        return await self._call("POST", "/v1/cases", CaseView, body=case)

    async def edit_case(self, ref: str, changes: CaseEdit) -> CaseView:
        return await self._call("PATCH", f"/v1/cases/{path_segment(ref)}", CaseView, body=changes)

    async def remove_case(self, ref: str) -> None:
        """Its footage may be recycled again; exports stay."""
        await self._call("DELETE", f"/v1/cases/{path_segment(ref)}", None)

    async def add_case_item(self, ref: str, item: CaseItemAdd) -> CaseView:
        return await self._call("POST", f"/v1/cases/{path_segment(ref)}/items", CaseView, body=item)

    async def edit_case_item(self, ref: str, item_id: int, changes: CaseItemEdit) -> CaseView:
        return await self._call(
            "PATCH", f"/v1/cases/{path_segment(ref)}/items/{item_id}", CaseView, body=changes
        )

    async def remove_case_item(self, ref: str, item_id: int) -> CaseView:
        return await self._call("DELETE", f"/v1/cases/{path_segment(ref)}/items/{item_id}", CaseView)

    # -- exports -----------------------------------------------------------------------------------------

    async def plan_export_job(self, ask: ExportAsk) -> ExportPlanView:
        """How much it would be, and whether there is room."""
        return await self._call(
            "POST", "/v1/export-jobs/plan", ExportPlanView, body=ask, timeout_ms=PLAN_TIMEOUT_MS
        )

    async def start_export_job(self, ask: ExportAsk) -> ExportJobView:
        return await self._call(
            "POST", "/v1/export-jobs", ExportJobView, body=ask, timeout_ms=PLAN_TIMEOUT_MS
        )

    async def export_jobs(self) -> tuple[ExportJobView, ...]:
        return (await self._call("GET", "/v1/export-jobs", ExportJobList)).jobs

    async def export_job(self, id: str) -> ExportJobView:
        return await self._call("GET", f"/v1/export-jobs/{path_segment(id)}", ExportJobView)

    async def cancel_export_job(self, id: str) -> ExportJobView:
        """Nothing of it is left but its row."""
        return await self._call("POST", f"/v1/export-jobs/{path_segment(id)}/cancel", ExportJobView)

    async def remove_export_job(self, id: str) -> None:
        """With its files."""
        await self._call("DELETE", f"/v1/export-jobs/{path_segment(id)}", None)

    async def station_key(self) -> StationKeyView:
        return await self._call("GET", "/v1/station/key", StationKeyView)

    # -- the live wall -----------------------------------------------------------------------------------

    async def arrangements(self) -> Arrangements:
        """Layouts, views, tours, and what consoles show first."""
        return await self._call("GET", "/v1/arrangements", Arrangements)

    async def put_layout(self, layout: Layout, *, old_name: str = "") -> Arrangements:
        """Save it; with another `old_name` that one is renamed."""
        path = f"/v1/layouts/{path_segment(old_name or layout.name)}"
        return await self._call("PUT", path, Arrangements, body=layout)

    async def remove_layout(self, name: str) -> Arrangements:
        return await self._call("DELETE", f"/v1/layouts/{path_segment(name)}", Arrangements)

    async def put_view(self, view: WallView, *, old_name: str = "") -> Arrangements:
        """A renamed view keeps its place in tours and start-up."""
        path = f"/v1/views/{path_segment(old_name or view.name)}"
        return await self._call("PUT", path, Arrangements, body=view)

    async def remove_view(self, name: str) -> Arrangements:
        """Raises Conflict while a tour or a start-up row shows it."""
        return await self._call("DELETE", f"/v1/views/{path_segment(name)}", Arrangements)

    async def put_tour(self, tour: Tour, *, old_name: str = "") -> Arrangements:
        path = f"/v1/tours/{path_segment(old_name or tour.name)}"
        return await self._call("PUT", path, Arrangements, body=tour)

    async def remove_tour(self, name: str) -> Arrangements:
        return await self._call("DELETE", f"/v1/tours/{path_segment(name)}", Arrangements)

    async def put_start_up(self, start_up: StartUp) -> Arrangements:
        return await self._call("PUT", "/v1/start-up", Arrangements, body=start_up)

    async def last_wall(self, terminal: str) -> LastWall:
        """How the caller's wall was left there; without tabs: nothing was kept."""
        return await self._call("GET", f"/v1/last-wall/{path_segment(terminal)}", LastWall)

    async def put_last_wall(self, terminal: str, wall: LastWall) -> None:
        """Seen by nobody else."""
        await self._call("PUT", f"/v1/last-wall/{path_segment(terminal)}", None, body=wall)

    # -- video links -------------------------------------------------------------------------------------

    async def add_video_link(self, ask: VideoLinkAsk) -> VideoLink:
        return await self._call("POST", "/v1/video-links", VideoLink, body=ask)

    async def video_links(self) -> tuple[VideoLink, ...]:
        """Of the caller; an administrator sees all."""
        return (await self._call("GET", "/v1/video-links", VideoLinkList)).links

    async def remove_video_link(self, id: str) -> None:
        """Players on it are cut off."""
        await self._call("DELETE", f"/v1/video-links/{path_segment(id)}", None)
