"""Virtual triggers: buttons that exist as long as a rule has them. Manual rows AT-13, VR-01, VR-03."""

from __future__ import annotations

from engine.alarms.access import Publisher
from engine.alarms.kinds import VIRTUAL
from engine.alarms.rule_book import RuleBook
from engine.catalog_access import CatalogAccess
from engine.wire_sources import VirtualTrigger
from storage.catalog.records import EventRecord
from storage.errors import InvalidInput, NotFound

TEXT_LENGTH = 500


class Buttons:
    """Named by the rules, pressed by people."""

    def __init__(self, book: RuleBook, catalog: CatalogAccess, events: Publisher) -> None:
        self._book = book
        self._catalog = catalog
        self._events = events

    async def views(self) -> tuple[VirtualTrigger, ...]:
        """By name, with the rules that have them. Raises what the catalog raises."""
        return tuple(
            [
                VirtualTrigger(name=name, rules=rules, last_fired_us=await self._last_fired_us(name))
                for name, rules in sorted(self._rules().items(), key=lambda item: item[0].casefold())
            ]
        )

    def fire(self, name: str, text: str, actor: str) -> None:
        """Press it: `external.virtual`. Raises NotFound, InvalidInput."""
        if len(text) > TEXT_LENGTH:
            raise InvalidInput(f"$.text is longer than {TEXT_LENGTH} characters", "shorten it")
        folded = name.strip().casefold()
        button = next((known for known in self._rules() if known.casefold() == folded), None)
        if button is None:
            raise NotFound(
                f"no virtual trigger {name!r}", "a rule makes it: give it the trigger `external.virtual`"
            )
        words = " ".join(text.split())
        self._events.publish(VIRTUAL, words or f"{button} pressed", source=button, actor=actor)

    def _rules(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for rule in self._book:
            for trigger in rule.body.triggers:
                if trigger.kind == VIRTUAL:
                    for button in trigger.sources:
                        rules = found.get(button, ())
                        if rule.row.name not in rules:
                            found[button] = (*rules, rule.row.name)
        return found

    async def _last_fired_us(self, button: str) -> int | None:
        newest: list[EventRecord] = await self._catalog.read(
            "events", limit=1, kinds=[VIRTUAL], source=button
        )
        return newest[0].time_us if newest else None
