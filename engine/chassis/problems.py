"""What keeps parts of the box from working: shown while it lasts, said once when it comes and once when it goes. Loop only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.chassis.happenings import Happening, happening
from storage.raid.inventory import Inventory, Problem

Key = tuple[str, str]
"""Code and words of a problem."""


class Problems:
    """Those of the inventory, and the service's own, by the part that has one."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        say: Callable[[Iterable[Happening]], None],
        changed: Callable[[], None],
    ) -> None:
        self._inventory = inventory
        self._say = say
        self._changed = changed
        self._own: dict[str, Problem] = {}
        self._told: frozenset[Key] = frozenset()

    def put(self, part: str, problem: Problem | None) -> None:
        """None: this part works (again)."""
        if self._own.get(part) == problem:
            return
        if problem is None:
            del self._own[part]
        else:
            self._own[part] = problem
        self.tell()
        self._changed()

    def all(self) -> tuple[Problem, ...]:
        inventory = self._inventory()
        found: dict[Key, Problem] = {}
        for problem in (
            *self._own.values(),
            *inventory.problems,
            *(each for controller in inventory.controllers for each in controller.problems),
        ):
            found.setdefault((problem.code, problem.what), problem)
        return tuple(found.values())

    def tell(self) -> None:
        """What is new and what is over."""
        now = {(problem.code, problem.what): problem for problem in self.all()}
        for key, problem in now.items():
            if key not in self._told:
                text = f"{problem.what} ({problem.remedy})" if problem.remedy else problem.what
                self._say([happening("chassis.problem", text)])
        for _, what in sorted(self._told - now.keys()):
            self._say([happening("chassis.problem_solved", f"No longer: {what}")])
        self._told = frozenset(now)
