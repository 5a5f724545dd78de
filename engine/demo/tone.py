"""A quiet G.711 clock for the demo cameras with a microphone: a soft hum, and a beep at each full second UTC."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SAMPLE_RATE_HZ = 8000
_HUM_HZ, _BEEP_HZ = 110, 1000
_BEEP_SAMPLES = 800
_CLIP, _BIAS = 32635, 132


@lru_cache(maxsize=1)
def _second() -> bytes:
    """One second of PCMU; both tones have whole periods in it, so that it repeats without a click."""
    times = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    wave = 250 * np.sin(2 * np.pi * _HUM_HZ * times)
    wave[:_BEEP_SAMPLES] += 1500 * np.sin(2 * np.pi * _BEEP_HZ * times[:_BEEP_SAMPLES])
    return mu_law(wave.astype(np.int32))


def mu_law(samples: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> bytes:
    """16-bit samples to G.711 mu-law (ITU-T G.711 table 2a)."""
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = (np.floor(np.log2(magnitude)) - 7).astype(np.int32)
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 0x80, 0)
    coded = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return bytes(coded.astype(np.uint8))


def samples_at(first_sample: int, count: int) -> bytes:
    """`count` samples of the endless tone; sample 0 is a full second."""
    start = first_sample % SAMPLE_RATE_HZ
    second = _second()
    return (second * (2 + count // SAMPLE_RATE_HZ))[start : start + count]
