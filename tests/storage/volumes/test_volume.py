"""Volumes: the right one, its room, its segments, one sync."""

import ctypes
import errno
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage.catalog.records import Camera
from storage.catalog.records import Volume as VolumeRecord
from storage.errors import (
    AlreadyExists,
    InvalidInput,
    VolumeError,
    VolumeFailed,
    VolumeFull,
    VolumeMismatch,
    VolumeMissing,
    VolumeReadOnly,
)
from storage.segments.places import PartPlace
from storage.segments.recover import recover_segment
from storage.volumes import folders
from storage.volumes import volume as volume_module
from storage.volumes.errno_map import volume_error
from storage.volumes.volume import Volume, default_floor_bytes, is_on_system_disk, segment_path
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import CAMERA, RUN, START_US, STATION, identity, parts_of

GIB = 1024**3


def registered(path: Path, uuid: UUID | None = None, name: str = "Rack 1") -> Volume:
    record = VolumeRecord(id=1, uuid=uuid or uuid4(), name=name, path=str(path), group="main", floor_bytes=0)
    return Volume(record)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    """An initialised volume in a plain folder."""
    made = registered(tmp_path / "volume")
    Volume.initialise(made.root, made.record.uuid, "Rack 1", STATION)
    yield made
    made.close()


def test_an_initialised_volume_passes_its_check(volume: Volume) -> None:
    volume.check()
    volume.check()
    space = volume.space()
    assert 0 < space.free_bytes <= space.total_bytes
    there = Volume.read_identity(volume.root)
    assert there is not None
    assert (there.uuid, there.name, there.station) == (volume.record.uuid, "Rack 1", STATION)


def test_a_volume_is_never_initialised_twice(volume: Volume) -> None:
    with pytest.raises(AlreadyExists, match=str(volume.record.uuid)):
        Volume.initialise(volume.root, uuid4(), "Other", STATION)


def test_a_missing_mount_is_refused_and_nothing_is_written_beneath(tmp_path: Path) -> None:
    empty = tmp_path / "mount"
    empty.mkdir()
    unmounted = registered(empty)
    for act in (
        unmounted.check,
        unmounted.sync,
        unmounted.space,
        lambda: unmounted.write_settings_copy([]),
        lambda: unmounted.create_segment("a/b.mp4", identity(), (encoded("h264").track,)),
    ):
        with pytest.raises(VolumeMissing, match="Rack 1"):
            act()
    assert not list(empty.iterdir())
    with pytest.raises(VolumeMissing):
        registered(tmp_path / "nowhere").check()
    assert Volume.read_identity(empty) is None
    assert Volume.read_identity(tmp_path / "nowhere") is None


def test_a_mount_that_goes_away_is_noticed_before_the_next_segment(volume: Volume, tmp_path: Path) -> None:
    volume.check()
    volume.root.rename(tmp_path / "unmounted")
    volume.root.mkdir()
    with pytest.raises(VolumeMissing):
        volume.create_segment("a/b.mp4", identity(), (encoded("h264").track,))
    assert not list(volume.root.iterdir())
    volume.root.rmdir()
    (tmp_path / "unmounted").rename(volume.root)
    volume.check()


def test_a_volume_that_is_let_go_of_holds_nothing_open(tmp_path: Path) -> None:
    made = registered(tmp_path)
    Volume.initialise(tmp_path, made.record.uuid, "Rack 1", STATION)

    def held() -> int:
        links = (os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))
        return sum(link == str(tmp_path) for link in links)

    made.check()
    assert held() == 1
    del made
    assert held() == 0


def test_another_volume_in_its_place_is_a_mismatch(volume: Volume) -> None:
    other = registered(volume.root)
    with pytest.raises(VolumeMismatch, match=str(volume.record.uuid)):
        other.check()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"uuid": 7}'])
def test_a_damaged_identity_is_a_mismatch(volume: Volume, content: bytes) -> None:
    (volume.root / ".watchdeck" / "volume.json").write_bytes(content)
    with pytest.raises(VolumeMismatch, match="damaged"):
        volume.check()


def test_unknown_fields_of_a_later_version_are_tolerated(volume: Volume) -> None:
    path = volume.root / ".watchdeck" / "volume.json"
    path.write_bytes(path.read_bytes()[:-1] + b',"shape":"round"}')
    volume.check()


def test_a_read_only_file_system_is_said_to_be_one(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstatvfs

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(volume_module.os, "fstatvfs", lambda fd: ReadOnly() if real(fd) else None)
    with pytest.raises(VolumeReadOnly):
        volume.check()


def test_segments_are_made_found_and_removed_with_their_folders(volume: Volume) -> None:
    tracks, packets = merged(encoded("h264"))
    paths = [segment_path(CAMERA, START_US + n * 120_000_000, RUN, n) for n in range(3)]
    for relative in paths:
        writer = volume.create_segment(relative, identity(), tracks)
        for part in parts_of(tracks, packets):
            writer.append(part)
        writer.close()
    (volume.root / "lost+found").mkdir()
    (volume.root / str(CAMERA) / "notes.txt").write_text("mine")
    (volume.root / str(CAMERA) / "2026-09-21x").mkdir()
    (volume.root / str(uuid4())).symlink_to(volume.root / str(CAMERA))
    assert list(volume.segment_files()) == paths
    size_bytes = (volume.root / paths[0]).stat().st_size
    assert volume.remove_segment(paths[0]) == size_bytes
    assert volume.remove_segment(paths[0]) == 0
    for relative in paths[1:]:
        volume.remove_segment(relative)
    assert sorted(path.name for path in (volume.root / str(CAMERA)).iterdir()) == ["2026-09-21x", "notes.txt"]
    assert list(volume.segment_files()) == []


def test_a_folder_recycled_while_a_segment_is_made_is_made_again(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.check()
    real, tries = os.open, iter([True, False, False])

    def racing(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith(".mp4") and next(tries):
            os.rmdir(volume.root / "camera" / "day")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(folders.os, "open", racing)
    writer = volume.create_segment("camera/day/s.mp4", identity(), (encoded("h264").track,))
    assert writer.path.exists()
    writer.abandon()


def test_removing_never_leaves_the_volume(volume: Volume, tmp_path: Path) -> None:
    (tmp_path / "precious.mp4").write_text("x")
    for relative in ("../precious.mp4", str(tmp_path / "precious.mp4"), ".watchdeck/volume.json"):
        with pytest.raises(InvalidInput):
            volume.remove_segment(relative)
    (volume.root / "link").symlink_to(tmp_path)
    with pytest.raises(VolumeError):
        volume.remove_segment("link/precious.mp4")
    assert (tmp_path / "precious.mp4").exists()


def test_segment_paths_are_utc_and_unique() -> None:
    relative = segment_path(CAMERA, 1_790_000_000_123_456, RUN, 7)
    assert relative == f"{CAMERA}/2026-09-21/141320.123456Z-44444444-7.mp4"
    assert re.fullmatch(r"[\w./-]+", relative)
    assert segment_path(CAMERA, 0, RUN, 0).split("/")[1:] == ["1970-01-01", "000000.000000Z-44444444-0.mp4"]


def test_sync_is_one_call_for_the_whole_volume(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    volume.sync()
    calls: list[int] = []

    class Libc:
        @staticmethod
        def syncfs(fd: int) -> int:
            calls.append(fd)
            ctypes.set_errno(errno.EIO)
            return -1

    monkeypatch.setattr(volume_module, "_LIBC", Libc)
    with pytest.raises(VolumeFailed, match="Rack 1"):
        volume.sync()
    assert len(calls) == 1


def test_the_copy_of_the_settings_holds_no_credentials(volume: Volume) -> None:
    camera = Camera(
        id=3, uuid=CAMERA, name="Dock ö", url="rtsp://bob:secret@10.0.0.7:554/a?b=c", user="bob", group="main"
    )
    assert volume.read_settings_copy() == ()
    volume.write_settings_copy([camera])
    content = (volume.root / ".watchdeck" / "cameras.json").read_text()
    assert "secret" not in content
    (copy,) = volume.read_settings_copy()
    assert (copy.uuid, copy.name, copy.url, copy.group) == (
        CAMERA,
        "Dock ö",
        "rtsp://10.0.0.7:554/a?b=c",
        "main",
    )
    (volume.root / ".watchdeck" / "cameras.json").write_bytes(b"{")
    with pytest.raises(VolumeError, match="damaged"):
        volume.read_settings_copy()


@pytest.mark.parametrize(
    ("total_bytes", "floor_bytes"),
    [
        (64 * 1024**2, 64 * 1024**2 // 10),
        (10 * GIB, GIB),
        (100 * GIB, 5 * GIB),
        (20_000 * GIB, 20 * GIB),
        (0, 0),
    ],
)
def test_the_floor_grows_with_the_volume_up_to_a_limit(total_bytes: int, floor_bytes: int) -> None:
    assert default_floor_bytes(total_bytes) == floor_bytes


def test_paths_on_the_system_disk_are_known_even_before_they_exist() -> None:
    assert is_on_system_disk(Path("/"))
    assert is_on_system_disk(Path("/etc/not/yet/there"))
    assert not is_on_system_disk(Path("/proc/self"))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, VolumeFull),
        (errno.EDQUOT, VolumeFull),
        (errno.EROFS, VolumeReadOnly),
        (errno.EIO, VolumeFailed),
        (errno.ESTALE, VolumeFailed),
        (errno.ENODEV, VolumeFailed),
        (errno.ENOENT, VolumeMissing),
        (errno.ENOTDIR, VolumeMissing),
        (errno.EACCES, VolumeError),
        (None, VolumeError),
    ],
)
def test_every_errno_has_its_meaning(number: int | None, expected: type[VolumeError]) -> None:
    exc = OSError(number, "seen", "/srv/x") if number else OSError("seen")
    error = volume_error(exc, "Rack 1")
    assert type(error) is expected
    assert "Rack 1" in error.what
    assert error.remedy


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_ends_with_whole_parts_that_recover(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {made.stderr.decode().strip()}")
    try:
        small = registered(mount)
        Volume.initialise(mount, small.record.uuid, "Rack 1", STATION)
        tracks, packets = merged(encoded("mjpeg"), encoded("l16"))
        parts = parts_of(tracks, packets)
        writer = small.create_segment(segment_path(CAMERA, START_US, RUN, 0), identity(), tracks)
        places: list[PartPlace] = []
        with pytest.raises(VolumeFull):
            places.extend(writer.append(part) for part in itertools.cycle(parts))
        written_bytes = writer.bytes_written
        assert writer.path.stat().st_size == written_bytes
        summary = writer.close()
        assert summary.bytes == writer.path.stat().st_size
        recovered = recover_segment(writer.path)
        assert len(recovered.parts) > 20
        assert recovered.parts[: len(places)] == tuple(places)
        assert recovered.parts[-1].offset_bytes + recovered.parts[-1].size_bytes == written_bytes
        assert recovered.truncated_bytes == 0
        small.close()
    finally:
        subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_file_system_turned_read_only_is_noticed(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=False).returncode:
        pytest.skip("no tmpfs may be mounted here")
    try:
        small = registered(mount)
        Volume.initialise(mount, small.record.uuid, "Rack 1", STATION)
        small.check()
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        with pytest.raises(VolumeReadOnly):
            small.create_segment("a/b.mp4", identity(), (encoded("h264").track,))
        assert not is_on_system_disk(mount)
    finally:
        small.close()
        subprocess.run(["umount", str(mount)], check=True)
