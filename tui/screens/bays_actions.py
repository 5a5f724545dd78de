"""What can be done with the bay, drive or virtual drive in hand: keys and commands turned into operations of the engine.

Nothing is decided here: each operation goes through its plan (operation_dialog.py). A mix-in of BaysView.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast, get_args

from engine import wire_chassis as chassis_wire
from engine.wire_chassis import (
    ChassisOperation,
    ChassisView,
    Drive,
    JobKind,
    JobState,
    Task,
    TaskState,
    VirtualDrive,
    VirtualDriveState,
)
from tui.bay_wording import TASKS, drive_label
from tui.profile import Blinking
from tui.screens.bay_faces import drive_of
from tui.screens.job_view import JobScreen
from tui.screens.operation_dialog import OperationDialog
from tui.screens.view import View
from tui.work import start

LOCATE_S = 600
OPEN = (JobState.RUNNING, JobState.WAITING)


class BayActions(View):
    """Needs `bay`, `drive` and `virtual_drive`: what is in hand."""

    @property
    def chassis(self) -> ChassisView | None:
        return self.desk.mirror.chassis

    @property
    def bay(self) -> int | None:
        raise NotImplementedError

    @property
    def drive(self) -> Drive | None:
        raise NotImplementedError

    @property
    def virtual_drive(self) -> VirtualDrive | None:
        raise NotImplementedError

    def lamps_changed(self) -> None:
        """Blinking was switched."""
        raise NotImplementedError

    # -- the one way to an operation ---------------------------------------------------------------------

    def operate(self, operation: ChassisOperation) -> None:
        """Plan, show, confirm, run; then the job it became, if it became one."""
        if self.may_change():
            self._work(lambda: self._operate(operation))

    async def _operate(self, operation: ChassisOperation, makes: tuple[str, ...] = ()) -> None:
        done = await self.app.push_screen_wait(OperationDialog(self.desk, operation, makes))
        if done is None:
            return
        self.say(done.text)
        if done.job:
            await self.app.push_screen_wait(JobScreen(self.desk, done.job))

    def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        start(self, work, "dialog")

    def _chosen_drive(self) -> Drive | None:
        drive = self.drive
        if drive is None:
            place = f"bay {self.bay} is empty" if self.bay is not None else "no drive is selected"
            self.say(place, is_error=True)
        return drive

    def _chosen_virtual(self, name: str = "") -> VirtualDrive | None:
        chassis = self.chassis
        found = self.virtual_drive
        if name and chassis is not None:
            found = chassis.inventory.virtual_drive(name)
            if found is None:
                known = ", ".join(one.name for one in chassis.inventory.virtual_drives) or "there is none"
                self.say(f"no virtual drive is called {name!r} ({known})", is_error=True)
                return None
        if found is None:
            self.say("the selected drive is in no virtual drive (name one: :check A)", is_error=True)
        return found

    # -- lamps -------------------------------------------------------------------------------------------

    def action_locate(self) -> None:
        if self.bay is None and self.drive is None:
            self.say("nothing to locate is selected", is_error=True)
        elif self.has_engine():
            self._work(self._locate)

    async def _locate(self) -> None:
        chassis, bay, drive = self.chassis, self.bay, self.drive
        if chassis is None:
            return
        view = chassis.bay(bay) if bay is not None else None
        is_on = not (view is not None and view.is_located)
        reference = str(bay) if bay is not None else drive.id if drive is not None else ""
        name = drive_label(drive, bay)
        locate = chassis_wire.DriveLocate(is_on=is_on, seconds=LOCATE_S)
        if await self.carry(self.desk.client.locate_drive(reference, locate), f"locate {name}"):
            minutes = LOCATE_S // 60
            self.say(
                f"{name}: amber lamp blinks for {minutes} minutes" if is_on else f"{name}: lamp as before"
            )

    def action_uid(self) -> None:
        if self.may_change():
            self._work(self._switch_uid)

    async def _switch_uid(self) -> None:
        is_on = not (self.chassis is not None and self.chassis.uid)
        switch = chassis_wire.UidSwitch(is_on=is_on)
        if await self.carry(self.desk.client.switch_uid(switch), "blue lamp"):
            self.say("the blue lamp of this box is " + ("on" if is_on else "off"))

    def action_blink(self, how: str = "") -> None:
        choices = get_args(Blinking)
        if how and how not in choices:
            self.say(f"blink one of: {', '.join(choices)}", is_error=True)
            return
        now = choices.index(self.desk.blinking)
        self.desk.blinking = cast("Blinking", how or choices[(now + 1) % len(choices)])
        self.lamps_changed()
        words = {"full": "all blink", "calm": "all but activity", "off": "still, words say it"}
        self.say(f"lamps: {words[self.desk.blinking]}")

    # -- drives ------------------------------------------------------------------------------------------

    def action_replace(self) -> None:
        drive = self._chosen_drive()
        if drive is None:
            return
        running = next((job for job in self._open_jobs() if self._is_about(job, drive)), None)
        if running is not None:
            self.app.push_screen(JobScreen(self.desk, running.id))
        else:
            self.operate(chassis_wire.ReplaceDrive(drive=drive.id))

    @staticmethod
    def _is_about(job: chassis_wire.JobView, drive: Drive) -> bool:
        if job.kind is not JobKind.REPLACE:
            return False
        return job.serial == drive.serial or (job.bay is not None and job.bay == drive.bay)

    def _open_jobs(self) -> list[chassis_wire.JobView]:
        return [job for job in self.chassis.jobs if job.state in OPEN] if self.chassis is not None else []

    def action_job(self) -> None:
        jobs = self._open_jobs() or list(self.chassis.jobs if self.chassis is not None else ())
        if jobs:
            # One with an alarm first, then one that waits for a person.
            jobs.sort(key=lambda job: (not job.alarm, job.state is not JobState.WAITING))
            self.app.push_screen(JobScreen(self.desk, jobs[0].id))
        else:
            self.say("no job is under way (r replaces a drive, n sets up storage)")

    def action_offline(self) -> None:
        if (drive := self._chosen_drive()) is not None:
            self.operate(chassis_wire.SetOffline(drive=drive.id))

    def action_good(self) -> None:
        if (drive := self._chosen_drive()) is not None:
            self.operate(chassis_wire.SetGood(drive=drive.id))

    def action_prepare_removal(self) -> None:
        if (drive := self._chosen_drive()) is not None:
            self.operate(chassis_wire.PrepareRemoval(drive=drive.id))

    def action_re_add(self) -> None:
        if (drive := self._chosen_drive()) is not None:
            self.operate(chassis_wire.ReAddMember(drive=drive.id))

    def action_import_foreign(self) -> None:
        drive = self._chosen_drive()
        if drive is not None and not drive.foreign:
            self.say(f"{drive_label(drive)} carries no foreign array", is_error=True)
        elif drive is not None:
            self.operate(chassis_wire.ImportForeign(foreign=drive.foreign))

    def action_clear_foreign(self) -> None:
        drive, chassis = self._chosen_drive(), self.chassis
        if drive is None or chassis is None:
            return
        if not drive.foreign:
            self.say(f"{drive_label(drive)} carries no foreign array", is_error=True)
            return
        same = tuple(one.id for one in chassis.inventory.drives if one.foreign == drive.foreign)
        self.operate(chassis_wire.ClearForeign(drives=same))

    def action_copy_to(self, bay: str = "") -> None:
        drive, chassis = self._chosen_drive(), self.chassis
        if drive is None or chassis is None:
            return
        target = drive_of(chassis, int(bay)) if bay.isdecimal() else None
        if target is None:
            self.say("copy to which bay? `:copy 7`", is_error=True)
        else:
            self.operate(chassis_wire.ReplaceMember(member=drive.id, replacement=target.id))

    def action_rebuild(self, name: str = "") -> None:
        drive, chassis = self._chosen_drive(), self.chassis
        if drive is None or chassis is None:
            return
        waiting = [
            one for one in chassis.inventory.virtual_drives if one.state is not VirtualDriveState.ONLINE
        ]
        virtual = self._chosen_virtual(name) if name else next(iter(waiting), None)
        if virtual is not None:
            self.operate(chassis_wire.StartRebuild(group=virtual.group, drive=drive.id))
        elif not name:
            self.say("no virtual drive has an empty place", is_error=True)

    # -- virtual drives ----------------------------------------------------------------------------------

    def action_check(self, name: str = "") -> None:
        if (virtual := self._chosen_virtual(name)) is not None:
            self.operate(chassis_wire.StartCheck(virtual_drive=virtual.id))

    def action_initialise(self, name: str = "") -> None:
        if (virtual := self._chosen_virtual(name)) is not None:
            self.operate(chassis_wire.StartInitialisation(virtual_drive=virtual.id))

    def action_delete(self, name: str = "") -> None:
        if (virtual := self._chosen_virtual(name)) is not None:
            self.operate(chassis_wire.DeleteVirtualDrive(virtual_drive=virtual.id))

    def action_take_down(self, name: str = "") -> None:
        if (virtual := self._chosen_virtual(name)) is not None:
            self.operate(chassis_wire.TakeDownVolume(virtual_drive=virtual.id))

    # -- controllers and background operations -----------------------------------------------------------

    def _controllers(self) -> list[str]:
        """Of the drive in hand, else all."""
        drive, chassis = self.drive, self.chassis
        if drive is not None and drive.controller:
            return [drive.controller]
        return [one.id for one in chassis.inventory.controllers] if chassis is not None else []

    def action_patrol(self) -> None:
        for controller in self._controllers()[:1]:
            self.operate(chassis_wire.StartPatrolRead(controller=controller))

    def action_silence(self) -> None:
        for controller in self._controllers()[:1]:
            self.operate(chassis_wire.Silence(controller=controller))

    def _chosen_task(self, number: str) -> Task | None:
        """By the number in front of it; else that of the drive in hand, its virtual drive's, or the only one."""
        tasks = self.chassis.inventory.tasks if self.chassis is not None else ()
        drive, virtual = self.drive, self.virtual_drive
        if number:
            index = int(number) - 1 if number.isdecimal() else -1
            if 0 <= index < len(tasks):
                return tasks[index]
            self.say(f"no background operation has the number {number!r}", is_error=True)
            return None
        own = [task for task in tasks if drive is not None and task.drive == drive.id]
        own += [task for task in tasks if virtual is not None and task.virtual_drive == virtual.id]
        if own or len(tasks) == 1:
            return (own or list(tasks))[0]
        words = "say which, by its number: `:pause 1`" if tasks else "nothing is under way"
        self.say(words, is_error=True)
        return None

    def action_pause(self, number: str = "") -> None:
        task = self._chosen_task(number)
        if task is None:
            return
        if task.state is TaskState.PAUSED:
            self.operate(chassis_wire.ResumeTask(task=task.id))
        elif task.can_pause:
            self.operate(chassis_wire.PauseTask(task=task.id))
        else:
            self.say(f"the {TASKS[task.kind]} cannot be paused", is_error=True)

    def action_stop(self, number: str = "") -> None:
        task = self._chosen_task(number)
        if task is not None and not task.can_stop:
            self.say(f"the {TASKS[task.kind]} cannot be stopped", is_error=True)
        elif task is not None:
            self.operate(chassis_wire.StopTask(task=task.id))
