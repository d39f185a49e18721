"""An ipps printer that no authority vouches for: its key is remembered at the registration, and one
with another key gets nothing until an administrator says that it is right."""

import pytest

from bed import PDF
from bed.route import Route, connect, health, wait_health


@pytest.fixture(name="eve")
def fixture_eve(bed):
    """A printer with a certificate of its own making."""
    return bed.ipp_printer(tls=True)


def findings(daemon):
    """What the doctor finds."""
    return [line for line in daemon.cli("doctor").lines if line["event"] == "finding"]


def test_a_printer_with_a_key_of_its_own_prints_over_tls(bed, eve):
    daemon = bed.daemon(with_cups=False)
    route = connect(bed, daemon, eve.uri)
    assert daemon.printer(eve.uri)["trust"] == "key"
    route.ended(route.submit(PDF))
    assert len(eve.ledger()) == 1
    daemon.restart()
    route.wait_online().ended(route.submit(PDF))
    assert findings(daemon) == []


def test_unencrypted_printers_are_shown_as_such(bed):
    plain = bed.ipp_printer("plain")
    bed.start_cloud("q", "r")
    daemon = bed.daemon()
    connect(bed, daemon, plain.uri)
    bed.cups.add_raw("raw", "file:///dev/null")
    connect(bed, daemon, "raw", "r")
    assert daemon.printer(plain.uri)["trust"] == "none"
    assert daemon.printer("raw")["trust"] is None
    assert "unencrypted" in daemon.cli("printers", as_json=False).stdout


def test_a_printer_with_another_key_gets_nothing_until_it_is_trusted(bed, eve):
    daemon = bed.daemon(with_cups=False)
    route = connect(bed, daemon, eve.uri)
    route.ended(route.submit(PDF))
    eve.lose_key()
    entry = wait_health(daemon, "queue-untrusted")
    assert f"print-connector reset {eve.uri} --trust-new-key" in entry["remedy"]
    number = route.submit(PDF, name="late")
    found = findings(daemon)
    assert [f["step"] for f in found] == ["key"]
    assert "--trust-new-key" in found[0]["remedy"]
    assert daemon.cli("reset", eve.uri).code == 0  # that alone trusts nobody
    assert len(eve.ledger("arrived")) == 1
    daemon.restart()
    wait_health(daemon, "queue-untrusted")
    shown = daemon.cli("reset", eve.uri, "--trust-new-key")
    assert shown.code == 0 and shown.data["key"].startswith("sha256//")
    route.ended(number)
    assert [entry["name"] for entry in eve.ledger("arrived")][1:] == ["late"]
    assert health(daemon, "queue-untrusted") == []
    daemon.wait(lambda: findings(daemon) == [], "nothing to find")
    daemon.restart()
    Route(bed, daemon, eve.uri).wait_online().ended(bed.cloud.submit(PDF))


def test_only_printers_with_a_key_are_trusted_anew(bed, eve):
    plain = bed.ipp_printer("plain")
    bed.start_cloud("q", "r")
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    connect(bed, daemon, plain.uri, "r")
    refused = daemon.cli("reset", plain.uri, "--trust-new-key")
    assert refused.code == 1 and "shows no key" in refused.error["text"]
    eve.stop()
    away = daemon.cli("reset", eve.uri, "--trust-new-key")
    assert away.code == 1 and away.error["kind"] == "temporary"
    eve.start()
    assert daemon.cli("reset", eve.uri, "--trust-new-key", as_json=False).code == 0
    assert daemon.printer(eve.uri)["trust"] == "key"


def test_a_printer_that_moves_to_hardware_with_its_own_key_learns_it(bed, eve):
    new = bed.ipp_printer("new", tls=True)
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    assert daemon.cli("rebind", eve.uri, new.uri).code == 0
    daemon.wait_printer(new.uri)
    Route(bed, daemon, new.uri).ended(bed.cloud.submit(PDF))
    assert len(new.ledger()) == 1
