"""print-connector register against a stand-in of the daemon: sign-in, progress, interruption."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from fake_control import Error
from test_cli import CLI, ID, Setup, event, on_terminal, width

URI = "https://microsoft.com/devicelogin"
CODE = "QWER-7890"
UTF8 = {"LANG": "de_DE.UTF-8"}


def code(seconds=900):
    """What the daemon says when somebody has to sign in."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + seconds))
    return event("code", text="sign in", user_code=CODE, verification_uri=URI,
                 expires_at=stamp + ".000Z")


def whole(parameters):
    """A registration with a sign-in."""
    queues = parameters.get("queues", ["laser", "office"])
    return ([event("waiting", queue, text="reading the queue") for queue in queues]
            + [event("waiting", text="asking for a code to sign in with"), code(),
               event("waiting", text="signed in")]
            + [event("waiting", queue, text="waiting for the certificate") for queue in queues]
            + [event("registered", queue, printer=ID % 1) for queue in queues]
            + [event("done", registered=len(queues), failed=0)])


@pytest.fixture(name="cli")
def fixture_cli(bed_dir):
    """The command with a cloud that wants a sign-in."""
    setup = Setup(bed_dir)
    setup.control.answers["Register"] = whole
    yield setup
    if setup.path.exists():
        setup.control.close()


def test_in_a_pipe_the_code_is_in_plain_lines(cli):
    """As over ssh without a terminal; all fits 80 columns."""
    exit_code, out, err = cli.run("register", "laser", "office", env=UTF8)
    assert (exit_code, err) == (0, "")
    assert out == ("Sign in as an administrator to register printers:\n\n"
                   f"  Address  {URI}\n  Code     {CODE}\n\n"
                   f"laser: registered as printer {ID % 1}\n"
                   f"office: registered as printer {ID % 1}\n"
                   "2 registered, 0 failed\n")
    assert cli.control.calls == [("Register", {"queues": ["laser", "office"]}, True)]


def test_json_has_one_line_for_each_step(cli):
    """The code too, for whoever shows it."""
    exit_code, out, err = cli.run("--json", "register", "laser")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (exit_code, err) == (0, "")
    assert [line["event"] for line in lines] == ["waiting", "waiting", "code", "waiting",
                                                 "waiting", "registered", "done"]
    assert all(list(line)[:2] == ["schema", "event"] for line in lines)
    assert lines[2]["user_code"] == CODE and lines[2]["verification_uri"] == URI
    assert lines[2]["expires_at"].endswith("Z")
    assert lines[-1] == {"schema": 1, "event": "done", "registered": 1, "failed": 0}


def shown(text):
    """What stands on the terminal at the end: lines that were replaced are not there."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line.split("\r\x1b[K")[-1]
        lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
    return lines


def test_a_terminal_gets_a_qr_code_and_no_rubbish_stays(cli):
    """Lines of waiting are replaced; nothing is wider than the terminal."""
    exit_code, out = on_terminal(cli, "register", "laser", env=UTF8)
    lines = shown(out)
    assert exit_code == 0
    assert f"  Code     {CODE}" in lines
    assert lines[-2:] == [f"laser: registered as printer {ID % 1}", ""]
    blocks = [line for line in lines if "█" in line]
    assert 12 < len(blocks) < 20 and len({len(line) for line in blocks}) == 1
    assert "\x1b[97;40m" in out
    assert all(width(line) <= 80 for line in lines)
    assert not any("waiting" in line for line in lines)


@pytest.mark.parametrize("arguments, env", [
    (["--no-qr"], UTF8), ([], {"LANG": "C"}), ([], {}), ([], {"LC_ALL": "de_DE", **UTF8})])
def test_no_qr_code_where_it_is_not_wanted_or_cannot_be_shown(cli, arguments, env):
    """Not UTF-8, or --no-qr."""
    out = on_terminal(cli, "register", "laser", *arguments, env=env)[1]
    assert "█" not in out and CODE in out


def test_a_qr_code_without_colours_has_none(cli):
    """NO_COLOR."""
    out = on_terminal(cli, "register", "laser", env={"NO_COLOR": "1", **UTF8})[1]
    assert "█" in out and "\x1b[97" not in out


def test_a_dumb_terminal_gets_no_line_that_is_replaced(cli):
    """It could not replace it."""
    out = on_terminal(cli, "register", "laser", env={"TERM": "dumb"})[1]
    assert "\x1b" not in out and "reading" not in out and CODE in out


def test_all_queues_are_the_daemons_to_find(cli):
    """One call; nothing to do is no failure."""
    assert cli.run("register", "--all", "--cloud", "office")[0] == 0
    assert cli.control.calls[-1] == ("Register", {"all": True, "cloud": "office"}, True)
    cli.control.answers["Register"] = [event("done", registered=0, failed=0)]
    exit_code, out, _ = cli.run("register", "--all")
    assert (exit_code, out) == (
        0, "all queues that [printers] includes are registered already\n")


def test_renew_says_what_it_did(cli):
    """And passes it on."""
    exit_code, out, _ = cli.run("register", "--renew", "laser")
    assert exit_code == 0 and "laser: has a new key and certificate" in out
    assert cli.control.calls[-1][1] == {"queues": ["laser"], "renew": True}


@pytest.mark.parametrize("arguments, words", [
    (["--all", "laser"], "--all goes without queues"),
    (["--all", "--name", "x"], "one by one"),
    (["--all", "--cloud-uri", "ipps://h/1"], "one by one"),
    ([], "usage: print-connector register QUEUE… | --all")])
def test_wrong_usage_calls_nobody(cli, arguments, words):
    """Exit 2."""
    exit_code, _, err = cli.run("register", *arguments)
    assert exit_code == 2 and words in err
    assert cli.control.calls == []


def test_a_sign_in_that_fails_is_told_once(cli):
    """Whatever number of queues."""
    cli.control.answers["Register"] = [
        code(), event("failed", text="nobody signed in within 15 minutes", remedy="try again"),
        event("done", registered=0, failed=12)]
    exit_code, out, err = cli.run("register", "--all")
    assert exit_code == 1
    assert err == "print-connector: nobody signed in within 15 minutes\n    try again\n"
    assert out.endswith("0 registered, 12 failed\n")
    lines = cli.run("--json", "register", "--all")[1].splitlines()
    assert json.loads(lines[-1])["failed"] == 12


def test_what_kept_all_queues_from_being_looked_at_is_a_failure(cli):
    """No queue was counted, and none is said to be registered."""
    cli.control.answers["Register"] = [
        event("failed", text="cloud office has no system-uri", remedy="set it"),
        event("done", registered=0, failed=0)]
    exit_code, out, err = cli.run("register", "--all")
    assert (exit_code, out) == (1, "")
    assert err == "print-connector: cloud office has no system-uri\n    set it\n"


def test_a_call_that_is_refused_fails(cli):
    """Not one event, but an error."""
    cli.control.answers["Register"] = Error("Conflict", text="no such luck", remedy="try later")
    exit_code, out, err = cli.run("register", "laser")
    assert (exit_code, out) == (1, "")
    assert err == "print-connector: no such luck\n    try later\n"
    lines = [json.loads(line) for line in
             cli.run("--json", "register", "laser")[1].splitlines()]
    assert [line["event"] for line in lines] == ["failed", "done"]


def start(cli, *arguments):
    """The command, waiting for a sign-in that does not come."""
    gate = threading.Event()
    cli.control.answers["Register"] = [code(), gate, event("done", registered=0, failed=0)]
    process = subprocess.Popen([CLI, "--socket", cli.path, *arguments], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={"PATH": os.environ["PATH"]})
    return process, gate


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_hangs_up_and_says_so(cli, number):
    """The daemon cancels when nobody is there any more."""
    process, gate = start(cli, "register", "laser")
    while CODE not in process.stdout.readline():
        pass
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    gate.set()
    assert process.returncode == 1
    assert err == ("print-connector: canceled\n"
                   "    what was done stays; the same command goes on with the rest\n")
    assert cli.control.hung_up.wait(10)


def test_an_interruption_with_json_ends_with_done(cli):
    """So that a program knows where it stands."""
    process, gate = start(cli, "--json", "register", "laser")
    assert json.loads(process.stdout.readline())["event"] == "code"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    gate.set()
    assert (process.returncode, err) == (1, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["failed", "done"]


def test_a_countdown_says_how_long_the_code_is_good(cli):
    """On a terminal."""
    gate = threading.Event()
    cli.control.answers["Register"] = [code(65), gate, event("waiting", text="signed in"),
                                       event("registered", "laser", printer=ID % 1),
                                       event("done", registered=1, failed=0)]
    threading.Timer(1.6, gate.set).start()
    out = on_terminal(cli, "register", "laser")[1]
    assert re.search(r"\rwaiting for the sign-in, 1:0[0-9] left", out)
    assert shown(out)[-2] == f"laser: registered as printer {ID % 1}"


def test_what_the_daemon_sends_is_made_safe(cli):
    """It comes from a cloud."""
    cli.control.answers["Register"] = [
        event("code", user_code="A\x1b[2J", verification_uri="https://x/\x1b]0;", text="x"),
        event("waiting", "a\x1b[31m", text="\x1b[2J"),
        event("failed", "a\x1b[31m", text="b\x1b[2J", remedy="c\x1b[2J"),
        event("done", registered=0, failed=1)]
    out = on_terminal(cli, "register", "laser", env={"NO_COLOR": "1"})[1]
    assert "\x1b[2J" not in out and "\x1b]0;" not in out and "\x1b[31m" not in out
