"""Shared by all tests."""

from hypothesis import settings

# How long an example takes depends on the machine; a test fails by what is wrong, never by how long it took.
settings.register_profile("watchdeck", deadline=None)
settings.load_profile("watchdeck")
