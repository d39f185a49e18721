"""The service through what happens to it in years: start, kill, hang, reload, no network."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time
import uuid

import pytest
import xps

from bed import BUILD, PDF
from bed.process import run
from bed.route import connect
from bed.watch import Timeout, wait_until
from service import CREDENTIALS, STATE, UNIT, drop_in, output, resident, systemctl

READY_MS = 200  # with so many printers
MANY = 1000
IDLE_PRINTERS, IDLE_MB, IDLE_WAKEUPS = 20, 6, 5


def add_socket_queue(bed):
    """A raw queue on a socket printer; (queue, printer)."""
    printer = bed.socket_printer()
    bed.cups.add_raw("laser", printer.uri)
    return "laser", printer


@pytest.fixture(name="route")
def fixture_route(bed, service):
    """A registered queue on a socket printer, which is route.paper."""
    queue, printer = add_socket_queue(bed)
    route = connect(bed, service, queue)
    route.paper = printer
    return route


def printed(route):
    """How often the document came out."""
    return len(route.paper.ledger)


def test_it_is_enabled_and_starts_with_nothing_configured(installed):
    del installed
    assert systemctl("is-enabled", UNIT).strip() == "enabled"
    systemctl("restart", UNIT)
    assert systemctl("is-active", UNIT).strip() == "active"
    status = systemctl("show", "--value", "-p", "StatusText", UNIT).strip()
    assert status == "no printer is registered; no cloud is configured"


def test_a_job_is_printed(route):
    route.ended(route.submit(PDF))
    assert printed(route) == 1


def test_it_runs_without_rights(service):
    with open(f"/proc/{service.pid}/status", encoding="ascii") as text:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)
    assert {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} \
        == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["Uid"].split() == [run(["id", "-u", "print-connector"]).stdout.strip()] * 4
    assert run(["id", "-Gn", "print-connector"]).stdout.split() == ["print-connector"]
    assert status["Groups"].split() == [run(["id", "-g", "print-connector"]).stdout.strip()]
    limits = output(["cat", f"/proc/{service.pid}/limits"])[1]
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_nothing_that_was_brought_along_can_run_inside_the_sandbox(service):
    pid = service.pid
    argv = ["systemd-run", "--wait", "--pipe", "-q"]
    for name in ("NoExecPaths", "ExecPaths", "SystemCallFilter", "SystemCallErrorNumber",
                 "MemoryDenyWriteExecute", "RestrictNamespaces", "ProtectSystem", "PrivateTmp",
                 "NoNewPrivileges", "PrivateDevices", "ProcSubset", "ProtectProc"):
        argv += ["-p", f"{name}={service.show(name)}"] if service.show(name) else []
    code, text = output([*argv, "-p", "User=print-connector", "sh", "-c",
                         "cp /bin/true /tmp/x && /tmp/x"])
    assert code != 0 and "ermission denied" in text
    assert service.pid == pid


def test_xps_is_converted_inside_the_sandbox(route):
    route.ended(route.submit(xps.make(2), mime="application/oxps"))
    text = subprocess.run(["pdftotext", route.paper.ledger[0]["file"], "-"], check=True,
                          capture_output=True, text=True).stdout
    assert "page 1" in text and "page 2" in text


def test_inside_the_sandbox_a_converter_is_confined_further(bed, make_service):
    converter = pathlib.Path("/usr/lib/tries")
    shutil.copy(BUILD / "odd-converter", converter)
    queue, paper = add_socket_queue(bed)
    service = make_service(settings={"jobs": {"xps-converter": converter}})
    service.start()
    route = connect(bed, service, queue)
    route.ended(route.submit(xps.make(), mime="application/oxps"))
    said = pathlib.Path(paper.ledger[0]["file"]).read_text(encoding="ascii")
    for what in ("inet socket: EPERM", "fork: EPERM", "other program: EACCES",
                 "read /etc/passwd: EACCES", "write to /tmp: EACCES", "other's descriptor: EBADF"):
        assert what in said, said
    converter.unlink()


def test_killed_it_comes_back_and_prints_once(bed, route):
    first = route.daemon.pid
    mine = [route.submit(PDF) for _ in range(3)]
    systemctl("kill", "-s", "KILL", UNIT)
    second = route.daemon.wait_another(first)
    assert second != first and route.daemon.show("NRestarts") == "1"
    for number in mine:
        told = bed.cloud.wait_job(number, "q", timeout=90)
        assert told["state_name"] == "completed", told
    assert printed(route) == 3


@contextlib.contextmanager
def stopped(pid):
    """All of it."""
    os.kill(pid, signal.SIGSTOP)
    yield


@contextlib.contextmanager
def stuck_loop(pid):
    """Its loop comes back from no wait, while its other threads could go on."""
    waits = "epoll_wait,epoll_pwait"
    with subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={waits}", "-e",
                           f"inject={waits}:delay_exit=600s", "-p", str(pid)]) as tracer:
        try:
            yield
        finally:
            tracer.kill()  # else it holds what systemd kills


@pytest.mark.parametrize("hang", [stopped, stuck_loop])
def test_hanging_it_is_ended_and_started_again(service, hang):
    extra = drop_in("[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n")
    try:
        systemctl("restart", UNIT)
        pid = service.pid
        since = service.process.mark()
        with hang(pid):
            service.process.wait_for_line(r"Watchdog timeout", 30, since)
        service.wait_another(pid)
        assert service.verb("status", codes=(0, 4))["health"] == []
    finally:
        extra.unlink()
        systemctl("daemon-reload")


def test_what_cannot_start_is_tried_again_until_it_can(service):
    service.stop()
    service.sections["jobs"] = {"give-up-after": "never"}
    service.write_config()
    assert output(["systemctl", "start", UNIT])[0] != 0
    service.wait_show("NRestarts", "^([2-9]|[1-9][0-9]+)$")
    pause = service.show("RestartUSec")
    assert pause == "3s" and service.show("StartLimitIntervalUSec") == "0"
    del service.sections["jobs"]
    service.write_config()
    service.wait_show("ActiveState", "^active$")


def test_good_settings_are_reloaded_and_bad_ones_are_not(service):
    pid = service.pid
    service.sections["jobs"] = {"give-up-after": "2d"}
    since = service.process.mark()
    service.reload()
    service.process.wait_for_line("settings reloaded", 10, since)
    service.sections["jobs"] = {"give-up-afterr": "2d"}
    log = service.sections["log"]
    service.sections["log"] = {"level": "loud"}
    since = service.process.mark()
    service.write_config()
    code, text = output(["systemctl", "reload", UNIT])
    assert code != 0 and "journalctl" in text
    service.process.wait_for_line("not reloaded, the old ones stay: ", 10, since)
    # every mistake, with its place and what helps
    place = rf"^{service.config}:\d+: "
    service.process.wait_for_line(place + ".*give-up-afterr.*mean give-up-after", 10, since)
    service.process.wait_for_line(place + ".*level must be error, warning, info", 10, since)
    assert service.pid == pid and service.show("ActiveState") == "active"
    assert [entry["code"] for entry in service.verb("status")["health"]] == ["settings-wrong"]
    service.sections["log"] = log
    service.sections["jobs"] = {"give-up-after": "3d"}
    service.reload()
    assert service.verb("status", codes=(0, 4))["health"] == []
    assert service.pid == pid


def test_passwords_can_be_credentials(bed, make_service):
    bed.start_cloud("q,auth=basic:proxy:secret")
    service = make_service({"test": {"uri": bed.cloud.base(), "username": "proxy",
                                     "password-file": "credential:office"}})
    secret = CREDENTIALS / "office"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    service.start()
    queue, printer = add_socket_queue(bed)
    route = connect(bed, service, queue)
    route.ended(route.submit(PDF))
    assert len(printer.ledger) == 1
    assert "cannot be read" not in service.process.text()
    assert output(["cat", secret], user="print-connector")[0] != 0


def test_it_starts_without_cups_and_prints_when_it_is_there(bed, route):
    service = route.daemon
    service.stop()
    bed.cups.stop()
    service.start()
    assert service.wait_show("StatusText", "CUPS at .* does not answer")
    assert service.verb("status", codes=(4,))["health"][0]["code"] == "cups-down"
    bed.cups.start()
    route.wait_online(90)
    route.ended(route.submit(PDF), timeout=90)
    assert printed(route) == 1


def test_it_starts_without_network_and_prints_when_it_is_there(route):
    service = route.daemon
    service.stop()
    # not by taking lo down: systemd brings it up for a service with PrivateIPC
    run(["ip", "rule", "add", "pref", "9", "lookup", "local"])
    run(["ip", "rule", "add", "pref", "8", "to", "127.0.0.0/8", "unreachable"])
    run(["ip", "rule", "delete", "pref", "0"])
    try:
        service.start()
        status = service.wait_show("StatusText", "does not answer")
        assert status == "1 printer offline; cloud test does not answer"
        assert service.verb("status", codes=(4,))["health"][0]["code"] == "cloud-unreachable"
    finally:
        run(["ip", "rule", "delete", "pref", "8"])
    route.wait_online(90)
    route.ended(route.submit(PDF), timeout=90)
    assert printed(route) == 1
    assert service.wait_show("StatusText", "online$") == "1 printer online"


def test_nothing_listens_on_the_network(route):
    route.ended(route.submit(PDF))
    listeners = run(["ss", "-ltnupH"]).stdout
    assert "cloud-emulator" in listeners  # what listens is shown
    assert "print-connector" not in listeners and f"pid={route.daemon.pid}," not in listeners


def test_the_journal_explains_what_it_says(service):
    text = run(["journalctl", "-x", "-u", UNIT, "--after-cursor", service.process.cursor]).stdout
    assert "Subject: the connector has started" in text


def test_the_journal_tells_the_whole_story_of_one_job(route):
    ids = [route.ended(route.submit(PDF))[1]["id"] for _ in range(2)]
    for number in ids:
        entries = [json.loads(line) for line in route.daemon.process.lines(
            f"CONNECTOR_JOB={number}", "-o", "json").splitlines()]
        told = [entry["MESSAGE"] for entry in entries]
        assert any("created local job" in text for text in told), told
        assert any("completed on laser" in text for text in told), told
        for entry in entries:
            assert entry["CONNECTOR_JOB"] == str(number)
            assert entry["CONNECTOR_QUEUE"] == "laser" and entry["CONNECTOR_CLOUD"] == "test"
            assert int(entry["CONNECTOR_CLOUD_JOB"]) > 0
        states = [entry["CONNECTOR_STATE"] for entry in entries]
        assert states[-1] in ("reporting", "done"), states
    for field in ("CONNECTOR_QUEUE=other", "CONNECTOR_JOB=99", "CONNECTOR_STATE=x"):
        assert route.daemon.process.lines(field) == ""


def test_the_journal_says_why_a_job_failed_in_fields(route):
    number = route.ended(route.submit(b"neither this nor that"), "aborted")[1]["id"]
    entries = map(json.loads, route.daemon.process.lines(
        f"CONNECTOR_JOB={number}", "-o", "json").splitlines())
    last, = [entry for entry in entries
             if entry.get("MESSAGE_ID") == "f9fdc4c8840d41a0a9bb1669bc4f288d"]
    assert last["CONNECTOR_ERROR"] == "rejected" and "aborted" in last["MESSAGE"]


def switches(pid):
    """How often its threads were put to sleep or aside so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def watched(service, seconds):
    """Wake-ups a second over that time."""
    before, since = switches(service.pid), time.monotonic()
    with contextlib.suppress(Timeout):
        wait_until(lambda: False, "nothing", seconds, look_again=seconds)
    return (switches(service.pid) - before) / (time.monotonic() - since)


def test_idle_it_is_small_and_sleeps(bed, make_service):
    names = [f"q{number}" for number in range(IDLE_PRINTERS)]
    bed.start_cloud(*names)
    service = make_service(settings={"log": {"level": "info"}})
    service.start()
    for name in names:
        bed.cups.add_raw(name, "socket://127.0.0.1:9")
        service.register(name, bed.cloud.uri(name))
    service.wait(lambda: service.verb("status")["printers"]["online"] == IDLE_PRINTERS, "online")
    watched(service, 2)  # it has settled
    # a machine that does other things makes more of them: the quietest time counts
    wakeups = min(watched(service, 4) for _ in range(2))
    anonymous = resident(service.pid) / 1024
    print(json.dumps({"wakeups": wakeups, "anonymous_mb": anonymous}))
    assert wakeups < IDLE_WAKEUPS and anonymous <= IDLE_MB, (wakeups, anonymous)


def fill_store(bed, count):
    """Copies of the one printer in the store, each with a key and a certificate of its own; the
    service is stopped."""
    pair = {"keys": bed.dir / "key.pem", "certificates": bed.dir / "certificate.pem"}
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "300", "-subj",
         "/CN=printer", "-keyout", pair["keys"], "-out", pair["certificates"]])
    for folder in pair:
        (STATE / folder).mkdir(mode=0o700, exist_ok=True)
    with sqlite3.connect(STATE / "state.db") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(printers)")]
        row = dict(zip(columns, db.execute("SELECT * FROM printers").fetchone()))
        for i in range(count - 1):
            copy = {**row, "id": str(uuid.uuid4()), "queue": f"laser{i}", "own_certificate": 1}
            for folder, path in pair.items():
                shutil.copy(path, STATE / folder / f"{copy['id']}.pem")
            copy = {key: re.sub("/q$", f"/q{i}", value) if isinstance(value, str) else value
                    for key, value in copy.items()}
            db.execute(f"INSERT INTO printers ({','.join(columns)}) "
                       f"VALUES ({','.join('?' * len(columns))})", [copy[c] for c in columns])
    db.close()


def test_it_is_ready_at_once_with_a_thousand_printers(bed, route):
    service = route.daemon
    service.stop()
    fill_store(bed, MANY)
    run(["chown", "-R", "print-connector:print-connector", STATE])
    bed.cloud.stop()
    times = []
    # before all others, since the machine may do other things
    extra = drop_in("[Service]\nCPUSchedulingPolicy=fifo\nCPUSchedulingPriority=10\n")
    try:
        for _ in range(5):
            systemctl("start", UNIT)
            begun, ready = (int(service.show(name)) for name in (
                "ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
            times.append((ready - begun) / 1000)
            assert len(service.printers()) == MANY
            systemctl("stop", UNIT)
    finally:
        extra.unlink()
        systemctl("daemon-reload")
    print(json.dumps({"ready_ms": times}))
    assert statistics.median(times) < READY_MS, times
