"""`watchdeck verify`: runs without an engine, on any machine."""
