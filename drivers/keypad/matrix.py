"""A keypad of row and column relays: a key is the crossing of a row and a column.

Two keys at once would also press the other crossings, so chords are refused by the keypad. The row closes before the
column, and opens after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError
from offhook.drivers.keypad.contacts import Contact, ContactKeypad

LAYOUT = ("123A", "456B", "789C", "*0#D")


class MatrixKeypad(ContactKeypad):
    """Four rows, and three or four columns, as on every telephone (ITU-T E.161)."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        rows: Sequence[Contact],
        columns: Sequence[Contact],
        press_s: float = 0.1,
        gap_s: float = 0.1,
    ) -> None:
        """``rows`` from the top, ``columns`` from the left. Raises ConfigError for any other number of them."""
        if len(rows) != 4 or len(columns) not in (3, 4):
            detail = f"{len(rows)} rows and {len(columns)} columns; a telephone has 4 and 3 (or 4)"
            raise ConfigError(f"keypad of {name}", "lay out", detail, "name every row and column contact")
        keys = {LAYOUT[row][column]: (rows[row], columns[column]) for row in range(4) for column in range(len(columns))}
        super().__init__(name, clock, keys, press_s, gap_s)
