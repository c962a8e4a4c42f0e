"""Looking drivers up must not import hardware libraries."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from offhook.drivers import registry
names = registry.known()
assert "relay.numato" in names
sys.exit(any(name in sys.modules for name in ("serial", "numpy", "offhook.drivers.relay.numato")))
"""


def test_looking_drivers_up_by_name_imports_none_of_them() -> None:
    assert subprocess.run([sys.executable, "-c", CODE], check=False, timeout=60).returncode == 0
