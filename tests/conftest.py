"""Shared by all tests."""

import os

from hypothesis import settings

# How long an example takes depends on the machine; a test fails by what is wrong, never by how long it took.
settings.register_profile("watchdeck", deadline=None)
# A continuous integration tries the same examples each time: what it refuses is the change, not the luck of the day.
settings.register_profile("continuous", deadline=None, derandomize=True)
settings.load_profile("continuous" if os.environ.get("CI") else "watchdeck")
