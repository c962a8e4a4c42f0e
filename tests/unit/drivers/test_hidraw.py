"""HID relay boards as Linux shows them: the system calls, finding a board by its letters, and the link over both.

There is no hidraw device here; a stand-in takes the calls and does with the reports what a simulated board does.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from offhook.bench.contract.relay import RelayContract
from offhook.bench.guardian_board import Armed, Safed, make_safe
from offhook.drivers import hidraw
from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import LabWires, PipeLink
from offhook.drivers.relay.hid import HidBoard, HidProtocol
from offhook.fixtures.relayboards import HidEnd
from offhook.fixtures.simclock import SimClock

SET_FEATURE_9, GET_FEATURE_9 = 0xC0094806, 0xC0094807
"""HIDIOCSFEATURE(9) and HIDIOCGFEATURE(9) of linux/hidraw.h, as a C compiler makes them."""
OPEN_HID = hidraw.open_hid


class Kernel:
    """Boards by the name of their device; takes ioctl calls on opened ones."""

    def __init__(self, place: Path) -> None:
        self.clock = SimClock()
        self.dev, self.sys = place / "dev", place / "sys"
        self.dev.mkdir()
        self.sys.mkdir()
        self.ends: dict[str, HidEnd] = {}
        self.links: dict[str, PipeLink] = {}
        self.gone = False

    def plug_in(self, name: str, letters: str, vendor: str = "16C0", product: str = "05DF") -> HidEnd:
        (self.dev / name).write_bytes(b"")
        (self.sys / name / "device").mkdir(parents=True)
        uevent = f"DRIVER=hid-generic\nHID_ID=0003:0000{vendor}:0000{product}\nHID_NAME=www.dcttech.com USBRelay8\n"
        (self.sys / name / "device" / "uevent").write_text(uevent)
        near, far = PipeLink.pair(self.clock, name)
        end = HidEnd(self.clock, name, 8, lambda relay, closed: None)
        end.identity = "".join(f"{ord(letter) - ord('A'):X}" for letter in letters) + "000"
        end.connect(far)
        self.ends[name], self.links[name] = end, near
        return end

    def ioctl(self, file: int, number: int, report: bytearray) -> int:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        name = Path(f"/proc/self/fd/{file}").readlink().name
        assert report[0] == 0
        heard = bytearray()
        self.links[name].attach(heard.extend, lambda reason: None)
        if number == SET_FEATURE_9:
            assert len(report) == 9
            self.links[name].send(b"\x09" + bytes(report[1:]))
        else:
            assert number == GET_FEATURE_9
            self.links[name].send(b"\x01")
        self.clock.sleep(0.005)
        report[1 : 1 + len(heard)] = heard
        return 9

    def open(self, address: str) -> hidraw.HidDevice:
        return OPEN_HID(address, self.ioctl, self.sys, str(self.dev))

    def board(self, address: str) -> HidBoard:
        link = hidraw.HidLink(self.clock, address, self.open)
        return HidBoard("keys", self.clock, link, HidProtocol(8))


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_the_calls_are_those_of_the_kernels_header() -> None:
    assert hidraw.request(0x06, 9) == SET_FEATURE_9
    assert hidraw.request(0x07, 9) == GET_FEATURE_9


@pytest.mark.req("DRV-SER.1")
class TestThroughHidraw(RelayContract):
    @pytest.fixture
    def clock(self, kernel: Kernel) -> Clock:
        return kernel.clock

    @pytest.fixture
    def board(self, kernel: Kernel) -> HidBoard:
        kernel.plug_in("hidraw0", "ABCDE")
        return kernel.board("hid://16c0:05df/ABCDE")


def test_a_board_is_found_by_its_letters_whatever_its_number(kernel: Kernel) -> None:
    kernel.plug_in("hidraw0", "AAAAA", vendor="046D", product="C31C")
    kernel.plug_in("hidraw1", "BCDEF")
    wanted = kernel.plug_in("hidraw2", "FEDCB")
    board = kernel.board("hid://16c0:05df/FEDCB")
    assert board.connect() == "HID relay board FEDCB, 8 relays"
    board.set(4, True)
    assert [relay for relay, closed in enumerate(wanted.closed) if closed] == [4]
    board.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("hid://16c0:05df/XYZZY", "no such device; there are ABCDE, BCDEF"),
        ("hid://1234:5678", "no such device is plugged in"),
        ("hid://relay", "not hid://VENDOR:PRODUCT/LETTERS"),
    ],
)
def test_a_board_that_is_not_there_is_told_with_those_that_are(kernel: Kernel, address: str, words: str) -> None:
    kernel.plug_in("hidraw0", "ABCDE")
    kernel.plug_in("hidraw1", "BCDEF")
    with pytest.raises(DeviceGone, match=words):
        kernel.board(address)


@pytest.mark.req("DRV-SER.3")
def test_a_board_that_is_pulled_is_gone(kernel: Kernel) -> None:
    kernel.plug_in("hidraw0", "ABCDE")
    board = kernel.board("hid://16c0:05df")
    board.connect()
    kernel.gone = True
    with pytest.raises(DeviceGone, match=r"relay\.keys: switch relay 1 on: .*No such device.*hid://16c0:05df"):
        board.set(1, True)
    assert board.states[1].commanded is None
    board.close()


def test_lab_wires_open_hid_addresses_as_such() -> None:
    with pytest.raises(DeviceGone, match=r"/dev/hidraw97.*No such file.*udev rule"):
        LabWires().link("/dev/hidraw97")
    with pytest.raises(DeviceGone, match="no such device"):
        LabWires().link("hid://16c0:05df/NOONE")


def test_addresses_of_this_kind_are_told_from_others() -> None:
    assert hidraw.is_hid("hid://16c0:05df")
    assert hidraw.is_hid("/dev/hidraw0")
    assert not hidraw.is_hid("/dev/ttyUSB0")


@pytest.mark.req("DRV-SER.4")
def test_the_guardian_opens_the_relays_of_such_a_board_without_its_driver(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = kernel.plug_in("hidraw0", "ABCDE")
    board = kernel.board("hid://16c0:05df/ABCDE")
    board.connect()
    board.set(3, True)
    action = board.safe_action()
    board.close()
    monkeypatch.setattr(hidraw, "open_hid", kernel.open)
    before = [[step.sent.hex(), step.expected.hex(), step.pause_s] for step in action.before]
    last = {"send": action.sent.hex(), "expect": action.expected.hex(), "length": action.length}
    armed = Armed.of({"address": action.address, "baud": action.baud, "before": before, **last})
    done = Safed("relay.keys", action.address)
    make_safe(armed, done, 0.0, 0.0)
    assert done.ok
    assert not any(end.closed)
    assert done.read_back == "41 42 43 44 45 00 00 00"
