"""Several phones worked side by side (``offhook run --jobs N``): one lane, one phone, one account, one attempt.

Only tests that say so (mark ``side_by_side``) share the station: those whose judgements are about their own phone and
call. A lane sees everything the station sees and touches its own phone alone; what fails in it, or does not answer, is
put at rest there and does not disturb the others. Observations that name a phone go to the attempt on that phone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import pytest

from offhook.bench.accounts import Account
from offhook.bench.attempts import Attempts, phone_of
from offhook.bench.devices import CtiClient, Station, Trunk
from offhook.bench.measure import Measure
from offhook.bench.phone import Phone
from offhook.bench.record import RunRecord
from offhook.bench.safety import SafeItem, SafeReport
from offhook.bench.station_model import ref
from offhook.drivers.errors import DeviceError

FIXTURES = {"station", "desk", "record", "measure", "phone_name", "repetition"}
"""What a test in a lane may ask for."""
LIMIT_S = 3600.0
"""A test in a lane that takes longer hangs."""


class LaneStation(Station):
    """The station as one of several tests sees it that run at the same time; ``close`` ends it."""

    alone = False

    def __init__(self, whole: Station, record: RunRecord, phone: str, login: str) -> None:
        self.__dict__.update(whole.__dict__)
        self.record = record
        self.watch = whole.watch.beside(record, keep=("hook", "seizure"))
        self.trunk = Trunk(self.watch)
        self._cti = CtiClient(self.rig, self.watch) if whole._cti is not None else None
        self.phones = {name: self._seen_from_here(other) for name, other in whole.phones.items()}
        self._mine = self.phones[phone]
        self._login = login
        self._accounts: dict[str, Account] = {}
        self.close: Callable[[], None] = lambda: whole.watch.leave(self.watch)

    def _seen_from_here(self, other: Phone) -> Phone:
        return Phone(other.name, other.model, self.rig, other._keypad, self.listener, self.watch)

    def account(self, name: str) -> Account:
        """The account of this lane, whoever is asked for."""
        return super().account(self._login)

    def begin(self) -> None:
        """Put this phone on hook; the station was made ready for all lanes together."""
        self._rest()
        self.watch.forget(keep=("hook", "seizure"))

    def _rest(self) -> None:
        for account in self._accounts.values():
            account.abandon()
        self._mine.hang_up()
        self.clock.sleep(0.5)

    def make_safe(self) -> SafeReport:
        """Bring the contacts of this phone to their safe position. Never raises."""
        start_s, items = self.clock.now_s(), []
        model = self._mine.model
        safe = {contact: False for contact in (*model.keypad.rows, *model.keypad.columns, *model.keypad.keys.values())}
        for contact, closed in (safe | {model.hook.contact: model.hook.safe == "closed"}).items():
            error = ""
            try:
                self.rig.relays[ref(contact).board].set(ref(contact).number, closed)
            except DeviceError as trouble:
                error = str(trouble)
            items.append(SafeItem(contact, "closed" if closed else "open", "as commanded", error=error))
        return SafeReport(start_s, self.clock.now_s() - start_s, tuple(items))


class Lanes:
    """Runs groups of tests at the same time, and remembers how each ended until pytest comes to it."""

    def __init__(self, attempts: Attempts, jobs: int) -> None:
        self._attempts = attempts
        self._station = attempts.session.station
        model = self._station.model
        lines = sum(len(trunk.seized) for trunk in model.trunk.values())
        self._logins = list(model.accounts)
        self.width = min(jobs, len(model.ivr), len(self._logins), len(model.phone), lines or jobs)
        self._ended: dict[str, BaseException | None] = {}

    def group(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """The tests at the head of a list that can be run together; none if the first of them cannot."""
        found: list[pytest.Item] = []
        phones: set[str] = set()
        for item in items:
            phone = phone_of(item)
            same = not found or _function(item) is _function(found[0])
            if len(found) == self.width or not _fits(item) or not same or phone in phones:
                break
            if not self._attempts.left_alone(item) and not self.has(item):
                found.append(item)
                phones.add(phone)
        return found if len(found) > 1 and found[0] is items[0] else []

    def run(self, items: Sequence[pytest.Item]) -> None:
        """Run tests side by side, each an attempt of its own."""
        self._station.begin()
        tasks = [
            self._station.clock.spawn(self._job(item, login)) for item, login in zip(items, self._logins, strict=False)
        ]
        for item, task in zip(items, tasks, strict=True):
            self._ended[item.nodeid] = task.join(LIMIT_S)
        self._station.end()

    def has(self, item: pytest.Item) -> bool:
        """True if a test was run in a lane."""
        return item.nodeid in self._ended

    def finish(self, item: pytest.Item) -> None:
        """End a test that was run in a lane as it ended there."""
        error = self._ended[item.nodeid]
        if error is not None:
            raise error

    def _job(self, item: pytest.Item, login: str) -> Callable[[], BaseException | None]:
        def run() -> BaseException | None:
            phone = phone_of(item)
            extension = self._station.model.phone[phone].extension
            record = self._station.record.lane((phone, extension, login))
            station = LaneStation(self._station, record, phone, login)
            given = {
                "station": station,
                "desk": station.phone(phone),
                "record": record,
                "measure": Measure(record),
                "phone_name": phone,
                "repetition": 0,
            }
            function = _function(item)
            try:
                with self._attempts.beside(station).made(item):
                    function(**{name: given[name] for name in inspect.signature(function).parameters})
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # what pytest makes of it, it makes when it comes to this test
                return error
            finally:
                station.close()
            return None

        return run


def _function(item: pytest.Item) -> Callable[..., None]:
    function: Callable[..., None] = item.obj  # type: ignore[attr-defined]
    return function


def _fits(item: pytest.Item) -> bool:
    """True for a test that may run beside others."""
    marked = item.get_closest_marker("side_by_side") is not None
    return marked and bool(phone_of(item)) and set(inspect.signature(_function(item)).parameters) <= FIXTURES
