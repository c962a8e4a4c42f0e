"""What a receiver reports: onsets and digits, one by one or as a table of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.tones import KEYS


@dataclass(frozen=True, slots=True)
class Onset:
    """A digit has begun: sent at most 45 ms after the start of a clean tone; its Digit follows when it ends."""

    channel: int
    key: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit. Times are seconds from the first sample; levels dBm0; ``twist_db`` is high over low.

    ``snr_db`` is the power of both tones over that of all else up to half the receiver's rate, at most 80 dB.
    """

    channel: int
    key: str
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    low_dbm0: float
    high_dbm0: float
    twist_db: float
    snr_db: float


COLUMNS = tuple(field.name for field in fields(Digit))


class Digits:
    """A table of digits in order of channel and start; each column of ``Digit`` is an array attribute.

    ``key`` is an array of one-character strings. Iterating, indexing and ``len`` work on rows. ``channels`` is the
    number of channels that were decoded, with or without digits.
    """

    channel: NDArray[np.int32]
    key: NDArray[np.str_]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    low_hz: NDArray[np.float32]
    high_hz: NDArray[np.float32]
    low_dbm0: NDArray[np.float32]
    high_dbm0: NDArray[np.float32]
    twist_db: NDArray[np.float32]
    snr_db: NDArray[np.float32]

    def __init__(self, columns: dict[str, NDArray[np.generic]], channels: int = 1) -> None:
        for name in COLUMNS:
            setattr(self, name, columns[name])
        self.channels = channels

    @classmethod
    def of(cls, rows: Iterable[Digit], channels: int = 1) -> Digits:
        """The table of some rows."""
        ordered = sorted(rows, key=lambda digit: (digit.channel, digit.start_s))
        columns: dict[str, NDArray[np.generic]] = {}
        for name in COLUMNS:
            kind: Any = {"channel": np.int32, "key": "<U1", "start_s": np.float64, "end_s": np.float64}.get(
                name, np.float32
            )
            columns[name] = np.array([getattr(row, name) for row in ordered], dtype=kind)
        return cls(columns, channels)

    def __len__(self) -> int:
        return len(self.channel)

    def __getitem__(self, row: int) -> Digit:
        return Digit(
            int(self.channel[row]),
            str(self.key[row]),
            float(self.start_s[row]),
            float(self.end_s[row]),
            float(self.low_hz[row]),
            float(self.high_hz[row]),
            float(self.low_dbm0[row]),
            float(self.high_dbm0[row]),
            float(self.twist_db[row]),
            float(self.snr_db[row]),
        )

    def __iter__(self) -> Iterator[Digit]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<Digits {len(self)} on {self.channels} channels: {self.texts()[:8]}>"

    def text(self, channel: int = 0) -> str:
        """The digits of one channel as a string."""
        return "".join(self.key[self.channel == channel].tolist())

    def texts(self) -> list[str]:
        """One string a channel."""
        whole = "".join(self.key.tolist())
        edges = np.searchsorted(self.channel, np.arange(self.channels + 1)).tolist()
        return [whole[a:b] for a, b in pairwise(edges)]


def key_names(index: NDArray[np.integer]) -> NDArray[np.str_]:
    """Key indices (row * 4 + column) as one-character strings."""
    return np.asarray(np.array(list(KEYS), dtype="<U1")[index])
