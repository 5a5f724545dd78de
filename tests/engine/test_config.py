"""station.toml: what is accepted, and how mistakes are named."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from engine.config import DEFAULT_CONFIG, StationConfig, load_config, parse_config
from engine.decoding import path_and_reason
from storage.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "packaging" / "station.toml"


def test_empty_file_is_the_defaults() -> None:
    assert parse_config("", "x") == StationConfig()


def test_documented_example_holds_every_key_with_its_default() -> None:
    text = EXAMPLE.read_text()
    assert parse_config(text, "x") == StationConfig()
    defaults = msgspec.to_builtins(StationConfig())
    documented = msgspec.toml.decode(text)
    assert {name: set(keys) for name, keys in documented.items()} == {
        name: set(keys) for name, keys in defaults.items()
    }
    for line in text.splitlines():
        assert line == "" or re.match(r"#|\[\w+\]$|\w+ = ", line)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[recording]\nsegmnt_s = 5", "$.recording.segmnt_s: unknown key"),
        ("[recroding]\nsegment_s = 5", "$.recroding: unknown key"),
        ("[recording]\nsegment_s = 1", "$.recording.segment_s: expected `int` >= 10"),
        ("[recording]\nsegment_s = '5'", "$.recording.segment_s: expected `int`, got `str`"),
        ("[log]\nlevel = 'loud'", "$.log.level"),
        ("[pictures]\nworkers = 0", "$.pictures.workers"),
        ("[api]\nsocket = 'engine.sock'", "$.api.socket: not an absolute path"),
        ("[chassis]\nsocket = 'drives.sock'", "$.chassis.socket: not an absolute path"),
        ("[station", "is not TOML"),
    ],
)
def test_mistakes_name_the_key_and_the_file(content: str, named: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(content, "/etc/x.toml")
    assert named in raised.value.what
    assert "/etc/x.toml" in raised.value.what
    assert raised.value.exit_code == 78


def test_named_file_must_exist_and_the_default_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "no.toml")
    monkeypatch.setattr("engine.config.DEFAULT_CONFIG", tmp_path / "no.toml")
    assert load_config(None) == StationConfig()
    (tmp_path / "no.toml").write_text("[station]\nname = 'Yard'")
    assert load_config(None).station.name == "Yard"
    assert DEFAULT_CONFIG.is_absolute()


def test_file_that_is_no_text_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Expected `str` of length >= 1", "is empty"),
        ("Expected `array` of length >= 1", "is empty"),
        ("Expected `str` of length >= 8", "is shorter than 8 characters"),
        ("Expected `str` of length <= 128", "is longer than 128 characters"),
        ("Expected `array` of length >= 3", "has fewer than 3 items"),
        ("Expected `array` of length <= 500", "has more than 500 items"),
        ("Expected `object` of length <= 9", "has more than 9 items"),
    ],
)
def test_lengths_are_said_in_words(said: str, reason: str) -> None:
    assert path_and_reason(msgspec.ValidationError(f"{said} - at `$.name`")) == ("$.name", reason)


def test_other_validation_errors_keep_msgspecs_words() -> None:
    assert path_and_reason(msgspec.ValidationError("Expected `int`, got `str` - at `$.a[0].b`")) == (
        "$.a[0].b",
        "expected `int`, got `str`",
    )
    assert path_and_reason(msgspec.ValidationError("Odd")) == ("$", "odd")
