"""What a relay board's protocol says: bytes for commands, and what its answers mean. Sans-I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar, NamedTuple


class Command(NamedTuple):
    """Bytes to send, and exactly what the board answers (b"" if it answers nothing)."""

    sent: bytes
    answer: bytes = b""


class BoardProtocol(ABC):
    """One kind of board. Relays are numbered from 0; ``closed`` collections name relays."""

    title: ClassVar[str]
    sizes: ClassVar[Collection[int]]
    """How many relays such boards have."""
    baud: ClassVar[int] = 9600
    spacing_s: float = 0.0
    """What the board needs between the end of one message and the next."""
    acknowledges: ClassVar[bool] = True
    """Does it answer commands? One that does not is read after each."""
    reads_back: bool = True
    pulse_step_s: float | None = None
    report_length: ClassVar[int] = 0
    """Bytes of the answer to the last query, for a board of which :meth:`report` cannot know all."""

    def __init__(self, channels: int) -> None:
        """For a board of so many relays."""
        self.channels = channels

    @abstractmethod
    def switch(self, relay: int, closed: bool) -> Command:
        """Close or open one relay."""

    @abstractmethod
    def queries(self) -> Sequence[bytes]:
        """What to send to read every relay; nothing for a board that cannot be read."""

    @abstractmethod
    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """The states in the answer to a query, by its place; None if more is to come. Raises WrongAnswer."""

    @abstractmethod
    def report(self, query: int, closed: Collection[int]) -> bytes:
        """How the answer to a query ends if only these relays are closed."""

    def set_all(self, closed: Collection[int]) -> Sequence[Command]:
        """Close these and open all others, in as few commands as the board allows; here, one by one."""
        return [self.switch(relay, relay in closed) for relay in range(self.channels)]

    def identify(self) -> bytes:
        """What to send to learn what the board is; b"" for one that cannot say."""
        return b""

    def identity(self, answer: bytes) -> str | None:
        """What it said it is; None if more is to come. Raises WrongAnswer."""
        return ""

    def pulse(self, relay: int, steps: int) -> Command:
        """Close a relay for so many steps of the board's own timer. Raises ValueError if it cannot be that many."""
        raise ValueError(f"this board times no closures of {steps} steps")

    def complaint(self, sent: bytes, answer: bytes) -> str:
        """What a wrong answer means, in words, if it means something; else ""."""
        return ""
