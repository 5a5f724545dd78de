"""What is done with a range of a camera's recordings: lock it, unlock it, export it, put it into a case."""

from __future__ import annotations

from collections.abc import Callable

from engine import wire
from tui.clip import Clip
from tui.desk import Undo
from tui.screens.case_dialog import add_to_case
from tui.screens.export_dialog import ask_export
from tui.screens.view import View
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog


class RangeJobs:
    """Dialogs and jobs of a view; each method is a worker of the view."""

    def __init__(self, view: View, on_locks: Callable[[], None] = lambda: None) -> None:
        """`on_locks` is called when a lock came or went."""
        self._view = view
        self._on_locks = on_locks

    def _words(self, start_us: int, end_us: int) -> str:
        zone = self._view.desk.zone
        return f"{format.local_time(start_us, zone)} to {format.local_time(end_us, zone)}"

    # -- locks -------------------------------------------------------------------------------------------

    async def lock(self, camera: str, chosen: tuple[int, int], reason: str) -> None:
        view = self._view
        if not reason:
            text = f"{self._words(*chosen)}: kept from recycling until it is unlocked."
            form = FormDialog(
                f"Lock recordings of {camera}", [Field("reason", "Reason")], submit="Lock", text=text
            )
            values = await view.app.push_screen_wait(form)
            if values is None:
                return
            reason = values["reason"].strip()
        await self._add(wire.LockAdd(camera=camera, start_us=chosen[0], end_us=chosen[1], reason=reason))

    async def _add(self, lock: wire.LockAdd) -> None:
        view = self._view
        added = await view.ask(view.desk.client.add_lock(lock), f"lock {lock.camera}")
        if added is not None:
            view.say(f"locked {lock.camera} {self._words(lock.start_us, lock.end_us)} (z takes it back)")
            view.desk.undo.append(Undo(f"lock of {lock.camera}", lambda: self._remove(added)))
            self._on_locks()

    async def _remove(self, lock: wire.LockView) -> bool:
        view = self._view
        is_done = await view.carry(view.desk.client.remove_lock(lock.id), f"unlock {lock.camera}")
        self._on_locks()
        return is_done

    async def unlock(self, camera: str, at_us: int) -> None:
        view = self._view
        locks = await view.ask(view.desk.client.locks(camera, at_us, at_us + 1), f"locks of {camera}")
        if locks is None:
            return
        if not locks:
            view.say(f"no lock of {camera} is under the playhead", is_error=True)
            return
        lock = locks[-1]
        reason = f"\nReason given: {lock.reason}" if lock.reason else ""
        text = (
            f"{camera}, {self._words(lock.start_us, lock.end_us)}.{reason}\n"
            "Without the lock the oldest of it may be recycled at once."
        )
        if await view.app.push_screen_wait(ConfirmDialog("Unlock these recordings?", text, confirm="Unlock")):
            if await self._remove(lock):
                view.say(f"unlocked {lock.camera} {self._words(lock.start_us, lock.end_us)}")

    # -- export and cases --------------------------------------------------------------------------------

    async def export(self, camera: str, chosen: tuple[int, int]) -> None:
        """Asks how, and shows what would come of it."""
        await ask_export(self._view, [Clip(camera, *chosen)])

    async def to_case(self, camera: str, chosen: tuple[int, int]) -> None:
        """Into a case that is picked, or a new one; it is locked while it is there."""
        if await add_to_case(self._view, [Clip(camera, *chosen)]) is not None:
            self._on_locks()
