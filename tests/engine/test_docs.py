"""docs/events.md and docs/operations.md say what the engine does, no more and no less."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec

from engine.alarms.kinds import TRIGGER_KINDS, VIRTUAL
from engine.chassis.happenings import KINDS
from engine.config import StationConfig
from engine.wire import VolumeState

ROOT = Path(__file__).parents[2]
KIND = re.compile(r"[a-z_]+\.[a-z_]+\Z")


def published_kinds() -> set[str]:
    """Of every call of `publish`: a literal, a choice of literals kept in a variable, a volume's state, or what can happen to the box."""
    kinds: set[str] = set()
    for path in (ROOT / "engine").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "publish":
                    continue
                kinds |= kinds_of(call.args[0], function, tree)
    return kinds


def kinds_of(argument: ast.expr, function: ast.AST, module: ast.AST) -> set[str]:
    if ast.unparse(argument) in ("f'{kind}_high'", "f'{kind}_ok'"):
        return set()  # of cpu, memory and network: a rule can be triggered by all of them
    if isinstance(argument, ast.JoinedStr):
        assert ast.unparse(argument) == "f'volume.{thread.state}'"
        return {f"volume.{state}" for state in VolumeState if state is not VolumeState.OK}
    if ast.unparse(argument) == "said.kind":
        return set(KINDS)
    source: ast.AST = argument
    if isinstance(argument, ast.Name):
        if argument.id == "kind" and not assigned(argument.id, function):
            return set()  # given by the caller: one of those a rule can be triggered by
        if argument.id == "VIRTUAL":
            return {VIRTUAL}
        source = assigned(argument.id, function) or assigned(argument.id, module) or argument
    found = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KIND.match(node.value)
    }
    assert found, ast.unparse(argument)
    return found


def assigned(name: str, where: ast.AST) -> ast.expr | None:
    return next(
        (
            node.value
            for node in ast.walk(where)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        ),
        None,
    )


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]


def test_every_kind_of_event_is_documented_once() -> None:
    cells = first_cells((ROOT / "docs" / "events.md").read_text(encoding="utf-8"))
    documented = [kind for cell in cells for kind in re.findall(r"`([^`]+)`", cell)]
    triggers = {kind.kind for kind in TRIGGER_KINDS if "." in kind.kind}
    assert sorted(documented) == sorted(published_kinds() | triggers)


def test_every_key_of_the_configuration_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("## station.toml")[2].partition("\n## ")[0]
    documented = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            _, key, default, *_ = (cell.strip() for cell in line.split("|"))
            documented[key.strip("`")] = default
    assert documented == {
        f"{name}.{key}": str(value)
        for name, keys in msgspec.to_builtins(StationConfig()).items()
        for key, value in keys.items()
    }


def test_every_exit_code_of_the_engine_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes of the engine")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    stated = re.search(
        r"Exit codes\n\(documented.*?\n\"\"\"", (ROOT / "engine" / "__main__.py").read_text(), re.DOTALL
    )
    assert stated is not None
    assert documented == re.findall(r"[:;.]\s+(\d+) ", stated[0].replace("\n", " "))


def test_every_command_named_exists() -> None:
    known = set()
    for section in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").split("\n## `")[1:]:
        known.add(
            " ".join(word for word in section.partition("`")[0].split() if word.islower() and "|" not in word)
        )
    for name in ("events.md", "operations.md", "drives.md", "chassis-file.md", "smart.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for words in re.findall(r"`watchdeck ([a-z-]+(?: [a-z-]+)?)", text):
            assert {f"watchdeck {words}", f"watchdeck {words.split()[0]}"} & known, words
