"""Pilots here wait for the event loop, not for the processor."""

from tests.pilot_idle import quick_pilot

__all__ = ["quick_pilot"]
