"""The reference cloud with a scripted PBX behind it and the bench's own client before it."""

from __future__ import annotations

import random
from typing import Any

import httpx
from broken import break_cloud
from cloud_pbx import ScriptedPbx

from offhook.drivers.clock import Clock
from offhook.drivers.cloud import Association
from offhook.drivers.cloud.http import HttpCloud
from offhook.drivers.links import Grade, Link
from offhook.fixtures.asgi import AsgiTransport
from offhook.fixtures.cloud.assembly import ReferenceCloud, build_cloud
from offhook.fixtures.cloud.ivr import IvrLine
from offhook.fixtures.simclock import SimClock

IVR_NUMBER = "+33390677069"


def station(**options: Any) -> dict[str, Any]:
    """What the cloud needs of a station file."""
    return {
        "name": "test",
        "pbx": {"lock_prefix": "*66", "country": "33", "ddi_ranges": ["+333906710"]},
        "cloud": {"admin": "admin-token", "accounts": {"alice": "alice-pw", "bob": "bob-pw"}},
        "phone": {
            "desk-1": {"extension": "1001", "name": "Alice", "ddi": "+33390671001"},
            "desk-2": {"extension": "1002", "name": "Bob Bobson", "ddi": "+33390671002"},
            "desk-3": {"extension": "1003", "name": "Conference", "ddi": "+33390671003", "monitorable": False},
        },
        "ivr": {"1": {"number": IVR_NUMBER}, "2": {"number": IVR_NUMBER}},
        "options": {"lock": "none", **options},
    }


class Room:
    """The service, its PBX, a client, and shorthand for the way to each point of the flow."""

    def __init__(self, config: dict[str, Any] | None = None, database: str = ":memory:", seed: int = 1) -> None:
        self.clock = SimClock()
        self.pbx = ScriptedPbx(self.clock)
        self.cloud: ReferenceCloud = build_cloud(
            self.clock,
            config or station(),
            self.pbx.factory,
            seeded=random.Random(seed),
            allow_next_codes=True,
            database=database,
        )
        break_cloud(self.cloud)
        self.transport = AsgiTransport(self.cloud.app)
        accounts = {"alice": "alice-pw", "bob": "bob-pw", "mallory": "mallory-pw"}
        self.api = HttpCloud(_OneService(self.clock, self.transport), "end://cloud", accounts, "admin-token")
        self.wait(0.1)

    def close(self) -> None:
        self.api.close()
        self.transport.shut()
        self.cloud.close()

    def wait(self, duration_s: float) -> None:
        self.clock.sleep(duration_s)

    def state(self, association: str, account: str = "alice") -> Association:
        return self.api.association(account, association)

    def steps(self, association: str, account: str = "alice") -> list[str]:
        return [step.step for step in self.api.steps(account).steps if step.association == association]

    def step_data(self, association: str, name: str, account: str = "alice") -> dict[str, Any]:
        found = [s.data for s in self.api.steps(account).steps if (s.association, s.step) == (association, name)]
        return found[-1]

    # ---- the way

    def request(self, account: str = "alice", extension: str = "1001") -> str:
        return self.api.request_association(account, extension).id

    def ringing(self, account: str = "alice", extension: str = "1001") -> str:
        """S1 to S15."""
        association = self.request(account, extension)
        self.api.complete(account, association)
        self.wait(0.5)
        return association

    def context_digits(self) -> str:
        return self.pbx.dialled()[-1].partition("*")[2]

    def call_ivr(self, calling: str = "+33390671001", presentation: str = "allowed", port: int = 1) -> IvrLine:
        line = self.cloud.ivr.answer(port)
        line.seize(calling if presentation == "allowed" else "", presentation, IVR_NUMBER)
        return line

    def lifted(self, account: str = "alice", extension: str = "1001") -> str:
        """... and the phone is lifted: the trunk is seized."""
        association = self.ringing(account, extension)
        self.pbx.lift(extension)
        return association

    def prompted(self, account: str = "alice", extension: str = "1001", port: int = 1) -> tuple[str, IvrLine]:
        """... and the IVR has asked for the code."""
        association = self.lifted(account, extension)
        line = self.call_ivr(f"+3339067{extension}", port=port)
        self.key(line, self.context_digits())
        return association, line

    def key(self, line: IvrLine, digits: str, gap_s: float = 0.2) -> None:
        for digit in digits:
            self.wait(gap_s)
            line.hear_digit(digit)

    def associated(self, account: str = "alice", extension: str = "1001") -> str:
        """All the way."""
        association, line = self.prompted(account, extension)
        self.key(line, self.api.code(account, association))
        self.wait(5.0)
        self.pbx.hang_up(extension)
        assert self.state(association, account).state == "NOTIFIED"
        return association


class _OneService:
    """Wires with one HTTP service on them."""

    grade = Grade.SIMULATED
    guarded = False

    def __init__(self, clock: Clock, transport: httpx.BaseTransport) -> None:
        self.clock = clock
        self._transport = transport

    def link(self, address: str, baud: int = 9600) -> Link:
        raise NotImplementedError

    def http(self, address: str) -> tuple[str, httpx.BaseTransport | None]:
        return "http://cloud", self._transport

    def close(self) -> None:
        pass
