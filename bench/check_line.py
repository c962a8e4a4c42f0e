"""One line of ``offhook check``: a wire, what was found there, and what to try if it is not well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckLine:
    """One thing tried: where it stands in the station file, what was found, and what to try if it is not well.

    ``wires`` are the contacts, pins and channels it tried ("keys1/8").
    """

    where: str
    resource: str
    found: str
    ok: bool = True
    hint: str = ""
    wires: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "FAIL"
        line = f"{self.where:20} {self.resource:14} {self.found:58} {verdict}"
        return f"{line}\n{'':20} {self.hint}" if self.hint and not self.ok else line


Tell = Callable[[CheckLine], None]
