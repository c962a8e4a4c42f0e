from __future__ import annotations

from typing import Any

from offhook.bench.watch import Watch
from offhook.fixtures.simclock import SimClock


class Rows:
    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def observe(self, probe: str, wire: str, kind: str, subject: str, time_s: float, u_s: float, **data: Any) -> int:
        self.rows.append((probe, wire, kind, subject, time_s, u_s, data))
        return len(self.rows)


def watch_with(*sightings: tuple[str, str, float, dict[str, Any]]) -> Watch:
    watch = Watch(SimClock(), Rows())
    for kind, subject, time_s, data in sightings:
        watch.note("C", "wire", kind, subject, time_s, 0.01, **data)
    return watch


def test_every_sighting_becomes_an_observation_with_its_id() -> None:
    rows = Rows()
    watch = Watch(SimClock(), rows)

    seen = watch.note("G-r", "arduino/2", "ring", "desk-1", 1.5, 0.005, active=True)

    assert seen.id == 1
    assert rows.rows == [("G-r", "arduino/2", "ring", "desk-1", 1.5, 0.005, {"active": True})]


def test_first_is_the_earliest_by_time_not_by_arrival() -> None:
    watch = watch_with(("cti", "1001", 2.0, {"name": "b"}), ("cti", "1001", 1.0, {"name": "a"}))

    first = watch.first("cti")

    assert first is not None
    assert first.data["name"] == "a"


def test_a_sighting_is_found_by_subject_time_and_data() -> None:
    watch = watch_with(("ring", "desk-1", 1.0, {"active": True}), ("ring", "desk-2", 2.0, {"active": True}))

    assert watch.first("ring", 1.5, "desk-1") is None
    assert watch.first("ring", 0.0, "desk-2", active=False) is None
    assert watch.first("ring", 0.0, "desk-2", active=True) is not None


def test_expect_waits_for_what_comes_later_and_gives_up_at_its_limit() -> None:
    watch = watch_with()
    clock = watch.clock
    clock.call_at(3.0, lambda: watch.note("R", "w", "hook", "desk-1", clock.now_s(), 0.0))  # type: ignore[arg-type, return-value]

    assert watch.expect("hook", 2.0) is None
    assert clock.now_s() == 2.0
    assert watch.expect("hook", 2.0) is not None
    assert clock.now_s() == 3.0


def test_forget_keeps_the_last_level_of_what_is_named() -> None:
    watch = watch_with(
        ("hook", "desk-1", 1.0, {"active": True}),
        ("hook", "desk-1", 2.0, {"active": False}),
        ("ring", "desk-1", 3.0, {"active": True}),
    )

    watch.forget(keep=("hook",))

    assert [seen.data for seen in watch.all("hook")] == [{"active": False}]
    assert watch.first("ring") is None
