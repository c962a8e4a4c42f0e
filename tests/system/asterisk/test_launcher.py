"""Unpacking, starting and stopping Asterisk: what is left behind, what a CTI session may see, what a failure says."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from offhook.drivers.errors import DeviceError
from offhook.fixtures.asterisk.configure import PbxPhone, PbxPlan, free_span
from offhook.fixtures.asterisk.install import AsteriskMissing, find_tree, get_tree, mirror
from offhook.fixtures.asterisk.server import AsteriskServer

PLAN = PbxPlan(
    (PbxPhone("1001", "pw-1", "8642", "+33390671001"), PbxPhone("1002", "pw-2", "7531")),
    ("+33390677069",),
    {"cloud": "cloud-secret", "bench": "bench-secret"},
)


def alive(pid):
    """Is there such a process, and not just its entry?"""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@contextlib.asynccontextmanager
async def running(folder, plan=PLAN):
    server = AsteriskServer(get_tree(), folder, plan)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def test_it_boots_answers_and_is_gone_after_stop(tmp_path):
    async def scenario():
        async with running(tmp_path / "pbx") as server:
            pid = server.pid
            assert alive(pid)
            assert "Asterisk 22" in await server.command("core show version")
            assert server.complaints() == []
        assert not alive(pid)
        assert server.pid == 0

    asyncio.run(scenario())


def test_two_run_side_by_side_from_one_tree(tmp_path):
    async def scenario():
        async with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
            assert set(vars(one.ports).values()).isdisjoint(vars(two.ports).values())
            await one.command("database put lock 1001 1")
            assert "1" in (await one.command("database get lock 1001"))
            assert "not found" in (await two.command("database get lock 1001")).lower()

    asyncio.run(scenario())


def test_the_rtp_ports_of_one_instance_are_no_others():
    """Asterisk binds them call by call; until then only what we hold tells a second instance that they are taken."""
    first, held = free_span(4711)
    with held:
        second, other = free_span(4711)
        other.close()
    third, again = free_span(4711)
    again.close()
    assert first != second
    assert first == third


def test_a_lock_does_not_outlive_a_restart(tmp_path):
    async def scenario():
        async with running(tmp_path / "pbx") as server:
            await server.command("database put lock 1001 1")
        async with running(tmp_path / "pbx") as server:
            assert "not found" in (await server.command("database get lock 1001")).lower()

    asyncio.run(scenario())


def test_it_does_not_outlive_whoever_started_it(tmp_path):
    get_tree()
    script = textwrap.dedent(
        f"""
        import asyncio, sys, time
        from pathlib import Path
        from system.asterisk.test_launcher import PLAN
        from offhook.fixtures.asterisk.install import get_tree
        from offhook.fixtures.asterisk.server import AsteriskServer

        async def main():
            server = AsteriskServer(get_tree(), Path({str(tmp_path / "pbx")!r}), PLAN)
            await server.start()
            print(server.pid, flush=True)
            time.sleep(60)

        asyncio.run(main())
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True)
    try:
        pid = int(starter.stdout.readline())
        assert alive(pid)
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        end_s = time.monotonic() + 5
        while alive(pid) and time.monotonic() < end_s:
            time.sleep(0.02)
        assert not alive(pid)
    finally:
        starter.kill()
        starter.wait()
        starter.stdout.close()


def test_a_configuration_it_cannot_read_is_one_clear_error(tmp_path):
    async def scenario():
        server = AsteriskServer(get_tree(), tmp_path / "pbx", PLAN)
        launch = server._launch

        def broken():
            (server.folder / "etc/asterisk.conf").write_text("[directories]\nastmoddir => /nowhere\n")
            launch()

        server._launch = broken
        with pytest.raises(DeviceError, match="asterisk: boot"):
            await server.start()
        assert server.pid == 0

    asyncio.run(scenario())


# ---- what a CTI session may see ------------------------------------------------------------------------------------

SPYING = [
    {"Action": "DBGet", "Family": "lock", "Key": "1001"},
    {"Action": "DBGetTree", "Family": ""},
    {"Action": "Command", "Command": "dialplan show localcode-1001"},
    {"Action": "ShowDialPlan", "Context": "localcode-1001"},
    {"Action": "GetConfig", "Filename": "extensions.conf"},
    {"Action": "Getvar", "Variable": "DB(lock/1001)"},
    {"Action": "Getvar", "Variable": "SHELL(cat extensions.conf)"},
    {"Action": "Getvar", "Variable": "FILE(extensions.conf)"},
    {"Action": "CoreShowChannels"},
]


@pytest.mark.req("LOCK-CODE.2")
@pytest.mark.parametrize("user", ["cloud", "bench"])
def test_a_cti_session_cannot_read_local_codes(tmp_path, user):
    async def ask(reader, writer, action):
        writer.write("".join(f"{name}: {value}\r\n" for name, value in action.items()).encode() + b"\r\n")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        while b"Response:" not in answer:
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        return answer

    async def scenario():
        async with running(tmp_path / "pbx") as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports.ami)
            login = {"Action": "Login", "Username": user, "Secret": PLAN.secrets[user]}
            assert b"Success" in await ask(reader, writer, login)
            for action in SPYING:
                answer = await ask(reader, writer, action)
                assert b"8642" not in answer
                refused = b"Error" in answer or b"Value: \r\n" in answer
                assert refused, (action, answer)
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


def test_a_wrong_secret_is_refused(tmp_path):
    async def scenario():
        async with running(tmp_path / "pbx") as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports.ami)
            writer.write(b"Action: Login\r\nUsername: cloud\r\nSecret: bench-secret\r\n\r\n")
            assert b"Authentication failed" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


# ---- unpacking -----------------------------------------------------------------------------------------------------


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """Puts a shell script in place of mmdebstrap; its last but one argument is the folder to fill."""

    def put(body):
        tools = tmp_path / "tools"
        tools.mkdir(exist_ok=True)
        script = tools / "mmdebstrap"
        script.write_text(f"#!/bin/bash\nfor last; do before=$root; root=$mirror; mirror=$last; done\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    return put


def left(cache):
    return sorted(path.name for path in cache.iterdir() if path.name != "asterisk.lock")


def test_a_failed_unpacking_says_why_and_leaves_nothing(tmp_path, stub):
    stub('mkdir -p "$root/usr"; echo "noise" >&2; echo "E: cannot reach the mirror" >&2; exit 1')
    with pytest.raises(AsteriskMissing, match="E: cannot reach the mirror"):
        get_tree(tmp_path / "cache")
    assert left(tmp_path / "cache") == []


def test_a_tree_that_does_not_run_is_not_kept(tmp_path, stub):
    stub('mkdir -p "$root/usr/lib/x86_64-linux-gnu" "$root/usr/sbin"')
    with pytest.raises(AsteriskMissing, match="no dynamic loader"):
        get_tree(tmp_path / "cache")
    assert left(tmp_path / "cache") == []


INSTALL = """
import sys
from pathlib import Path
from offhook.fixtures.asterisk.install import get_tree
get_tree(Path(sys.argv[1]))
"""
WORKING = """
mkdir -p "$root/usr/lib/any-linux-gnu" "$root/usr/sbin"
echo started >> "$(dirname "$0")/log"
printf '#!/bin/bash\\necho "Asterisk 22.99.1 stub"\\n' > "$root/usr/lib/any-linux-gnu/ld-linux-any.so.2"
chmod +x "$root/usr/lib/any-linux-gnu/ld-linux-any.so.2"
"""


def test_a_tree_is_named_by_its_version_and_found_again(tmp_path, stub):
    stub(WORKING)
    tree = get_tree(tmp_path / "cache")
    assert tree.version == "22.99.1"
    assert get_tree(tmp_path / "cache") == tree
    assert (tmp_path / "tools/log").read_text() == "started\n"


def test_a_killed_unpacking_is_no_tree_and_is_cleared_away(tmp_path, stub):
    stub(f'mkdir -p "$root"; echo at-it > "{tmp_path}/at-it"; sleep 60')
    cache = tmp_path / "cache"
    installer = subprocess.Popen([sys.executable, "-c", INSTALL, str(cache)], start_new_session=True)
    end_s = time.monotonic() + 20
    while not (tmp_path / "at-it").exists() and time.monotonic() < end_s:
        time.sleep(0.02)
    os.killpg(installer.pid, signal.SIGKILL)
    installer.wait()
    assert find_tree(cache) is None
    assert left(cache) != [], "it was killed in the middle"

    stub(WORKING)
    get_tree(cache)
    assert left(cache) == ["asterisk-22.99.1"]


def test_two_at_once_unpack_it_once(tmp_path, stub):
    stub(WORKING + "sleep 1")
    cache = tmp_path / "cache"
    both = [subprocess.Popen([sys.executable, "-c", INSTALL, str(cache)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "tools/log").read_text() == "started\n"


def test_without_mmdebstrap_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AsteriskMissing, match="apt-get install mmdebstrap"):
        get_tree(tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list.d/debian.sources", "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm\n"),
        ("sources.list.d/x.list", "deb [signed-by=/k] http://m.example/debian bookworm main\n"),
        ("sources.list", "# deb http://old.example/debian x\ndeb http://m.example/debian bookworm main\n"),
    ],
)
def test_the_mirror_is_the_one_apt_uses(tmp_path, name, text):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/a.sources").write_text(
        "URIs: http://m.example/debian-security https://else.example/tool\n"
    )
    (tmp_path / name).write_text(text)
    assert mirror(tmp_path) == "http://m.example/debian"


def test_without_a_debian_source_it_says_so(tmp_path):
    with pytest.raises(AsteriskMissing, match="no Debian archive"):
        mirror(tmp_path)


def test_several_trees_the_newest_counts(tmp_path):
    for name in ("asterisk-22.9.3", "asterisk-22.10.1", ".partial-asterisk-23"):
        (tmp_path / name).mkdir()
    assert find_tree(tmp_path).version == "22.10.1"
