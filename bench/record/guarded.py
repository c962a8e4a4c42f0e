"""What the guardian did, if a run needed it: ``guardian.json`` in its folder (bench/guardian_process.py writes it)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

GUARDIAN = "guardian.json"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One intervention. ``unsafe`` says why of every board that was not read back as safe."""

    reason: str
    boards: int
    took_s: float
    unsafe: dict[str, str]
    unread: tuple[str, ...] = ()
    """Boards that were sent their safe bytes and cannot be read."""

    @property
    def ok(self) -> bool:
        """True if every board it was left with was read back as safe."""
        return not self.unsafe

    def __str__(self) -> str:
        """A sentence or two for page one."""
        safe = self.boards - len(self.unsafe) - len(self.unread)
        text = f"Guardian: {self.reason}."
        if safe:
            text += f" It made {safe} relay {'board' if safe == 1 else 'boards'} safe and read back"
            text += f" {self.took_s:.2f} s after it noticed." if self.ok else "."
        if self.unread:
            text += (
                f" Told to open every relay, but not read back, as these boards cannot be: {', '.join(self.unread)}."
            )
        if self.unsafe:
            text += " NOT read back as safe, go and look: "
            text += "; ".join(f"{name} ({why})" for name, why in sorted(self.unsafe.items())) + "."
        return text


def guarded(folder: Path) -> Guarded | None:
    """The guardian's account of a run; None if it had nothing to do. One that cannot be read is unsafe, and says so."""
    try:
        content = json.loads((folder / GUARDIAN).read_text("utf-8"))
        boards = content["boards"]
        unsafe = {str(one["resource"]): str(one["error"] or "no answer yet") for one in boards if not one["ok"]}
        unread = tuple(str(one["resource"]) for one in boards if one["ok"] and not one.get("can_be_read", True))
        return Guarded(str(content["reason"]), len(boards), float(content["took_s"]), unsafe, unread)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Guarded("its account cannot be read", 1, 0.0, {GUARDIAN: repr(error)})
