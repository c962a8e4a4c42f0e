"""What was sent against what was heard: sequence alignment, and counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from offhook.dsp import stats

LOST, EXTRA = "-", "+"
ACCEPT_SHARE, EXTRA_SHARE = 0.99, 0.01


@dataclass(frozen=True)
class Tally:
    """Counts of one or more batches. ``confusion`` has (sent, heard); ("5", "-") was lost, ("+", "5") was extra."""

    sent: int = 0
    right: int = 0
    substituted: int = 0
    lost: int = 0
    extra: int = 0
    confusion: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        both = Counter(self.confusion) + Counter(other.confusion)
        return Tally(
            self.sent + other.sent,
            self.right + other.right,
            self.substituted + other.substituted,
            self.lost + other.lost,
            self.extra + other.extra,
            dict(sorted(both.items())),
        )

    @property
    def errors(self) -> int:
        """Digits that were sent and not heard right, and those heard that were not sent."""
        return self.substituted + self.lost + self.extra

    @property
    def accepted(self) -> bool:
        """At least 99 % right and at most 1 % extra."""
        return self.right >= ACCEPT_SHARE * self.sent and self.extra <= EXTRA_SHARE * self.sent

    @property
    def ignored(self) -> bool:
        """At most 1 % of what was sent gave any digit."""
        return self.right + self.substituted + self.extra <= EXTRA_SHARE * self.sent

    @property
    def share(self) -> stats.Interval:
        """Share of digits right, with its exact 95 % interval."""
        return stats.clopper_pearson(self.right, self.sent)


def add(tallies: Iterable[Tally]) -> Tally:
    """The sum."""
    return sum(tallies, Tally())


def compare(sent: str, heard: str) -> Tally:
    """Count by the alignment with the fewest errors; of equal ones, that with the fewest substitutions."""
    pairs = Counter(align(sent, heard))
    right = sum(count for (a, b), count in pairs.items() if a == b)
    lost = sum(count for (_, b), count in pairs.items() if b == LOST)
    extra = sum(count for (a, _), count in pairs.items() if a == EXTRA)
    wrong = {a + b: count for (a, b), count in sorted(pairs.items()) if a != b}
    return Tally(len(sent), right, len(sent) - right - lost, lost, extra, wrong)


def align(sent: str, heard: str) -> list[tuple[str, str]]:
    """Pairs (sent, heard); a lost digit is (key, "-"), an extra one ("+", key)."""
    if sent == heard:
        return list(zip(sent, heard, strict=True))
    gap, swap = 1000, 1001  # a substitution costs hardly more than a gap, and far less than a gap on both sides
    width = len(heard) + 1
    rows = [[gap * j for j in range(width)]]
    for i, a in enumerate(sent, start=1):
        above, row = rows[-1], [gap * i]
        for j, b in enumerate(heard, start=1):
            row.append(min(above[j - 1] + (swap if a != b else 0), above[j] + gap, row[-1] + gap))
        rows.append(row)
    pairs = []
    i, j = len(sent), len(heard)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (swap if sent[i - 1] != heard[j - 1] else 0):
            i, j = i - 1, j - 1
            pairs.append((sent[i], heard[j]))
        elif i and rows[i][j] == rows[i - 1][j] + gap:
            i -= 1
            pairs.append((sent[i], LOST))
        else:
            j -= 1
            pairs.append((EXTRA, heard[j]))
    return pairs[::-1]
