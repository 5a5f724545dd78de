"""Health samples: rates from counters, and that the real ones can be read."""

from __future__ import annotations

from engine.health import Counters, HealthProbe, LinkDetails, health_between
from storage.clock import SystemClock

LINKS = {"eth0": LinkDetails(is_up=True, speed_bps=1_000_000_000)}


def counters(monotonic_us: int, busy_s: float, total_s: float, engine_s: float, received: int) -> Counters:
    return Counters(monotonic_us, busy_s, total_s, engine_s, {"eth0": received}, {"eth0": 0})


def test_rates_come_from_differences() -> None:
    health = health_between(
        counters(0, 10, 100, 1, 1000),
        counters(2_000_000, 11, 104, 2, 251_000),
        memory_percent=12.5,
        engine_rss_bytes=5,
        links=LINKS,
        processors=2,
    )
    assert health.cpu_percent == 25.0
    assert health.engine_cpu_percent == 25.0
    (link,) = health.links
    assert (link.name, link.receive_bps, link.send_bps, link.is_up) == ("eth0", 1_000_000, 0, True)


def test_counters_that_begin_anew_are_no_rates() -> None:
    health = health_between(
        counters(0, 10, 100, 1, 5000),
        counters(1_000_000, 10, 100, 1, 10),
        memory_percent=0,
        engine_rss_bytes=0,
        links=LINKS,
        processors=1,
    )
    assert health.links[0].receive_bps == 0
    assert health.cpu_percent == 0.0


def test_first_sample_has_no_rates_and_no_division_by_zero() -> None:
    now = counters(5, 1, 1, 1, 1)
    health = health_between(now, now, memory_percent=0, engine_rss_bytes=0, links=LINKS, processors=1)
    assert (health.cpu_percent, health.engine_cpu_percent, health.links[0].receive_bps) == (0.0, 0.0, 0)


def test_this_machine_can_be_sampled() -> None:
    probe = HealthProbe(SystemClock())
    probe.sample()
    health = probe.sample()
    assert 0 < health.memory_percent <= 100
    assert health.engine_rss_bytes > 1_000_000
    assert not any(link.name == "lo" for link in health.links)
