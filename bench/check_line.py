"""One line of ``offhook check``: a wire, what was found there, and what to try if it is not well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckLine:
    """One thing tried: where it stands in the station file, what was found, and what to try if it is not well.

    ``wires`` are the contacts, pins and channels it tried ("keys1/8"). ``tried`` is False for what nothing is known of:
    neither well nor broken.
    """

    where: str
    resource: str
    found: str
    ok: bool = True
    hint: str = ""
    wires: tuple[str, ...] = ()
    tried: bool = True

    @property
    def status(self) -> str:
        """The last word of the line: ``ok``, ``FAIL`` or ``not tried``."""
        if not self.ok:
            return "FAIL"
        return "ok" if self.tried else "not tried"

    def __str__(self) -> str:
        line = f"{self.where:20} {self.resource:14} {self.found:58} {self.status}"
        return f"{line}\n{'':20} {self.hint}" if self.hint and self.status != "ok" else line


Tell = Callable[[CheckLine], None]
