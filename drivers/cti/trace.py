"""What a tap on a CTI link sees, in the same words for every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class TapError(ValueError):
    """The tapped stream is not what the station file says it is."""


@dataclass(frozen=True)
class TraceMessage:
    """One message between cloud and PBX.

    ``direction`` is ``>`` (cloud to PBX) or ``<``; ``name`` a service (``MakeCall``, ``Lock``), its answer
    (``MakeCallResponse``), ``Error``, or an event kind (``Delivered``); ``fields`` what it says (``device``,
    ``calling``, ``called``, ``call_id``, ``monitor_id``, ``reason``, ``service`` ...); ``raw`` its bytes, secrets
    blanked. A message that means nothing in these terms comes under its dialect's name.
    """

    direction: str
    time_s: float
    name: str
    fields: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


class Dialect(Protocol):
    """Decodes both directions of one tapped link."""

    def feed(self, direction: str, data: bytes, time_s: float) -> list[TraceMessage]:
        """Take bytes of one direction; return the messages that are complete now. Raises TapError."""
