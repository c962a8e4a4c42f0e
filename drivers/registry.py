"""Drivers by name, loaded when first asked for.

A driver is an entry point of group ``offhook.drivers`` whose name is ``KIND.NAME`` (``relay.numato``), so that other
packages add theirs without a fork. What it names is a class with ``open(name, options, wires)``: ``name`` is the
resource's name in the station file, ``options`` its table there, ``wires`` opens its links. Opening takes hold of the
wire and nothing more; ``connect`` talks to what is at its far end.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, cast

from offhook.drivers.errors import ConfigError
from offhook.drivers.links import Wires
from offhook.drivers.nearest import instead_of

GROUP = "offhook.drivers"


class DriverClass(Protocol):
    """What an entry point of the group names."""

    def open(self, name: str, options: Mapping[str, Any], wires: Wires) -> Any:
        """Take hold of the wire. Raises DeviceGone (nothing there) or ConfigError (options make no sense)."""


def known(kind: str = "") -> list[str]:
    """Names of all drivers (of one kind), sorted; nothing is imported."""
    return sorted(name for name in _by_name() if name.startswith(f"{kind}." if kind else ""))


def find(name: str, resource: str = "driver") -> DriverClass:
    """The driver class of a name such as ``relay.numato``.

    Raises ConfigError, naming ``resource`` (where the name was read), for a name nobody registered, with the known
    ones of its kind and the nearest match, and for one whose own imports are missing.
    """
    entries = _by_name()
    entry = entries.get(name)
    if entry is None:
        raise _unknown(name, resource, sorted(entries))
    try:
        return cast(DriverClass, entry.load())
    except (ImportError, OSError, AttributeError) as error:  # OSError: a wheel whose shared library is missing
        hint = "install what it needs" if not isinstance(error, AttributeError) else f"reinstall {entry.value}"
        raise ConfigError(resource, f'load driver "{name}"', str(error), hint) from error


def open_driver(kind: str, name: str, options: Mapping[str, Any], wires: Wires) -> Any:
    """Find ``KIND.{options["driver"]}`` and open it for the resource ``KIND.NAME``."""
    resource = f"{kind}.{name}"
    if "driver" not in options:
        raise ConfigError(resource, "find driver", "no driver is named", f"driver = one of {', '.join(known(kind))}")
    return find(f"{kind}.{options['driver']}", resource).open(name, options, wires)


def _by_name() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _unknown(name: str, resource: str, names: list[str]) -> ConfigError:
    kind = name.partition(".")[0]
    same_kind = [each for each in names if each.startswith(f"{kind}.")]
    detail = f'no driver "{name}"; known: {", ".join(same_kind or names) or "none"}'
    return ConfigError(resource, "find driver", detail, instead_of(name, names, "check the spelling"))
