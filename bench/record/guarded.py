"""What the guardian did, if a run needed it: ``guardian.json`` in its folder (bench/guardian_process.py writes it)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

GUARDIAN = "guardian.json"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One intervention. ``unsafe`` says why of everything that was not read back as safe."""

    reason: str
    resources: tuple[str, ...]
    """What it was left with: relay boards and generators."""
    took_s: float
    unsafe: dict[str, str]
    unread: tuple[str, ...] = ()
    """Boards that were sent their safe bytes and cannot be read."""

    @property
    def ok(self) -> bool:
        """True if everything it was left with was read back as safe."""
        return not self.unsafe

    def __str__(self) -> str:
        """A sentence or two for page one."""
        safe = [each for each in self.resources if each not in self.unsafe and each not in self.unread]
        text = f"Guardian: {self.reason}."
        if safe:
            text += f" It made {_counted(safe)} safe and read back"
            text += f" {self.took_s:.2f} s after it noticed." if self.ok else "."
        if self.unread:
            text += (
                f" Told to open every relay, but not read back, as these boards cannot be: {', '.join(self.unread)}."
            )
        if self.unsafe:
            text += " NOT read back as safe, go and look: "
            text += "; ".join(f"{name} ({why})" for name, why in sorted(self.unsafe.items())) + "."
        return text


def _counted(resources: list[str]) -> str:
    generators = sum(each.startswith("instrument.") for each in resources)
    counts = {"relay board": len(resources) - generators, "generator": generators}
    return " and ".join(f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count)


def guarded(folder: Path) -> Guarded | None:
    """The guardian's account of a run; None if it had nothing to do. One that cannot be read is unsafe, and says so."""
    try:
        content = json.loads((folder / GUARDIAN).read_text("utf-8"))
        boards = content["boards"]
        unsafe = {str(one["resource"]): str(one["error"] or "no answer yet") for one in boards if not one["ok"]}
        unread = tuple(str(one["resource"]) for one in boards if one["ok"] and not one.get("can_be_read", True))
        resources = tuple(str(one["resource"]) for one in boards)
        return Guarded(str(content["reason"]), resources, float(content["took_s"]), unsafe, unread)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Guarded("its account cannot be read", (GUARDIAN,), 0.0, {GUARDIAN: repr(error)})
