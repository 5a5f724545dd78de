"""The drive service as a process of root, and an engine without privileges that sees the drives through it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.wire_chassis import ChassisView, DriveState
from tests.e2e.engine_process import EngineProcess, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="the drive service runs as root"),
]

ROOT = Path(__file__).parents[2]
USER = "nobody"


def as_user(argv: Sequence[str]) -> list[str]:
    """Without groups and capabilities, as systemd would start it."""
    who = pwd.getpwnam(USER)
    return [
        *("setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"),
        *("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", *argv),
    ]


@pytest.fixture(scope="module")
def python() -> list[str]:
    """An interpreter of this version that the user may call, with this one's libraries."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed (util-linux)")
    paths = f"PYTHONPATH={ROOT}:{sysconfig.get_path('purelib')}"
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, system):
        argv = as_user(["env", paths, interpreter])
        if (
            subprocess.run([*argv, "-c", "import engine.station"], cwd="/", capture_output=True).returncode
            == 0
        ):
            return argv
    pytest.skip(f"the user {USER} may call neither {sys.executable} nor {system} with this source")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the user owns and can reach."""
    who = pwd.getpwnam(USER)
    made = Path(tempfile.mkdtemp(prefix="watchdeck-e2e-"))
    os.chown(made, who.pw_uid, who.pw_gid)
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


class DriveServiceProcess:
    """`watchdeck drive-service`; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "drives.sock"
        self._state = folder / "drives"
        self.log = folder / "drives.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "engine.drive_service", "--user", USER),
                    *("--socket", str(self.socket), "--state", str(self._state)),
                ],
                stderr=log,
                cwd=ROOT,
            )

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(20)


@pytest.fixture
def service(folder: Path) -> Iterator[DriveServiceProcess]:
    made = DriveServiceProcess(folder)
    made.start()
    yield made
    made.end()


def capabilities(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if line.startswith(("Uid", "Cap", "Groups")))


def may_open(path: str) -> bool:
    script = f"import os; os.open({path!r}, os.O_RDONLY)"
    done = subprocess.run(as_user(["/usr/bin/env", "python3", "-c", script]), capture_output=True, cwd="/")
    assert done.returncode == 0 or b"PermissionError" in done.stderr, done.stderr
    return done.returncode == 0


async def test_unprivileged_engine_sees_the_drives_and_outlives_a_restart_of_the_service(
    folder: Path, service: DriveServiceProcess, python: list[str]
) -> None:
    config = f'[chassis]\nhardware = "service"\nsocket = "{service.socket}"\n'
    engine = EngineProcess(folder / "state", config=config, python=python)
    try:
        client = await engine.start()

        async def chassis() -> ChassisView:
            return await client.chassis()

        view = await eventually(
            chassis, lambda view: bool(view.inventory.drives), "the drives of this machine"
        )
        assert engine.process is not None
        running = capabilities(engine.process.pid)
        assert running["Uid"].split() == [str(pwd.getpwnam(USER).pw_uid)] * 4
        assert {int(running[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}

        used = [drive for drive in view.inventory.drives if drive.state is DriveState.PROTECTED]
        assert used, f"this machine runs from one of them: {view.inventory.drives}"
        assert all(drive.cause for drive in used)
        assert not any(may_open(drive.device) for drive in used if drive.device)

        def is_silent(view: ChassisView) -> bool:
            return any(problem.code == "drives_silent" for problem in view.problems)

        assert service.end(signal.SIGTERM) == 0
        lost = await eventually(chassis, is_silent, "the engine to miss the service", timeout_s=30)
        assert lost.inventory.drives == view.inventory.drives, "shown as they were"
        service.start()
        back = await eventually(chassis, lambda view: not is_silent(view), "the drives again", timeout_s=30)
        assert [drive.id for drive in back.inventory.drives] == [drive.id for drive in view.inventory.drives]

        service.end(signal.SIGKILL)
        service.start()
        await eventually(
            chassis,
            lambda now: now.read_us > back.read_us and not is_silent(now),
            "the drives after a crash of the service",
            timeout_s=30,
        )
        assert engine.process.poll() is None, "one process all along"
        kinds = [event.kind for event in await client.events(limit=50)]
        assert "drive.missing" not in kinds
        assert "drive.removed" not in kinds
        assert engine.stop() == 0
    finally:
        await engine.end()


async def test_other_users_get_no_answer_from_the_service(folder: Path, service: DriveServiceProcess) -> None:
    """The group of the socket is the engine's; whoever is in it by chance is refused all the same."""

    async def mode() -> int:
        return service.socket.stat().st_mode & 0o777 if service.socket.exists() else 0

    await eventually(mode, lambda mode: mode == 0o660, "the socket, open to the engine's group")
    group = pwd.getpwnam(USER).pw_gid
    ask = (
        "import os\nfrom pathlib import Path\n"
        "from engine.drive_service.remote_hardware import RemoteHardware\n"
        f"os.setgroups([])\nos.setgid({group})\nos.setuid(1)\n"
        f"RemoteHardware(Path({str(service.socket)!r})).layout()\n"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True)
    assert "NotPermitted: user id 1 may not use the drive service" in done.stderr, done.stderr
