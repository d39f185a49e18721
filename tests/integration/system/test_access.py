"""Who may do what, and what somebody who may do nothing can do to the service."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import threading

import pytest

from bed import PDF
from bed.process import run
from bed.route import connect
from service import CREDENTIALS, SOCKET, STATE, as_user, output, resident

GIGABYTE = 1 << 30
PEERS = 500
SECRET = "/tmp/passphrase-of-"  # and the user
# each verb that asks the service; watch ends at once only for those who may not look
VERBS = {"status": [], "watch": [], "doctor": [], "metrics": [], "printers": [],
         "register": ["laser", "--cloud-uri", "ipp://127.0.0.1:9/ipp/print/x"],
         "unregister": ["laser", "--yes"], "explain": ["laser"], "rebind": ["laser", "other"],
         "reset": ["laser"], "pause": ["laser"], "resume": [], "drain": [], "jobs": ["--all"],
         "job": ["1"], "cancel": ["1"], "retry": ["1"], "resolve": ["1", "--abort"],
         "backup": ["/tmp/stolen", "--passphrase-file", SECRET]}
CROWD = f"""
import socket, sys
peers = []
for _ in range({PEERS}):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect("{SOCKET}")
    peers.append(peer)
print("here", flush=True)
sys.stdin.read()
"""


@pytest.fixture(name="route")
def fixture_route(bed, service):
    """A registered queue which printed a job."""
    printer = bed.socket_printer()
    bed.cups.add_raw("laser", printer.uri)
    route = connect(bed, service, "laser")
    route.ended(route.submit(PDF))
    return route


def all_files(top):
    """Every file and folder there."""
    return [top, *sorted(top.rglob("*"))]


@pytest.mark.parametrize("user", ["nobody", "stranger", "alice"])
def test_nobody_else_reads_state_keys_or_jobs(route, people, user):
    del people
    secret = CREDENTIALS / "cloud"
    secret.write_text("secret")
    pid = route.daemon.pid
    for path in [*all_files(STATE), *all_files(pathlib.Path("/var/cache/print-connector")),
                 secret, f"/proc/{pid}/environ", f"/proc/{pid}/mem", f"/proc/{pid}/maps"]:
        code, text = output(["head", "-c", "1", path], user)
        assert code != 0 and "ermission denied" in text, f"{user} reads {path}: {text}"
    assert output(["ls", STATE], user)[0] != 0
    assert output(["kill", "-0", pid], user)[0] != 0


@pytest.mark.parametrize("user", ["nobody", "stranger", "alice"])
def test_nobody_else_writes_where_it_keeps_things(route, people, user):
    del people
    folders = [STATE, CREDENTIALS, CREDENTIALS.parent, SOCKET.parent,
               pathlib.Path("/var/cache/print-connector")]
    for path in [*(path for folder in folders for path in all_files(folder) if path != SOCKET)]:
        assert output(["test", "-w", path], user)[0] != 0, f"{user} may write {path}"
    for folder in folders:
        assert output(["touch", folder / "x"], user)[0] != 0, f"{user} may write into {folder}"
    assert output(["rm", "-f", SOCKET], user)[0] != 0
    assert route.daemon.cli("status").code in (0, 4)


def all_there_is(daemon):
    """What somebody could have changed."""
    return (daemon.printers(), daemon.jobs("--all"),
            daemon.verb("status", codes=(0, 4))["health"])


@pytest.mark.parametrize("user", ["nobody", "stranger"])
def test_strangers_learn_nothing_and_change_nothing(route, people, user):
    del people
    listed = re.findall(r"^  ([a-z]+) ", run(["print-connector", "--help"]).stdout, re.MULTILINE)
    assert set(listed) - {"restore"} == set(VERBS)  # restore does not ask the service
    secret = pathlib.Path(SECRET + user)
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    shutil.chown(secret, user)
    before = all_there_is(route.daemon)
    for verb, words in VERBS.items():
        words = [secret if word == SECRET else word for word in words]
        result = route.daemon.cli(verb, *map(str, words), user=user)
        assert result.code == 3, f"{verb}: {result!r}"
        assert result.error["remedy"], result
        assert "laser" not in result.stdout or "laser" in words, result
    assert all_there_is(route.daemon) == before
    assert not os.path.exists("/tmp/stolen")


def test_members_of_the_group_may_change_things(bed, route, people):
    assert route.daemon.cli("status", user="alice").code == 0
    bed.cloud.add_printer("second")
    printer = bed.socket_printer("second")
    bed.cups.add_raw("second", printer.uri)
    result = route.daemon.cli("register", "second", "--cloud-uri", bed.cloud.uri("second"),
                              user=people[0])
    assert result.code == 4, result  # done; a queue without a driver comes with a warning
    assert route.daemon.printer("second")
    uid = run(["id", "-u", "alice"]).stdout.strip()
    assert uid in route.daemon.process.text()  # who did it
    assert route.daemon.cli("pause", "second", user="alice").code == 0
    assert route.daemon.printer("second")["state"] == "paused"
    assert route.daemon.cli("resume", "second", user="alice").code == 0
    assert route.daemon.printer("second")["state"] != "paused"
    assert route.daemon.cli("unregister", "second", "--yes", user="alice").code == 0


def connect_socket():
    """One peer."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(str(SOCKET))  # waits while the backlog is full
    peer.settimeout(30)
    return peer


def closed_by_service(peer, data, total):
    """Sends up to so many bytes; whether the other end hung up before it took them all."""
    sent = 0
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while sent < total:
            sent += peer.send(data)
        return False
    return True


def still_answers(service, pid):
    """It is the same process and serves others, once it has seen that those before hung up."""
    assert service.pid == pid
    service.wait(lambda: service.cli("status", timeout=30).code in (0, 4), "an answer", 30)


def test_the_control_socket_survives_a_line_of_a_gigabyte(service):
    pid = service.pid
    before = resident(pid)
    with connect_socket() as peer:
        assert closed_by_service(peer, b"x" * 65536, GIGABYTE)
    still_answers(service, pid)
    assert resident(pid) < before + 4096


@pytest.mark.parametrize("data", [
    b"\0", b"\0" * 5000, os.urandom(4096), b"{", b"{}\0", b"[]\0", b"null\0", b'{"method":1}\0',
    b'{"method":"x"}\0', b'{"method":"' + b"[" * 60000, b"[" * 60000 + b"\0",
    b"GET / HTTP/1.1\r\n\r\n", b'{"method":"org.printconnector.Connector.GetStatus"',
])
def test_the_control_socket_survives_garbage(service, data):
    pid = service.pid
    with connect_socket() as peer:
        closed_by_service(peer, data, len(data))
        peer.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while peer.recv(65536):
                pass
    still_answers(service, pid)


def test_the_control_socket_survives_many_peers(service):
    """Strangers who open all they can do not keep root out for good."""
    pid = service.pid
    before = resident(pid)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect_socket()) for _ in range(PEERS)]
        sender = threading.Thread(target=lambda: [closed_by_service(p, b'{"method":', 10)
                                                  for p in peers])
        sender.start()
        sender.join(30)
        assert not sender.is_alive()
        assert service.pid == pid
    still_answers(service, pid)
    assert resident(pid) < before + 8192


def test_a_crowd_of_strangers_keeps_nobody_else_out(service, people):
    pid = service.pid
    with subprocess.Popen(as_user("nobody", ["/usr/bin/python3", "-c", CROWD]), cwd="/", text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crowd:
        assert crowd.stdout.readline() == "here\n"
        for user in (None, people[0]):
            answer = service.cli("status", user=user)
            assert answer.code in (0, 4), answer
        assert len(os.listdir(f"/proc/{pid}/fd")) < 150
        crowd.stdin.close()
        assert crowd.wait(30) == 0
    still_answers(service, pid)


def test_the_folders_have_their_rights(service):
    del service
    for path, mode in ((STATE, 0o700), (pathlib.Path("/var/cache/print-connector"), 0o700),
                       (SOCKET.parent, 0o755), (SOCKET, 0o666), (CREDENTIALS, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
