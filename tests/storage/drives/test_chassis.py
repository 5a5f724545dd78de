from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.drives.chassis import BUILTIN, Chassis
from storage.errors import ConfigError, FileError, InvalidInput, NotFound

HEAD = 'name = "box"\nrows = [[4, 5], [0, 1]]\n'


def load(tmp_path: Path, text: str) -> Chassis:
    path = tmp_path / "chassis.toml"
    path.write_text(text)
    return Chassis.load(path)


def test_the_shipped_chassis_are_package_data_and_look_as_the_manual_says() -> None:
    for name in BUILTIN:
        assert files("storage.drives").joinpath(f"{name}.toml").is_file()
    eight = Chassis.load("chassis_8").layout
    assert eight.rows == ((4, 5, 6, 7), (0, 1, 2, 3))
    assert not eight.has_mapping
    sixteen = Chassis.load("chassis_16.toml").layout
    assert sixteen.bays == tuple(range(16))
    assert [len(row) for row in sixteen.rows] == [4, 4, 4, 4]


def test_each_way_of_naming_a_socket_finds_its_bay(tmp_path: Path) -> None:
    chassis = load(
        tmp_path,
        HEAD
        + '[[bay]]\nnumber = 0\npath = "pci-0000:00:17.0-ata-1"\n'
        + '[[bay]]\nnumber = 1\nenclosure = "0:0:8:0"\nslot = 3\nside = "left"\n'
        + '[[bay]]\nnumber = 4\nhctl = "2:0:5:0"\n'
        + '[[bay]]\nnumber = 5\ncontroller = "c0:e252:s3"\n',
    )
    assert chassis.bay_of(place="pci-0000:00:17.0-ata-1.0") == 0
    assert chassis.bay_of(place="pci-0000:00:17.0-ata-10.0") is None
    assert chassis.bay_of(enclosure_slot=(("0:0:8:0", "0x5003"), 3)) == 1
    assert chassis.bay_of(enclosure_slot=(("0:0:8:0", "0x5003"), 4)) is None
    assert chassis.bay_of(hctl="2:0:5:0") == 4
    assert chassis.bay_of(controller_slot="c0:e252:s3") == 5
    assert (chassis.side_of(1), chassis.side_of(0), chassis.side_of(None)) == ("left", "", "")
    assert chassis.bay_of() is None


def test_an_exact_path_wins_over_a_pattern(tmp_path: Path) -> None:
    chassis = load(
        tmp_path,
        HEAD
        + '[[bay]]\nnumber = 0\npath = "pci-*-nvme-1"\n[[bay]]\nnumber = 1\npath = "pci-0000:02:00.0-nvme-1"\n',
    )
    assert chassis.bay_of(place="pci-0000:02:00.0-nvme-1") == 1
    assert chassis.bay_of(place="pci-0000:03:00.0-nvme-1") == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 3\nrows = [[0]]", r"name: Expected `str`"),
        ('name = "x"', r"missing required field `rows`"),
        ('name = "x"\nrows = [[0, 0]]', r"rows: bay 0 is there 2 times"),
        ('name = "x"\nrows = [[-1]]', r"rows\[0\]\[0\]: Expected `int` >= 0"),
        (HEAD + "[[bay]]\nnumber = 0\n[[bay]]\nnumber = 1\nslot = true", r"bay\[1\]\.slot: Expected `int"),
        (HEAD + "[[bay]]\nnumber = 9", r"bay\[0\]\.number: 9 is not in rows"),
        (HEAD + '[[bay]]\nnumber = 0\npaht = "x"', r"bay\[0\]: .*unknown field `paht`"),
        (HEAD + '[[bay]]\nnumber = 0\npath = "x"\nhctl = "y"', r"bay\[0\]: path and hctl are given"),
        (HEAD + '[[bay]]\nnumber = 0\nenclosure = "x"', r"bay\[0\]\.slot: missing"),
        (HEAD + "[[bay]]\nnumber = 0\nslot = 1", r"bay\[0\]\.slot: given without enclosure"),
        (HEAD + "[[bay]]\nnumber = 0\n[[bay]]\nnumber = 0", r"bay\[1\]\.number: bay 0 is described twice"),
        (
            HEAD + '[[bay]]\nnumber = 0\npath = "x"\n[[bay]]\nnumber = 1\npath = "x"',
            r"bay\[1\]: the same socket as bay 0",
        ),
        ("rows = ", r"is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_by_its_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        load(tmp_path, text)
    assert "chassis.toml" in raised.value.what


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        Chassis.load(tmp_path / "none.toml")


def test_a_learned_bay_is_kept_and_its_socket_is_taken_from_the_bay_before(tmp_path: Path) -> None:
    file = tmp_path / "state" / "chassis.toml"
    first = Chassis.load("chassis_8").learn(3, "pci-0000:00:17.0-ata-4.0", file)
    assert first.layout.has_mapping
    second = first.learn(7, "pci-0000:00:17.0-ata-4.0", file).learn(0, "c0:e252:s1", file)
    again = Chassis.load(file)
    assert again.bay_of(place="pci-0000:00:17.0-ata-4.0") == 7
    assert again.bay_of(controller_slot="c0:e252:s1") == 0
    assert again.mapping_of(3) is not None
    assert again.text() == second.text()
    assert list(file.parent.iterdir()) == [file]


def test_learning_refuses_what_cannot_be_kept(tmp_path: Path) -> None:
    chassis = Chassis.load("chassis_8")
    with pytest.raises(NotFound, match="no bay 8"):
        chassis.learn(8, "pci-1", tmp_path / "x.toml")
    with pytest.raises(InvalidInput, match="no stable place"):
        chassis.learn(1, "", tmp_path / "x.toml")
    (tmp_path / "a file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        chassis.learn(1, "pci-1", tmp_path / "a file" / "x.toml")


@settings(max_examples=25, deadline=None)
@given(places=st.lists(st.text(min_size=1, max_size=40), min_size=8, max_size=8, unique=True))
def test_whatever_is_learned_is_read_back(
    places: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("chassis") / "chassis.toml"
    chassis = Chassis.load("chassis_8")
    for bay, place in enumerate(places):
        chassis = chassis.learn(bay, place, file)
    again = Chassis.load(file)
    assert again.text() == chassis.text()
    last = places[-1]
    found = again.mapping_of(7)
    assert found is not None
    assert last in (found.path, found.controller)
