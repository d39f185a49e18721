"""The daemon's wrapper, proven on stand-ins: scripts that behave well or badly."""

import pytest

import bed.daemon
from bed.daemon import Daemon
from bed.watch import Timeout

GOOD = """#!/usr/bin/python3
import os, pwd, signal, socket, sys

def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(text, os.environ["NOTIFY_SOCKET"])

def reload(*_):
    print("reloaded", flush=True)
    notify(b"READY=1")

signal.signal(signal.SIGHUP, reload)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print(f"user {pwd.getpwuid(os.getuid()).pw_name}, config {sys.argv[2]}", flush=True)
notify(b"READY=1\\nSTATUS=serving")
while True:
    signal.pause()
"""
CLI = """#!/bin/bash
[ "$1 $3" = "--socket --json" ] || exit 2
case $4 in
printers) echo '{"schema":1,"printers":[{"queue":"q","state":"online"}]}' ;;
jobs) echo '{"schema":1,"jobs":[{"id":2,"state":"done","outcome":"aborted"}]}' ;;
fail) echo '{"schema":1,"error":{"kind":"denied","code":1,"text":"no","remedy":null}}'; exit 1 ;;
who) echo "{\\"schema\\":1,\\"user\\":\\"$(id -un)\\"}" ;;
esac
"""


@pytest.fixture(name="build")
def fixture_build(bed_dir, monkeypatch):
    """A build folder of stand-ins; write(daemon) changes one."""
    folder = bed_dir / "build"
    folder.mkdir(mode=0o755)

    def write(daemon):
        for name, text in {"print-connectord": daemon, "print-connector": CLI}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
    write(GOOD)
    monkeypatch.setattr(bed.daemon, "BUILD", folder)
    return write


def test_it_runs_unprivileged_and_is_waited_for(bed_dir, build):
    clouds = {"test": {"uri": "ipp://localhost/ipp/print"}}
    with Daemon(bed_dir / "d", clouds) as daemon:
        match = daemon.wait_for_line(r"user (\S+), config (\S+)")
        assert match.group(1) == "nobody"
        text = daemon.config.read_text()
        assert "[cloud test]\ntype = ipp-infra\nuri = ipp://localhost/ipp/print\n" in text
        daemon.restart()
        daemon.reload()
        daemon.wait_for_line("reloaded")


def test_a_start_that_fails_says_why(bed_dir, build):
    build("#!/bin/sh\necho unknown setting >&2\nexit 1\n")
    daemon = Daemon(bed_dir / "d")
    with pytest.raises(Timeout, match="(?s)ended before READY=1.*unknown setting"):
        daemon.start()


def test_a_bad_exit_or_a_sanitizer_fails_the_test(bed_dir, build):
    build(GOOD.replace("_exit(0)", "_exit(7)"))
    with pytest.raises(AssertionError, match="exit 7"):
        with Daemon(bed_dir / "d"):
            pass
    build(GOOD.replace("user {", "x.c:1: runtime error: overflow\\nuser {"))
    with pytest.raises(AssertionError, match="runtime error: overflow"):
        with Daemon(bed_dir / "d"):
            pass


def test_verbs_are_run_and_parsed(bed_dir, build):
    with Daemon(bed_dir / "d") as daemon:
        assert daemon.wait_printer("q")["state"] == "online"
        assert daemon.printer("other") is None
        assert daemon.wait_jobs(1, outcome="aborted")[0]["id"] == 2
        result = daemon.cli("fail")
        assert (result.code, result.error["kind"]) == (1, "denied")
        with pytest.raises(AssertionError, match="denied"):
            daemon.verb("fail")
        assert daemon.verb("who", user="lp")["user"] == "lp"
        daemon.kill()
        daemon.expect_clean = False
