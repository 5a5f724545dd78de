"""Cameras' own events, presets and inputs and outputs, by ONVIF (docs/onvif.md). Recording neither knows nor needs it."""
