"""How a queue does, as the cloud is told: state, supplies, trays; how soon and how often."""

import time

from bed import PDF
from bed.route import connect, wait_health

SOON = 2  # seconds from the change at the queue to the cloud
LOADED = 30


def _say(cups, *lines):
    (cups.fault / "say").write_text("".join(line + "\n" for line in lines))


def _cups(bed, verb, *arguments):
    bed.cups.run(verb, "-h", bed.cups.socket, *arguments)


def _reasons(word):
    return lambda attributes: word in attributes.get("printer-state-reasons", "")


def test_a_change_at_a_queue_is_at_the_cloud_within_two_seconds(bed):
    """Half of the changes are; each of them on a machine that has nothing else to do. Asked every
    ten seconds, one of five would be."""
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    took = []
    for turn in range(5):
        stop = turn % 2 == 0
        began = time.monotonic()
        _cups(bed, *(("cupsdisable", "-r", "Tray 7 burns", "q") if stop else ("cupsenable", "q")))
        attributes = route.wait_attributes(
            lambda a, stop=stop: ("paused" in a.get("printer-state-reasons", "")) == stop,
            "paused" if stop else "not paused", LOADED)
        took.append(time.monotonic() - began)
        assert ("Tray 7 burns" in attributes["printer-state-message"]) == stop
    print("seconds:", [round(t, 2) for t in took])
    assert sorted(took)[len(took) // 2] < SOON, took


def test_a_change_at_an_idle_ipp_printer_is_at_the_cloud_within_two_seconds(bed, eve):
    """Somebody else prints there, and it runs out of paper. It has no events to subscribe to."""
    route = connect(bed, bed.daemon(with_cups=False), eve.uri)
    eve.mode = "media"
    took = []
    for _ in range(3):
        with eve.gate():
            answer = eve.client.request("Print-Job", {"document-format": "application/pdf"},
                                        document=PDF)
            assert answer.ok, answer.status
            began = time.monotonic()
            route.wait_reason("media-empty", LOADED)
            took.append(time.monotonic() - began)
        began = time.monotonic()
        route.wait_reason("none", LOADED)
        took.append(time.monotonic() - began)
    print("seconds:", [round(t, 2) for t in took])
    assert sorted(took)[len(took) // 2] < SOON, took


def test_an_ipp_printer_that_has_events_tells_its_changes_within_two_seconds(bed):
    """A shared queue of another CUPS."""
    bed.cups.add_raw("shared", bed.socket_printer().uri)
    route = connect(bed, bed.daemon(with_cups=False), bed.cups.uri("shared", port=True))
    bed.cups.wait_error_log("Create-Printer-Subscriptions")
    took = []
    for turn in range(5):
        stop = turn % 2 == 0
        began = time.monotonic()
        _cups(bed, "cupsdisable" if stop else "cupsenable", "shared")
        route.wait_attributes(
            lambda a, stop=stop: ("paused" in a.get("printer-state-reasons", "")) == stop,
            "paused" if stop else "not paused", LOADED)
        took.append(time.monotonic() - began)
    print("seconds:", [round(t, 2) for t in took])
    assert sorted(took)[len(took) // 2] < SOON, took


def test_what_a_backend_says_becomes_state_supplies_and_alerts(bed):
    bed.cups.add_fault("q", "say=1&wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    _say(bed.cups, "STATE: +media-jam,toner-low-warning",
         "ATTR: marker-names='\"Black Toner\",\"Cyan Toner\",Waste'",
         "ATTR: marker-types=toner,toner,waste-toner",
         "ATTR: marker-colors=\\#000000,\\#00FFFF,none", "ATTR: marker-levels=42,-2,7",
         "INFO: Paper jam in the duplexer")
    with bed.cups.fault_gate():
        number = route.submit(PDF)
        told = route.wait_attributes(_reasons("media-jam-error"), "the jam", LOADED)
        assert "toner-low-warning" in told["printer-state-reasons"]
        assert "Paper jam in the duplexer" in told["printer-state-message"]
        assert "code=jam;severity=critical;group=mediaPath;" in told["printer-alert"]
        told = route.wait_attributes(lambda a: "printer-supply" in a, "supplies", LOADED)
        for part in ("type=toner;unit=percent;maxcapacity=100;level=42;colorantname=black;",
                     "level=-2;colorantname=cyan;",
                     "class=receptacleThatIsFilled;type=wasteToner;"):
            assert part in told["printer-supply"], part
        assert "Black Toner" in told["printer-supply-description"]
        _say(bed.cups, "STATE: -media-jam,toner-low-warning", "ATTR: marker-levels=41,-3,8")
    route.ended(number)
    route.ended(route.submit(PDF))
    told = route.wait_attributes(lambda a: "level=41" in a["printer-supply"] and
                                 a["printer-state-reasons"] == "none", "all well", LOADED)
    assert "level=-3;" in told["printer-supply"]
    assert "jam" not in told["printer-state-message"] and "jam" not in told["printer-alert"]


def test_trays_and_bins_of_a_driver_are_told(bed):
    printer = bed.socket_printer()
    bed.cups.add_pcl("q", printer.uri)
    told = connect(bed, bed.daemon(), "q").attributes()
    assert "name=tray-1;" in told["printer-input-tray"]
    assert "type=sheetFeedManual;" in told["printer-input-tray"]
    assert "name=face-down;" in told["printer-output-tray"]


def test_a_queue_that_is_gone_and_cups_that_is_down_are_told_apart(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    bed.cups.lpadmin("-x", "q")
    told = route.wait_attributes(_reasons("shutdown"), "gone", LOADED)
    assert "CUPS has no queue q" in told["printer-state-message"]
    assert wait_health(daemon, "queue-missing")["remedy"]
    bed.cups.add_raw("q", printer.uri)
    route.wait_attributes(_reasons("none"), "back", LOADED)
    bed.cups.stop()
    told = route.wait_attributes(_reasons("timed-out"), "CUPS is down", LOADED)
    assert f"CUPS at {bed.cups.socket} does not answer" in told["printer-state-message"]
    wait_health(daemon, "cups-down")
    bed.cups.start()
    route.wait_attributes(_reasons("none"), "back again", 90)


def test_a_state_that_flickers_is_not_told_each_time(bed):
    """As often as CUPS can be seen to change; the last word is told all the same."""
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    daemon = bed.daemon(settings={"printers": {"state-interval": "100ms"}})
    route = connect(bed, daemon, "q")
    before = bed.cloud.counters("q")["Update-Output-Device-Attributes"]
    began = time.monotonic()
    changes = 0
    while time.monotonic() - began < 8 or changes < 40:
        _cups(bed, "cupsdisable", "-r", f"flicker {changes}", "q")
        _cups(bed, "cupsenable", "q")
        changes += 2
    _cups(bed, "cupsdisable", "-r", "the last word", "q")
    route.wait_attributes(lambda a: "the last word" in a["printer-state-message"],
                          "the last word", LOADED)
    told = bed.cloud.counters("q")["Update-Output-Device-Attributes"] - before
    seconds = time.monotonic() - began
    print(f"{changes} changes in {seconds:.1f} s told by {told} updates")
    assert 2 <= told <= 2 * 6 + seconds / 10 + seconds / 3 + 2


# ---- the printer behind a queue of CUPS ----------------------------------------------------------


def _behind(bed, reasons):
    """A queue of CUPS whose device is an IPP printer that says such reasons while it prints: CUPS
    itself, ippeveprinter knows no errors."""
    bed.cups.add_fault("behind", "say=1&wait=60")
    _say(bed.cups, f"STATE: +{reasons}", "INFO: Tray 2 is empty")
    bed.cups.add_raw("q", bed.cups.uri("behind", port=True))


def test_the_printer_behind_a_queue_says_errors_supplies_and_paper(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    told = route.wait_attributes(lambda a: "printer-supply" in a, "supplies of the printer", LOADED)
    assert "type=wasteToner" in told["printer-supply"]
    assert "name=main" in told["printer-input-tray"]
    assert "na_letter_8.5x11in" in told["media-ready"]
    eve.mode = "media"
    with eve.gate():
        number = route.submit(PDF)
        route.wait_reason("media-empty-warning", LOADED)  # ippeveprinter knows no errors
    route.ended(number)
    route.wait_reason("none", LOADED)


def test_an_error_of_the_printer_is_told_though_cups_does_not_say_it(bed):
    _behind(bed, "media-empty-error,toner-low-report")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number = route.submit(PDF)
        told = route.wait_reason("media-empty-error", LOADED)
        assert "toner-low-report" in told["printer-state-reasons"]
        assert "cups-" not in told["printer-state-reasons"]
        print("CUPS:", bed.cups.printer("q")["printer-state-reasons"])
    route.ended(number)


def test_a_printer_that_stands_stops_its_queue_and_the_job_in_the_cloud(bed):
    bed.cups.add_fault("behind", "rc=0")
    bed.cups.add_raw("q", bed.cups.uri("behind", port=True))
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    _cups(bed, "cupsdisable", "-r", "Drum burst", "behind")
    number = route.submit(PDF)
    entry = wait_health(daemon, "printer-stopped")
    assert "Drum burst" in entry["text"] and "at the device" in entry["remedy"]
    told = route.wait_attributes(lambda a: a["printer-state"] in ("5", "stopped"), "stopped",
                                 LOADED)
    assert "Drum burst" in told["printer-state-message"]
    route.wait_job_reason(number, "printer-stopped", LOADED)
    later = route.submit(PDF)
    _cups(bed, "cupsenable", "behind")
    route.ended(number)
    route.ended(later)


def test_a_printer_that_is_off_is_told_while_cups_calls_its_job_processing(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    eve.stop()
    number = route.submit(PDF)
    told = route.wait_reason("connecting-to-device", LOADED)
    assert "the device of queue q does not answer" in told["printer-state-message"]
    wait_health(daemon, "queue-unreachable")
    route.wait_job_reason(number, "printer-stopped", LOADED)
    assert bed.cups.job(route.record(number)["local_job"])["job-state"] == 5
    eve.start()
    route.ended(number)
    route.wait_reason("none", LOADED)


def test_a_queue_whose_device_is_the_queue_itself_harms_nobody(bed):
    bed.cups.add_raw("q", bed.cups.uri("q", port=True))
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    bed.cups.wait_error_log(r"127\.0\.0\.1.*\n(.*\n)*?.*Get-Printer-Attributes "
                            + bed.cups.uri("q", port=True))
    assert route.attributes()["printer-state-reasons"] == "none"


def test_a_silent_device_delays_nothing(bed):
    """Something that takes connections and never answers."""
    hole = bed.socket_printer()
    bed.cups.add_raw("q", f"ipp://127.0.0.1:{hole.uri.rsplit(':', 1)[1]}/ipp/print")
    route = connect(bed, bed.daemon(), "q")
    _cups(bed, "cupsdisable", "-r", "out of order", "q")
    began = time.monotonic()
    route.wait_reason("paused", LOADED)
    assert time.monotonic() - began < LOADED


# ---- identify ------------------------------------------------------------------------------------


def _identify(bed, *actions):
    answer = bed.cloud.client().request("Identify-Printer", {
        "identify-actions": list(actions), "message": "here"})
    assert answer.ok, answer.status


def test_identify_reaches_the_printer_behind_a_queue(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    route.wait_attributes(lambda a: a.get("identify-actions-supported") == "display,sound",
                          "what the printer can do", LOADED)
    _identify(bed, "sound", "flash")
    eve.process.wait_for_line("Identify-Printer", LOADED)
    daemon.wait_for_line("printer q identifies itself: the cloud asked", LOADED)


def test_identify_reaches_an_ipp_printer(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    assert route.attributes()["identify-actions-supported"] == "display,sound"
    _identify(bed, "display")
    eve.process.wait_for_line("Identify-Printer", LOADED)
    daemon.wait_for_line("identifies itself: the cloud asked", LOADED)


def test_identify_is_refused_where_nobody_could(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    assert "identify-actions-supported" not in route.attributes()
    _identify(bed, "sound")
    daemon.wait_for_line("printer q cannot identify itself as the cloud asks: queue q cannot "
                         "identify itself: only an IPP printer that answers could", LOADED)
