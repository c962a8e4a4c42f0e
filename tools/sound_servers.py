"""Run a command with sound cards that need no hardware: each output is wired to its input.

    python tools/sound_servers.py [--jack] COMMAND...

PulseAudio (devices ``loop1``, ``loop8``, ``loop16`` by ALSA, as many channels each) or JACK's dummy driver (device
``system``, eight channels), in a folder of its own, without D-Bus, beside whatever sound server runs already. It ends
with the command. The tests start theirs the same way, one a session (tests/system/audio/conftest.py).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from offhook.drivers.errors import OffhookError
from offhook.fixtures.sound import JackServer, PulseServer, environment_of

SINKS = {"loop1": 1, "loop8": 8, "loop16": 16}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jack", action="store_true", help="JACK instead of PulseAudio")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    if not chosen.command:
        parser.error("no command")
    with tempfile.TemporaryDirectory(prefix="offhook-sound-") as folder:
        server = JackServer(Path(folder), 8) if chosen.jack else PulseServer(Path(folder), SINKS)
        try:
            server.start()
            with environment_of(server):
                return subprocess.run(chosen.command, check=False).returncode
        except OffhookError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
