"""How real the wires of a station are. Physical until proven otherwise is what a certificate must not assume."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from offhook.bench.station_model import StationModel
from offhook.drivers.links import Grade

REAL_ROLES = ("R2", "R4")
"""Roles with a real PBX and real telephones."""
THIS_MACHINE = ("localhost", "127.", "::1", "0.0.0.0")
PSEUDO = ("/dev/pts/", "/dev/ptmx", "loop://", "spy://")


def grade_of(model: StationModel, wires: Grade, cards: Iterable[object]) -> Grade:
    """The grade of the weakest wire.

    With a [world] it is what that world says of itself (``wires``). Without one it is HARDWARE if the role is that of a
    real PBX with real telephones, no address is a pseudo terminal or a service of this machine, and every sound card
    says it is one (``physical``); else LOOPBACK.
    """
    if model.world is not None:
        return wires
    if model.role not in REAL_ROLES or any(virtual(address) for address in _addresses(model)):
        return Grade.LOOPBACK
    physical = all(getattr(card, "physical", False) for card in cards)
    return Grade.HARDWARE if physical else Grade.LOOPBACK


def virtual(address: str) -> bool:
    """True for a wire that does not leave this machine."""
    if address.startswith(PSEUDO):
        return True
    if "://" not in address and address.startswith("TCPIP"):
        return address.split("::")[1].startswith(THIS_MACHINE)
    host = urlsplit(address).hostname or "" if "://" in address else ""
    return host.startswith(THIS_MACHINE)


def _addresses(model: StationModel) -> list[str]:
    links = [board.link for board in model.relay.values()] + [board.link for board in model.sense.values()]
    links += [instrument.link for instrument in model.instrument.values()]
    links += [card.link for card in model.audio.values() if card.link]
    links += [section.link for section in (model.pbx, model.tap) if section is not None]
    return links + ([model.cloud.url] if model.cloud is not None else [])
