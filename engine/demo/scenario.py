"""Scenarios: files of steps that are played on the demo's simulated chassis. Read and checked before anything starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.client import EngineClient
from engine.demo.child import DemoFailed
from engine.wire_chassis import SimulatedStep
from storage.errors import InvalidInput, WatchdeckError
from storage.simulated_steps import Step, parse_step

SHIPPED = Path(__file__).with_name("scenarios")
SIZE_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A step and where it stands."""

    number: int
    text: str
    step: Step


def read_scenario(path: Path) -> tuple[Line, ...]:
    """A file, or the name of one that is shipped. Raises DemoFailed that names the line."""
    shipped = SHIPPED / f"{path}.txt"
    file = shipped if path.name == str(path) and not path.exists() and shipped.exists() else path
    try:
        if file.stat().st_size > SIZE_LIMIT_BYTES:
            raise DemoFailed(f"{file} is no scenario: it is too large")
        text = file.read_text(encoding="utf-8")
    except OSError as exc:
        names = ", ".join(sorted(scenario.stem for scenario in SHIPPED.glob("*.txt")))
        raise DemoFailed(f"{path} cannot be read: {exc.strerror}", f"shipped scenarios: {names}") from None
    except UnicodeDecodeError:
        raise DemoFailed(f"{file} is no scenario: it is no text") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, name: str) -> tuple[Line, ...]:
    """One step a line; empty lines and those that begin with # are left out. Raises DemoFailed that names the line."""
    lines: list[Line] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.strip()
        if not words or words.startswith("#"):
            continue
        try:
            lines.append(Line(number, words, parse_step(words)))
        except InvalidInput as exc:
            raise DemoFailed(f"{name}, line {number}: {exc.what}", exc.remedy) from None
    if not lines:
        raise DemoFailed(f"{name} has no steps")
    return tuple(lines)


async def play(client: EngineClient, lines: tuple[Line, ...], say: Callable[[str], None]) -> None:
    """Step by step; one that the chassis refuses (an empty bay, say) is said and left out."""
    for line in lines:
        if line.step.verb == "wait":
            await asyncio.sleep(line.step.amount or 0)
            continue
        say(line.step.what if line.step.verb == "say" else f"  {line.text}")
        try:
            await client.simulate(SimulatedStep(step=line.text))
        except WatchdeckError as exc:
            say(f"  line {line.number}: {exc}")
