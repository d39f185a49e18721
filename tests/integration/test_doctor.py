"""`doctor`: whatever is broken, one finding names it and says what helps."""

import email.utils
import http.server
import re
import subprocess
import threading
import time

import pytest

from bed import PDF, SANITIZED
from bed.limits import FakeClock, limited
from bed.net import Port
from bed.process import run
from bed.route import connect
from bed.up import enrolled


def doctor(daemon, *queue, code=4):
    """(findings, steps) as JSON."""
    done = daemon.cli("doctor", *queue, timeout=120)
    assert done.code == code, f"{done!r}\n{daemon.process.tail(20)}"
    assert done.lines[-1]["event"] == "done"
    return ([line for line in done.lines if line["event"] == "finding"],
            [line for line in done.lines if line["event"] == "step"])


def expect(daemon, step, *words, mark="fail", queue=()):
    """Exactly this one finding, with these words in it."""
    found, _ = doctor(daemon, *queue)
    assert [(f["step"], f["mark"]) for f in found] == [(step, mark)], found
    text = found[0]["text"] + "\n" + found[0]["remedy"]
    for word in words:
        assert word in text, text
    assert found[0]["remedy"]
    return found[0]


class Web:
    """A web server that answers every GET alike."""

    def __init__(self, status=404, ahead=0):
        date = email.utils.formatdate(time.time() + ahead, usegmt=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            """As told."""

            def do_GET(self):  # pylint: disable=invalid-name
                """The same for everything."""
                self.send_response_only(status)
                self.send_header("Date", date)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                """Not a word."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def _set(daemon, **keys):
    """The cloud's settings from now on."""
    daemon.sections["cloud test"].update({k.replace("_", "-"): v for k, v in keys.items()})
    daemon.restart()


def _tls_daemon(bed, eve, *options, **more):
    cloud = bed.start_cloud(tls=True)
    daemon = bed.make_daemon(with_cups=False, clouds={
        "test": {"uri": cloud.base(tls=True), "ca-file": cloud.ca}}, **more)
    daemon.start()
    connect(bed, daemon, eve.uri, "q", *options, tls=True)
    return daemon


def test_nothing_wrong_is_said_so(bed, eve):
    daemon = _tls_daemon(bed, eve)
    found, steps = doctor(daemon, code=0)
    assert found == []
    assert {"disk", "limits", "name", "connect", "tls", "clock", "service", "printer", "channel",
            "queue", "validate"} <= {s["step"] for s in steps}
    shown = daemon.cli("doctor", eve.uri, as_json=False)
    assert shown.code == 0 and "nothing is wrong" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    gone = daemon.cli("doctor", "stranger")
    assert gone.code == 1 and gone.error["kind"] == "gone"


def test_a_wrong_clock(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    with Web(ahead=3600) as web:
        _set(daemon, uri=f"ipp://127.0.0.1:{web.port}/ipp/print")
        daemon.wait_printer(eve.uri)
        expect(daemon, "clock", "behind", "timedatectl")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer must be loaded first")
@pytest.mark.parametrize("offset, step", [("-20y", "clock"), ("+40y", "tls")])
def test_a_clock_that_is_years_off_is_not_taken_for_an_inspecting_proxy(bed, eve, offset, step):
    clock = FakeClock(bed.dir)
    daemon = _tls_daemon(bed, eve, env=clock.env)
    clock.move(offset)
    daemon.restart()
    found, _ = doctor(daemon)
    assert step in [f["step"] for f in found], found
    assert all("timedatectl" in f["remedy"] for f in found if f["step"] == step), found
    assert not any("proxy" in f["remedy"] for f in found), found


def test_a_name_that_nobody_knows(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    _set(daemon, uri="ipps://no-such-host.invalid/ipp/print")
    daemon.wait_printer(eve.uri)
    expect(daemon, "name", "no-such-host.invalid")


def test_a_dead_proxy(bed, eve):
    daemon = _tls_daemon(bed, eve)
    port = Port()
    _set(daemon, proxy=f"http://127.0.0.1:{port}")
    daemon.wait_printer(eve.uri, "offline")
    expect(daemon, "proxy", "proxy")
    port.close()


def test_a_cloud_that_refuses_connections(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    bed.cloud.stop()
    daemon.wait_printer(eve.uri, "offline")
    expect(daemon, "connect", "firewall")
    bed.cloud.start()


def test_an_inspecting_proxy_or_another_authority(bed, eve):
    daemon = _tls_daemon(bed, eve)
    other = daemon.dir / "other.pem"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
         "/CN=other", "-keyout", daemon.dir / "other.key", "-out", other])
    _set(daemon, ca_file=other)
    daemon.wait_printer(eve.uri, "offline")
    found = expect(daemon, "tls", "issued by", "ca-file")
    assert "emulator" in found["text"].lower(), found


def test_a_cloud_with_a_problem_of_its_own(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    with Web(503) as web:
        _set(daemon, uri=f"ipp://127.0.0.1:{web.port}/ipp/print")
        daemon.wait_printer(eve.uri)
        expect(daemon, "service", "503")


def test_a_sign_in_host_with_a_problem_of_its_own(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    enrolled(daemon, cloud, eve.uri)
    cloud.down("login")
    expect(daemon, "sign-in", "problem of its own")


def test_a_notification_host_that_is_down(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    enrolled(daemon, cloud, eve.uri)
    cloud.down("notification")
    expect(daemon, "notification", "jobs come late")


def test_a_token_that_is_refused(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    cloud.fault("oauth-error", operation="up-device-token", http=401, count=-1,
                text='{"error":"invalid_client"}')
    cloud.revoke(route.printer)
    daemon.restart()
    daemon.wait_printer(eve.uri, "refused")
    expect(daemon, "token", "register --renew")


def test_a_printer_that_the_cloud_does_not_know(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    bed.cloud.remove_printer()
    daemon.restart()
    daemon.wait_printer(eve.uri, "refused")
    expect(daemon, "printer", "register")


def test_a_certificate_that_expires_soon(bed, eve):
    folder = bed.dir
    certificate, key = folder / "device.pem", folder / "device.key"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj",
         "/CN=device", "-keyout", key, "-out", certificate])
    for path in (certificate, key):
        path.chmod(0o644 if path == certificate else 0o600)
        subprocess.run(["chown", "nobody", path], check=True)
    daemon = _tls_daemon(bed, eve, "--certificate", certificate, "--key", key)
    expect(daemon, "certificate", "expires", mark="warn")
    daemon.stop()
    (step, text), = _offline(daemon)
    assert step == "certificate" and "expires" in text and "--renew" in text
    certificate.write_text("no certificate")
    (step, text), = _offline(daemon)
    assert step == "certificate" and "no certificate" not in text and "--renew" in text


def _cups_daemon(bed):
    """Two queues, so that what is told of both would be two findings."""
    bed.start_cloud("q", "r")
    for name in ("laser", "ink"):
        bed.cups.add_fault(name, "mode=ok")
    daemon = bed.daemon()
    connect(bed, daemon, "laser")
    connect(bed, daemon, "ink", "r")
    return daemon


def test_cups_that_is_down(bed):
    daemon = _cups_daemon(bed)
    bed.cups.stop()
    daemon.wait_printer("laser", "offline")
    expect(daemon, "cups", "systemctl status cups")
    bed.cups.start()


@pytest.mark.parametrize("command, words", [(["cupsdisable"], "cupsenable laser"),
                                            (["cupsreject"], "cupsaccept laser")])
def test_a_queue_that_prints_nothing(bed, command, words):
    daemon = _cups_daemon(bed)
    bed.cups.run(*command, "laser")
    expect(daemon, "queue", words)
    assert doctor(daemon, "ink", code=0)[0] == []


def test_cups_that_is_down_hides_no_printer_that_is_paused(bed):
    daemon = _cups_daemon(bed)
    daemon.verb("pause", "laser")
    daemon.verb("pause", "ink")
    bed.cups.stop()
    daemon.wait_printer("laser", "paused")
    found, _ = doctor(daemon)
    assert [(f["step"], f["text"], f["remedy"]) for f in found[1:]] == [
        ("paused", "laser is paused (and 1 more)", "print-connector resume laser")]
    assert found[0]["step"] == "cups"
    bed.cups.start()


def test_what_helps_one_of_two_printers_of_a_queue_names_its_cloud(bed):
    cloud = bed.start_cloud("q", "r")
    bed.cups.add_fault("laser", "mode=ok")
    daemon = bed.daemon(clouds={"one": {"uri": cloud.base()}, "two": {"uri": cloud.base()}})
    daemon.register("laser", cloud.uri("q"), cloud="one")
    daemon.register("laser", cloud.uri("r"), cloud="two")
    daemon.verb("pause", "laser", "--cloud", "two")
    found = expect(daemon, "paused", "laser is paused", mark="warn")
    assert found["remedy"] == "print-connector resume laser --cloud two"
    reasons = next(p["reasons"] for p in daemon.printers() if p["cloud"] == "two")
    assert "print-connector resume laser --cloud two" in reasons[0]
    refused = daemon.cli("reset", "laser").error["remedy"]
    assert "--cloud one" in refused and "--cloud two" in refused
    daemon.verb(*found["remedy"].split()[1:])
    assert doctor(daemon, code=0)[0] == []


def test_a_queue_that_is_gone(bed):
    daemon = _cups_daemon(bed)
    bed.cups.run("lpadmin", "-x", "laser")
    expect(daemon, "queue", "laser")


def test_a_queue_that_does_not_let_us_print(bed):
    daemon = _cups_daemon(bed)
    bed.cups.lpadmin("-p", "laser", "-o", "printer-op-policy=authenticated")
    expect(daemon, "validate", "printer-op-policy=default")


def test_a_queue_that_writes_to_a_file(bed):
    """Without a driver too: CUPS calls its jobs completed, and does not even write them."""
    bed.start_cups(file_device=True)
    bed.start_cloud("q", "r")
    out = bed.dir / "out"
    bed.cups.add_raw("raw", f"file://{out}")
    bed.cups.add_raw("ink", bed.socket_printer().uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    connect(bed, daemon, "ink", "r")
    expect(daemon, "output", "raw writes to a file", "lpadmin -p raw -v", mark="warn")
    assert doctor(daemon, "ink", code=0)[0] == []
    route.ended(route.submit(PDF))
    assert not out.exists()


def test_a_default_that_a_queue_does_not_have(bed):
    """The journal warns at start and at each reload, naming the line, and the doctor once."""
    bed.start_cloud("q", "r")
    bed.cups.add_pcl("laser", bed.socket_printer().uri)
    bed.cups.add_pcl("other", bed.socket_printer().uri)
    daemon = bed.make_daemon()
    mapping = daemon.dir / "mapping.d"
    mapping.mkdir()
    (mapping / "office.conf").write_text("[queue *]\ndefault sides = one-sided\n"
                                         "default print-color-mode = color\n")
    daemon.start()
    connect(bed, daemon, "laser")
    connect(bed, daemon, "other", "r")
    line = (r"laser takes monochrome for the default print-color-mode = color of office.conf:3: "
            r"it has monochrome; change that line.*print-connector-mapping")
    daemon.restart()
    daemon.wait_for_line(line)
    daemon.wait_printer("laser")
    daemon.wait_printer("other")
    found = expect(daemon, "defaults", "office.conf:3", "print-connector explain laser",
                   "(and 1 more)", mark="warn")
    assert "sides" not in found["text"]
    (mapping / "office.conf").write_text("[queue laser]\ndefault media-type = labels\n")
    mark = daemon.mark()
    daemon.reload()
    daemon.wait_for_line(r"laser cannot follow the default media-type = labels of office.conf:2: "
                         r"it has no choice of that; ", since=mark)
    expect(daemon, "defaults", "office.conf:2", mark="warn")
    (mapping / "office.conf").unlink()
    daemon.reload()
    assert doctor(daemon, code=0)[0] == []
    assert len(re.findall(line, daemon.process.text())) == 1


def test_a_printer_that_is_switched_off(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    eve.stop()
    expect(daemon, "device", "switch it on")


def test_a_device_behind_a_queue_that_is_switched_off(bed):
    """CUPS calls its queue idle; the device is not even printed a page to find out."""
    bed.start_cloud("q", "r")
    on, off = bed.socket_printer("on"), bed.socket_printer("off")
    bed.cups.add_raw("laser", on.uri)
    bed.cups.add_raw("ink", off.uri)
    daemon = bed.daemon()
    connect(bed, daemon, "laser")
    connect(bed, daemon, "ink", "r")
    found, steps = doctor(daemon, code=0)
    assert found == []
    assert [s["subject"] for s in steps if s["step"] == "device"] == ["laser", "ink"]
    off.stop()
    found = expect(daemon, "device", f"the device of ink: 127.0.0.1 port {off.port}",
                   "connection refused", "switch it on", mark="warn")
    assert found["subject"] == "ink"
    assert on.ledger == [] and off.ledger == []


def test_a_full_disk(bed, eve):
    daemon = bed.make_daemon(with_cups=False)
    run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700,uid=65534", "tmpfs", daemon.state])
    try:
        daemon.start()
        connect(bed, daemon, eve.uri)
        expect(daemon, "disk", "make room")
        daemon.stop()
    finally:
        run(["umount", daemon.state])


def test_too_few_files_for_its_printers(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    with limited(daemon, "nofile", 64):
        expect(daemon, "limits", "64 files", "LimitNOFILE")
    assert doctor(daemon, code=0)[0] == []


def test_without_a_daemon_it_looks_as_far_as_it_can(bed, eve):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    daemon.stop()
    daemon.sections["printers"]["cups-server"] = bed.cups.socket
    daemon.write_config()
    done = daemon.cli("--config", daemon.config, "doctor")
    assert done.code == 4
    found = [line for line in done.lines if line["event"] == "finding"]
    assert [f["step"] for f in found] == ["daemon"] and "systemctl start" in found[0]["remedy"]
    assert "whether the cloud knows the printers" in found[0]["text"]
    assert {"disk", "connect", "service", "queue", "validate"} <= {
        line["step"] for line in done.lines if line.get("mark") == "pass"}
    bed.cloud.stop()
    done = daemon.cli("--config", daemon.config, "doctor")
    assert [f["step"] for f in done.lines if f["event"] == "finding"] == ["daemon", "connect"]
    daemon.config.write_text("[connectro]\n")
    done = daemon.cli("--config", daemon.config, "doctor")
    assert [f["step"] for f in done.lines if f["event"] == "finding"] == ["daemon", "settings"]
    bed.cloud.start()


def _offline(daemon, **options):
    """What it finds beside that the daemon does not run."""
    done = daemon.cli("--config", daemon.config, "doctor", **options)
    assert done.code == 4, done
    found = [line for line in done.lines if line["event"] == "finding"]
    assert found[0]["step"] == "daemon"
    return [(f["step"], f["text"] + "\n" + f["remedy"]) for f in found[1:]]


def test_without_a_daemon_it_looks_at_the_queues(bed):
    daemon = _cups_daemon(bed)
    daemon.stop()
    assert not _offline(daemon)
    bed.cups.run("cupsdisable", "laser")
    (step, text), = _offline(daemon)
    assert step == "queue" and "cupsenable laser" in text
    done = daemon.cli("--config", daemon.config, "doctor", "ink")
    assert [e["step"] for e in done.lines if e["event"] == "finding"] == ["daemon"]
    done = daemon.cli("--config", daemon.config, "doctor", "stranger")
    assert done.code == 1 and "stranger is not registered" in done.error["text"]
    bed.cups.run("cupsenable", "laser")
    bed.cups.stop()
    assert [step for step, _ in _offline(daemon)] == ["cups"]
    bed.cups.start()


def test_without_a_daemon_it_knows_what_is_paused_and_what_cloud_is_missing(bed):
    daemon = _cups_daemon(bed)
    daemon.verb("pause", "ink")
    daemon.stop()
    (step, text), = _offline(daemon)
    assert step == "paused" and "print-connector resume ink" in text
    daemon.sections["cloud other"] = daemon.sections.pop("cloud test")
    daemon.write_config()
    found = _offline(daemon)
    assert {step for step, _ in found} == {"channel", "paused"}, found
    assert any("put [cloud test] back" in text for _, text in found)


def test_without_a_daemon_it_says_when_it_cannot_know_the_printers(bed):
    daemon = _cups_daemon(bed)
    daemon.stop()
    daemon.config.chmod(0o644)
    (step, text), = _offline(daemon, user="daemon")
    assert step == "disk" and "run this as root" in text
    (daemon.state / "state.db").write_bytes(b"no database" * 1000)
    (step, text), = _offline(daemon)
    assert step == "disk" and "cannot be read" in text and "systemctl start" in text
    daemon.start()  # as it says
    assert list(daemon.state.glob("state.db.damaged-*"))
