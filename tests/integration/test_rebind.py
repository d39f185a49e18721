"""`rebind` and `reset`: a printer gets other hardware, or begins anew, and stays what it is in the
cloud."""

from bed import PDF
from bed.route import Route, connect


def test_a_printer_on_other_hardware_keeps_its_twin(bed):
    old, new = bed.ipp_printer("old"), bed.ipp_printer("new")
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, old.uri).ended(bed.cloud.submit(PDF))
    before = daemon.printer(old.uri)
    shown = daemon.cli("rebind", before["id"], new.uri, as_json=False)
    assert shown.code == 0 and "shares and permissions stay" in " ".join(shown.stdout.split())
    daemon.wait_printer(new.uri)
    after = daemon.printer(new.uri)
    assert daemon.printer(old.uri) is None
    assert {k: after[k] for k in ("id", "cloud", "cloud_printer", "certificate")} == \
        {k: before[k] for k in ("id", "cloud", "cloud_printer", "certificate")}
    Route(bed, daemon, new.uri).ended(bed.cloud.submit(PDF))
    new.wait(1)
    assert len(old.ledger()) == 1
    daemon.restart()
    daemon.wait_printer(new.uri)
    Route(bed, daemon, new.uri).ended(bed.cloud.submit(PDF))
    assert len(new.ledger()) == 2


def test_a_printer_moves_only_to_a_queue_that_is_there_and_free(bed):
    eve, other = bed.ipp_printer("eve"), bed.ipp_printer("other")
    bed.start_cloud("q", "r")
    daemon = bed.daemon()
    connect(bed, daemon, eve.uri)
    connect(bed, daemon, other.uri, "r")
    taken = daemon.cli("rebind", eve.uri, other.uri)
    assert taken.code == 1 and "is registered with cloud test already" in taken.error["text"]
    missing = daemon.cli("rebind", eve.uri, "nothing")
    assert missing.code == 1 and "CUPS has no queue nothing" in missing.error["text"]
    unknown = daemon.cli("rebind", "stranger", eve.uri)
    assert unknown.code == 1 and unknown.error["kind"] == "gone"
    same = daemon.cli("rebind", eve.uri, eve.uri)
    assert same.code == 1 and "already" in same.error["text"]
    eve.mode = "hold"
    with eve.gate():
        number = bed.cloud.submit(PDF)
        Route(bed, daemon, eve.uri).wait_record(number, "printing")
        busy = daemon.cli("rebind", eve.uri, "nothing")
        assert busy.code == 1 and "open jobs" in busy.error["text"]
    Route(bed, daemon, eve.uri).ended(number)
    assert {p["queue"] for p in daemon.printers()} == {eve.uri, other.uri}


def test_a_reset_printer_connects_anew_and_prints(bed, eve):
    daemon = bed.daemon(with_cups=False)
    route = connect(bed, daemon, eve.uri)
    before = bed.cloud.counters()["Create-Printer-Subscriptions"]
    assert daemon.cli("reset", eve.uri, as_json=False).code == 0
    bed.cloud.wait(operation="Create-Printer-Subscriptions", count=before + 1)
    route.wait_online().ended(route.submit(PDF))
    gone = daemon.cli("reset", "nothing")
    assert gone.code == 1 and gone.error["kind"] == "gone"
