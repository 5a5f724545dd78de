"""docs/commands.md and docs/errors.md say what the program does, no more and no less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from storage.catalog.check import FindingKind
from storage.errors import error_classes
from tui.cli.main import cli

DOCS = Path(__file__).resolve().parents[3] / "docs"


def commands(group: click.Group = cli, path: str = "watchdeck") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def sections() -> dict[str, str]:
    """Text below each heading that is a command, by the command's words."""
    found = {}
    for section in (DOCS / "commands.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        words = heading.strip("`").split()
        found[" ".join(word for word in words if word == word.lower() and "|" not in word)] = text
    return found


COMMANDS = dict(commands())


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert sorted(sections()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "".join(_rows(sections()[name]))))
    known: set[str] = set()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts} has no help"
            known.update(parameter.opts, parameter.secondary_opts)
    assert documented == known


def _rows(text: str) -> list[str]:
    """First cells of the option table."""
    return [line.split("|")[1].replace("\\", "") for line in text.splitlines() if line.startswith("| `-")]


def test_groups_and_the_root_have_help() -> None:
    assert cli.help
    for command in cli.commands.values():
        assert command.help


def test_options_of_the_root_are_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8").split("\n## ")[0]
    for option in ("--socket PATH", "--help", "--version", "--json"):
        assert option in text


def test_every_error_code_is_documented_with_its_exit_code() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    for code, cls in error_classes().items():
        assert f"`{code}`" in text, code
        assert re.search(rf"^\| {cls.exit_code} \|", text, re.MULTILINE), code


def test_every_finding_of_fsck_is_documented() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert [kind for kind in FindingKind if f"| `{kind}` |" not in text] == []
