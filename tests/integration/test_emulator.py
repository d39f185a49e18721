"""The cloud emulator keeps to the documents, and breaks where it is told to."""

import concurrent.futures
import gzip
import http.client
import json
import struct
import subprocess
import time
import uuid

import pytest

from emulator_fixture import (BOOLEAN, CODES, DOCUMENT, ENUM, EVENT, INTEGER, JOB, KEYWORD, MIME,
                              NAME, OPERATION, PRINTER, PROGRAM, SUBSCRIPTION, TEXT, URI, Answer,
                              Client, Connection, Emulator, Proxy, encode)

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 200
NOT_FETCHABLE, NOT_POSSIBLE, NOT_FOUND, BAD_REQUEST = 0x420, 0x404, 0x406, 0x400


@pytest.fixture
def emulator(tmp_path):
    it = Emulator(tmp_path, "--printer", "p", "--printer", "q", "--tls-directory",
                  str(tmp_path / "tls"), "--system", "none")
    yield it
    it.stop()


@pytest.fixture
def clean(emulator):
    """For tests in which nobody breaks a rule."""
    yield emulator
    assert emulator.rules() == []


def ready(emulator, name="p", **kwargs):
    proxy = Proxy(emulator, name, **kwargs)
    assert proxy.update().status == 0
    assert proxy.subscribe().status == 0
    return proxy


def quirk(emulator, quirks, name="p"):
    assert "error" not in emulator.admin("PUT", "/printers", printer=name,
                                         options="quirks=" + quirks)


def test_a_job_goes_all_the_way_and_every_word_is_kept(clean):
    proxy, client = ready(clean), Client(clean, "p")
    job = client.print_job(PDF)
    assert proxy.fetchable() == [job]
    proxy.take(job)
    assert proxy.fetchable() == []
    assert proxy.finish(job) == [PDF]
    told = clean.wait(printer="p", job=job, state=9, timeout=30)["job"]
    assert told["impressions"] == 3
    assert told["documents"][0]["whole"] and told["documents"][0]["format"] == "application/pdf"
    assert [t["operation"] for t in told["told"]] == [
        "Print-Job", "Fetch-Job", "Acknowledge-Job", "Fetch-Document", "Update-Job-Status",
        "Acknowledge-Document", "Update-Document-Status", "Update-Job-Status"]
    times = told["times"]
    order = [times[name] for name in ("submitted", "fetchable", "fetched", "acknowledged",
                                      "first_byte", "last_byte", "final")]
    assert order == sorted(order)
    assert clean.admin("GET", "/document", printer="p", job=job) == PDF


def test_the_ledger_holds_one_json_object_a_line(clean):
    job = Client(clean, "p").print_job(PDF)
    clean.wait(printer="p", job=job, fetchable=1)
    lines = [json.loads(line) for line in clean.ledger.read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"job", "told"}


def test_a_printer_without_a_device_is_stopped(clean):
    client = Client(clean, "p")
    assert client.send("Get-Printer-Attributes").get("printer-state") == 5
    proxy = ready(clean)
    assert client.send("Get-Printer-Attributes").get("printer-state") == 3
    assert proxy.tell("Deregister-Output-Device").status == 0
    assert client.send("Get-Printer-Attributes").get("printer-state") == 5
    assert proxy.tell("Deregister-Output-Device").status == NOT_POSSIBLE


def test_clients_see_what_the_proxy_sent_and_sparse_updates_change_one_value(clean):
    proxy, client = ready(clean), Client(clean, "p")
    media = ["iso_a4_210x297mm", "iso_a3_297x420mm", "na_letter_8.5x11in"]
    proxy.update(4, [(KEYWORD, "media-ready", media), (TEXT, "printer-make-and-model", "Laser 1")])
    seen = client.send("Get-Printer-Attributes").all(PRINTER)[0]
    assert seen["media-ready"] == media and seen["printer-make-and-model"] == ["Laser 1"]
    assert seen["printer-state"] == [4]
    proxy.update(3, [(KEYWORD, "media-ready.2", "iso_a5_148x210mm")])
    seen = client.send("Get-Printer-Attributes").all(PRINTER)[0]
    assert seen["media-ready"] == [media[0], "iso_a5_148x210mm", media[2]]
    proxy.update(3, [(KEYWORD, "media-ready.2-3", "na_legal_8.5x14in")])
    seen = client.send("Get-Printer-Attributes").all(PRINTER)[0]
    assert seen["media-ready"] == [media[0], "na_legal_8.5x14in"]
    proxy.update(3, [(0x16, "media-ready", b"")])
    assert "media-ready" not in client.send("Get-Printer-Attributes").all(PRINTER)[0]


def test_unknown_attributes_come_back_as_unsupported(clean):
    answer = ready(clean).update(3, [(KEYWORD, "flux-capacitor", "on")])
    assert answer.status == 1 and "flux-capacitor" in answer.all(5)[0]


def test_documents_of_one_job_come_in_their_order(clean):
    proxy, client = ready(clean), Client(clean, "p")
    job = client.send("Create-Job", [(NAME, "requesting-user-name", "bob")]).get("job-id")
    assert proxy.fetchable() == []
    for number, last in ((1, False), (2, False), (3, True)):
        answer = client.send("Send-Document", [(INTEGER, "job-id", job),
                                               (MIME, "document-format", "application/pdf"),
                                               (BOOLEAN, "last-document", last)], (),
                             PDF + b"%d" % number)
        assert answer.status == 0
    proxy.take(job)
    numbers = [d["document-number"][0] for d in proxy.job("Get-Documents", job).all(DOCUMENT)]
    assert numbers == [1, 2, 3]
    assert proxy.finish(job, 3) == [PDF + b"1", PDF + b"2", PDF + b"3"]


def test_a_waiting_poll_is_woken_at_once(clean):
    proxy, client = ready(clean), Client(clean, "p")
    seen = max(e["notify-sequence-number"][0] for e in proxy.events().all(EVENT)) \
        if proxy.events().all(EVENT) else None
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(proxy.events, seen, True)
        clean.wait(printer="p", waiting=1)
        start = time.monotonic()
        job = client.print_job(PDF)
        answer = poll.result(timeout=5)
        assert time.monotonic() - start < 1
    event = answer.all(EVENT)[-1]
    assert event["job-id"] == [job] and event["notify-subscribed-event"] == ["job-fetchable"]
    assert "job-fetchable" in event["job-state-reasons"]


def test_a_poll_ends_empty_when_its_time_is_over(clean):
    clean.admin("PUT", "/printers", printer="p", options="wait=50")
    proxy = ready(clean)
    answer = proxy.events(None, True)
    assert answer.status == 0 and answer.all(EVENT) == []


def test_passing_the_highest_number_seen_repeats_that_event_but_does_not_spin(clean):
    clean.admin("PUT", "/printers", printer="p", options="wait=50")
    proxy = ready(clean)
    Client(clean, "p").print_job(PDF)
    seen = proxy.events().all(EVENT)[-1]["notify-sequence-number"][0]
    answer = proxy.events(seen, True)
    assert [e["notify-sequence-number"][0] for e in answer.all(EVENT)] == [seen]
    assert clean.admin("GET", "/printers", printer="p")["printers"][0]["polls_wasted"] == 1


def test_a_poll_without_waiting_names_an_interval(clean):
    assert ready(clean).events().get("notify-get-interval") > 0


def test_a_lost_subscription_is_not_found(clean):
    proxy = ready(clean)
    clean.admin("POST", "/forget", printer="p", what="subscriptions")
    assert proxy.events().status == NOT_FOUND
    assert proxy.tell("Renew-Subscription", [
        (INTEGER, "notify-subscription-id", proxy.subscription)]).status == NOT_FOUND


def test_a_subscription_is_renewed_and_canceled(clean):
    proxy = ready(clean)
    answer = proxy.tell("Renew-Subscription", [
        (INTEGER, "notify-subscription-id", proxy.subscription)],
        [(SUBSCRIPTION, [(INTEGER, "notify-lease-duration", 77)])])
    assert answer.get("notify-lease-duration") == 77
    assert proxy.tell("Cancel-Subscription", [
        (INTEGER, "notify-subscription-id", proxy.subscription)]).status == 0
    assert proxy.events().status == NOT_FOUND


def test_held_jobs_and_paused_printers_offer_nothing(clean):
    proxy, client = ready(clean), Client(clean, "p")
    job = client.print_job(PDF, [(JOB, [(KEYWORD, "job-hold-until", "indefinite")])])
    assert proxy.fetchable() == []
    client.send("Release-Job", [(INTEGER, "job-id", job)])
    assert proxy.fetchable() == [job]
    client.send("Hold-Job", [(INTEGER, "job-id", job)])
    assert proxy.fetchable() == []
    client.send("Release-Job", [(INTEGER, "job-id", job)])
    client.send("Pause-Printer")
    assert proxy.fetchable() == []
    client.send("Resume-Printer")
    assert proxy.fetchable() == [job]


def test_cancel_before_and_after_a_device_has_the_job(clean):
    proxy, client = ready(clean), Client(clean, "p")
    first, second = client.print_job(PDF), client.print_job(PDF)
    assert client.send("Cancel-Job", [(INTEGER, "job-id", first)]).status == 0
    assert clean.job("p", first)["state"] == 7
    proxy.take(second)
    assert client.send("Cancel-Job", [(INTEGER, "job-id", second)]).status == 0
    seen = proxy.job("Get-Job-Attributes", second).all(JOB)[0]
    assert seen["job-state"] == [6] and "job-canceled-by-user" in seen["job-state-reasons"]
    assert proxy.status(second, 5).status == 0
    assert clean.job("p", second)["state"] == 6
    assert proxy.status(second, 7).status == 0
    assert clean.job("p", second)["state"] == 7


def test_a_refused_job_is_aborted_and_may_be_told_so_again(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.job("Fetch-Job", job)
    answer = proxy.job("Acknowledge-Job", job, [(ENUM, "fetch-status-code", 0x40A),
                                                (TEXT, "fetch-status-message", "no PDF here")])
    assert answer.status == 0
    assert clean.job("p", job)["state"] == 8 and "no PDF here" in clean.job("p", job)["message"]
    assert proxy.status(job, 8).status == 0


def test_two_devices_and_only_one_gets_the_job(clean):
    one, two = ready(clean), ready(clean)
    job = Client(clean, "p").print_job(PDF)
    one.take(job)
    assert two.fetchable() == []
    assert two.job("Fetch-Job", job).status == NOT_POSSIBLE
    assert two.job("Acknowledge-Job", job).status == NOT_POSSIBLE
    assert one.finish(job) == [PDF]


def test_a_job_refused_by_one_device_stays_for_the_other(clean):
    one, two = ready(clean), ready(clean)
    job = Client(clean, "p").print_job(PDF)
    one.job("Fetch-Job", job)
    one.job("Acknowledge-Job", job, [(ENUM, "fetch-status-code", 0x40A)])
    assert one.fetchable() == [] and two.fetchable() == [job]


def test_active_jobs_follow_tables_three_and_four(clean):
    proxy, client = ready(clean), Client(clean, "p")
    first, second = client.print_job(PDF), client.print_job(PDF)
    proxy.take(first)
    proxy.take(second)
    proxy.status(second, 5)
    answer = proxy.tell("Update-Active-Jobs", [(INTEGER, "job-ids", [first, 99]),
                                               (ENUM, "output-device-job-states", [5, 5])])
    assert answer.all(5)[0]["job-ids"] == [99]
    assert answer.all(OPERATION)[0]["job-ids"] == [second]
    assert clean.job("p", first)["state"] == 5 and clean.job("p", second)["state"] == 6


def test_identify_is_passed_on_once(clean):
    proxy = ready(clean)
    Client(clean, "p").send("Identify-Printer", [(KEYWORD, "identify-actions", "flash"),
                                                 (TEXT, "message", "here")])
    answer = proxy.tell("Acknowledge-Identify-Printer")
    assert answer.get("identify-actions") == "flash" and answer.get("message") == "here"
    assert proxy.tell("Acknowledge-Identify-Printer").status == NOT_POSSIBLE


@pytest.mark.parametrize("transfer", ["chunked", "length"])
def test_gzip_is_real_and_named(clean, transfer):
    clean.admin("PUT", "/printers", printer="p", options="transfer=" + transfer)
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.take(job)
    answer = proxy.document("Fetch-Document", job, 1, [
        (KEYWORD, "compression-accepted", ["gzip", "none"])])
    assert answer.get("compression") == "gzip" and gzip.decompress(answer.document) == PDF


def test_a_compressed_document_is_unpacked_for_who_cannot(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(gzip.compress(PDF), (), [(KEYWORD, "compression", "gzip")])
    proxy.take(job)
    assert proxy.finish(job) == [PDF]


# ---- rules -----------------------------------------------------------------------------------


def breach(emulator, rule, answer, status):
    assert answer.status == status, hex(answer.status)
    assert emulator.rules() == [rule]
    emulator.admin("DELETE", "/violations")


def test_every_breach_is_answered_and_recorded(emulator):
    proxy, client = ready(emulator), Client(emulator, "p")
    job, other = client.print_job(PDF), client.print_job(PDF)
    breach(emulator, "unacknowledged-job", proxy.status(job, 9), NOT_POSSIBLE)
    breach(emulator, "fetch-document", proxy.document("Fetch-Document", job), NOT_FETCHABLE)
    proxy.take(job)
    breach(emulator, "false-completed", proxy.status(job, 9), NOT_POSSIBLE)
    breach(emulator, "acknowledge-document", proxy.document("Acknowledge-Document", job),
           NOT_POSSIBLE)
    proxy.document("Fetch-Document", job)
    breach(emulator, "unacknowledged-document", proxy.status(job, 9), NOT_POSSIBLE)
    proxy.finish(job)
    breach(emulator, "final-job", proxy.status(job, 8), NOT_POSSIBLE)
    breach(emulator, "acknowledge-job", proxy.job("Acknowledge-Job", job), NOT_FETCHABLE)
    held = client.print_job(PDF, [(JOB, [(KEYWORD, "job-hold-until", "indefinite")])])
    breach(emulator, "acknowledge-job", proxy.job("Acknowledge-Job", held), NOT_POSSIBLE)
    breach(emulator, "forbidden-attribute", proxy.update(3, [(URI, "printer-uuid", "urn:x")]), 1)
    breach(emulator, "value-tag", proxy.update(3, [(KEYWORD, "printer-info", "x")]), BAD_REQUEST)
    breach(emulator, "active-jobs", proxy.tell("Update-Active-Jobs", [
        (INTEGER, "job-ids", [other])]), BAD_REQUEST)
    breach(emulator, "client-operation", proxy.job("Cancel-Job", other), 0x401)
    breach(emulator, "client-operation", proxy.send("Create-Job"), 0x401)
    breach(emulator, "missing-output-device-uuid", proxy.send("Fetch-Job", [
        (INTEGER, "job-id", other)]), BAD_REQUEST)
    breach(emulator, "missing-attribute", proxy.tell("Fetch-Job"), BAD_REQUEST)
    breach(emulator, "output-device-uuid", proxy.send("Get-Jobs", [
        (URI, "output-device-uuid", "urn:uuid:1")]), BAD_REQUEST)
    breach(emulator, "value-tag", proxy.tell("Fetch-Job", [(ENUM, "job-id", other)]), BAD_REQUEST)
    breach(emulator, "group", proxy.job("Fetch-Job", other, (), [
        (JOB, [(ENUM, "output-device-job-state", 9)])]), BAD_REQUEST)
    breach(emulator, "data", Answer(proxy.raw(encode("Get-Jobs", [
        (OPERATION, proxy.head() + [(URI, "output-device-uuid", proxy.device)])]) + b"x")[1]),
        BAD_REQUEST)


def test_the_head_of_a_message_has_its_order(emulator):
    proxy = Proxy(emulator, "p")
    head = proxy.head()
    device = [(URI, "output-device-uuid", proxy.device)]
    for wrong in ([head[1], head[0], head[2]], [head[0], head[2], head[1]], head[:2]):
        body = encode("Get-Jobs", [(OPERATION, wrong + device)])
        breach(emulator, "head-order", Answer(proxy.raw(body)[1]), BAD_REQUEST)
    body = encode("Update-Job-Status", [(JOB, [(ENUM, "output-device-job-state", 9)]),
                                        (OPERATION, head + device)])
    breach(emulator, "not-ipp", Answer(proxy.raw(body)[1]), BAD_REQUEST)
    body = encode("Get-Jobs", [(OPERATION, head + device)], (1, 1))
    breach(emulator, "version", Answer(proxy.raw(body)[1]), 0x503)
    breach(emulator, "not-ipp", Answer(proxy.raw(b"\2\0\0")[1]), BAD_REQUEST)


def test_http_is_checked_too(emulator):
    proxy = Proxy(emulator, "p")
    proxy.headers["Expect"] = "100-continue"
    assert proxy.update().status == 0
    assert emulator.rules() == ["expect"]
    proxy = Proxy(emulator, "p")
    proxy.headers["Content-Type"] = "text/plain"
    assert proxy.raw(b"x")[0] == 415
    assert emulator.rules() == ["expect", "content-type"]


def test_repetitions_after_lost_answers_are_notices(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.take(job)
    assert proxy.job("Acknowledge-Job", job).status == NOT_FETCHABLE
    proxy.finish(job)
    assert proxy.status(job, 9).status == NOT_POSSIBLE
    rules = [n["rule"] for n in clean.admin("GET", "/violations")["notices"]]
    assert rules == ["repeated-acknowledge-job", "repeated-final"]


# ---- who may speak ---------------------------------------------------------------------------


def test_a_proxy_needs_the_password_of_its_printer(clean):
    clean.admin("POST", "/printers", spec="b,auth=basic:user:se:cret")
    message = encode("Get-Jobs", [(OPERATION, Proxy(clean, "b").head() + [
        (URI, "output-device-uuid", "urn:uuid:%s" % uuid.uuid4())])])
    assert Proxy(clean, "b").raw(message)[0] == 401
    assert Proxy(clean, "b", auth="user:wrong").raw(message)[0] == 401
    assert Proxy(clean, "b", auth="user:se:cret").update().status == 0
    assert Client(clean, "b").print_job(PDF) == 1


def test_a_proxy_needs_the_certificate_of_its_printer(clean):
    clean.admin("POST", "/printers", spec="c,auth=cert")
    right = clean.admin("GET", "/certificate", name="c")
    wrong = clean.admin("GET", "/certificate", name="d")
    update = encode("Update-Output-Device-Attributes", [(OPERATION, [])])
    body = encode("Get-Jobs", [(OPERATION, Proxy(clean, "c").head() + [
        (URI, "output-device-uuid", "urn:uuid:%s" % uuid.uuid4())])])
    assert update and Proxy(clean, "c", clean.context()).raw(body)[0] == 403
    assert Proxy(clean, "c", clean.context(wrong)).raw(body)[0] == 403
    assert Proxy(clean, "c").raw(body)[0] == 403
    assert Proxy(clean, "c", clean.context(right)).update().status == 0


def test_a_device_registers_with_a_certificate_request(clean, tmp_path):
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=dev",
                    "-keyout", "key.pem", "-out", "csr.pem"], cwd=tmp_path, check=True,
                   capture_output=True)
    device = "urn:uuid:%s" % uuid.uuid4()
    system = Connection(clean, "", clean.context(), path="/ipp/system")
    lines = (tmp_path / "csr.pem").read_text().splitlines()
    answer = system.send("Register-Output-Device", [
        (URI, "output-device-uuid", device), (KEYWORD, "printer-service-type", "print"),
        (TEXT, "output-device-x509-request", lines)], target="system-uri")
    assert answer.status == 0, hex(answer.status)
    pem = "\n".join(answer.all(OPERATION)[0]["output-device-x509-certificate"]) + "\n"
    assert answer.get("printer-uuid").startswith("urn:uuid:")
    context = clean.context({"certificate": pem, "key": (tmp_path / "key.pem").read_text()})
    name = device[len("urn:uuid:"):]
    assert Proxy(clean, name, context, device=device).update().status == 0
    body = encode("Get-Jobs", [(OPERATION, Proxy(clean, name).head() + [
        (URI, "output-device-uuid", device)])])
    assert Proxy(clean, name, clean.context()).raw(body)[0] == 403


# ---- faults ----------------------------------------------------------------------------------


def broken(connection, call):
    """The call fails below IPP; the connection is of no more use."""
    with pytest.raises((OSError, http.client.HTTPException, struct.error)):
        call()
    connection.close()


def test_statuses_are_answered_as_told_and_have_no_effect(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    clean.fault("ipp-status", operation="Acknowledge-Job", status=0x507, printer="p", skip=0)
    assert proxy.job("Acknowledge-Job", job).status == 0x507
    assert proxy.fetchable() == [job]
    clean.fault("http-status", http=503, retry_after=7)
    proxy.http.request("POST", proxy.path, encode("Get-Jobs", [(OPERATION, proxy.head())]),
                       proxy.headers)
    answer = proxy.http.getresponse()
    assert answer.status == 503 and answer.getheader("Retry-After") == "7"
    assert answer.read().startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind, effect", [("cut-before", False), ("cut-after", True),
                                          ("cut-headers", True), ("cut-ipp", True)])
def test_a_cut_connection_has_its_effect_or_not(clean, kind, effect):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    clean.fault(kind, operation="Acknowledge-Job", bytes=9)
    broken(proxy, lambda: proxy.job("Acknowledge-Job", job))
    assert (proxy.fetchable() == []) == effect


@pytest.mark.parametrize("transfer", ["chunked", "length"])
@pytest.mark.parametrize("kind", ["cut-document", "cut-last-chunk", "longer-length"])
def test_a_cut_document_is_not_whole(clean, kind, transfer):
    clean.admin("PUT", "/printers", printer="p", options="transfer=" + transfer)
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.take(job)
    clean.fault(kind, operation="Fetch-Document", bytes=1000)
    broken(proxy, lambda: proxy.document("Fetch-Document", job))
    assert not clean.job("p", job)["documents"][0]["whole"]
    assert proxy.finish(job) == [PDF]


def test_a_stalled_document_goes_on_later(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.take(job)
    clean.fault("stall-document", operation="Fetch-Document", bytes=1000, ms=100)
    start = time.monotonic()
    assert proxy.document("Fetch-Document", job).document == PDF
    assert time.monotonic() - start >= 0.09


def test_truncated_endless_and_silent_answers(clean):
    proxy = ready(clean)
    clean.fault("truncated", operation="Get-Jobs", bytes=12)
    with pytest.raises((IndexError, struct.error)):
        proxy.fetchable()
    clean.fault("endless", operation="Get-Jobs")
    proxy.http.request("POST", proxy.path, encode("Get-Jobs", [(OPERATION, proxy.head() + [
        (URI, "output-device-uuid", proxy.device)])]), proxy.headers)
    assert len(proxy.http.getresponse().read(1 << 20)) == 1 << 20
    proxy.close()
    clean.fault("never", operation="Get-Jobs")
    proxy.http.timeout = 0.2
    broken(proxy, proxy.fetchable)
    clean.fault("none", operation="Get-Jobs", ms=100)
    proxy.http.timeout = 20
    start = time.monotonic()
    assert proxy.fetchable() == [] and time.monotonic() - start >= 0.09


def test_a_wrong_format_is_named(clean):
    proxy = ready(clean)
    job = Client(clean, "p").print_job(PDF)
    proxy.take(job)
    clean.fault("wrong-format", operation="Fetch-Document", text="application/vnd.cups-raw")
    assert proxy.document("Fetch-Document", job).get("document-format") == \
        "application/vnd.cups-raw"


def test_events_are_dropped_and_repeated(clean):
    proxy, client = ready(clean), Client(clean, "p")
    clean.admin("POST", "/events", printer="p", drop=2)
    client.print_job(PDF)
    assert proxy.events().all(EVENT) == []
    clean.admin("POST", "/events", printer="p", repeat=2)
    client.print_job(PDF)
    assert len(proxy.events().all(EVENT)) == 4


def test_a_restart_without_memory(clean):
    proxy, client = ready(clean), Client(clean, "p")
    first = client.print_job(PDF)
    clean.admin("POST", "/forget", printer="p", what="all", renumber=1)
    assert proxy.tell("Get-Documents", [(INTEGER, "job-id", first)]).status == NOT_FOUND
    assert proxy.job("Fetch-Job", first).status == NOT_FOUND
    assert proxy.update().status == 0
    assert client.print_job(PDF) == first
    jobs = clean.admin("GET", "/jobs", printer="p")["jobs"]
    assert len(jobs) == 2 and jobs[0]["id"] == jobs[1]["id"] and jobs[0]["uuid"] != jobs[1]["uuid"]


def test_a_restart_with_its_memory(clean):
    proxy, client = ready(clean), Client(clean, "p")
    job = client.print_job(PDF)
    seen = proxy.events().all(EVENT)[-1]["notify-sequence-number"][0]
    late = Client(clean, "p")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(proxy.events, seen + 1, True)
        clean.wait(printer="p", waiting=1)
        clean.admin("POST", "/away")
        for request in (poll.result, lambda: client.print_job(PDF), lambda: late.print_job(PDF)):
            with pytest.raises((OSError, http.client.HTTPException)):
                request()
    clean.admin("POST", "/away", away=0)
    for connection in (proxy, client):
        connection.close()
    assert client.print_job(PDF) == job + 1
    assert {e["job-id"][0] for e in proxy.events(seen + 1).all(EVENT)} == {job + 1}
    proxy.take(job)
    assert proxy.finish(job) == [PDF]


# ---- quirks ----------------------------------------------------------------------------------


def test_ippserver_makes_zombies_and_offers_finished_jobs(clean):
    proxy, client = ready(clean), Client(clean, "p")
    first = client.print_job(PDF)
    proxy.take(first)
    proxy.finish(first)
    quirk(clean, "ippserver")
    second = client.print_job(PDF)
    assert proxy.fetchable() == [second, first]
    assert proxy.job("Acknowledge-Job", first).status == 0
    assert proxy.status(first, 9).status == 0
    assert clean.job("p", first)["state"] == 9
    assert proxy.fetchable() == [second, first]


def test_ippserver_gives_acknowledged_jobs_again(clean):
    proxy, client = ready(clean), Client(clean, "p")
    quirk(clean, "ippserver.3")
    first = client.print_job(PDF)
    proxy.take(first)
    client.print_job(PDF)
    assert first in proxy.fetchable()
    assert proxy.job("Acknowledge-Job", first).status == 0


def test_ippserver_counts_events_from_the_number_after(clean):
    proxy = ready(clean)
    Client(clean, "p").print_job(PDF)
    quirk(clean, "ippserver.1")
    numbers = [e["notify-sequence-number"][0] for e in proxy.events().all(EVENT)]
    assert numbers[0] == 1
    assert [e["notify-sequence-number"][0] for e in proxy.events(1).all(EVENT)] == numbers[1:]


def test_ippserver_wants_job_ids_and_takes_refusals_for_acceptance(clean):
    proxy = ready(clean)
    quirk(clean, "ippserver")
    assert proxy.tell("Update-Active-Jobs").status == BAD_REQUEST
    job = Client(clean, "p").print_job(PDF)
    proxy.job("Acknowledge-Job", job, [(ENUM, "fetch-status-code", 0x40A)])
    assert clean.job("p", job)["device"] == proxy.device
    assert proxy.status(job, 8).status == 0
    assert clean.job("p", job)["state"] == 8


def test_pappl_drops_the_connection_on_active_jobs(clean):
    proxy = ready(clean)
    quirk(clean, "pappl")
    job = Client(clean, "p").print_job(PDF)
    assert clean.job("p", job)["state"] == 3
    broken(proxy, lambda: proxy.tell("Update-Active-Jobs", [
        (INTEGER, "job-ids", [7]), (ENUM, "output-device-job-states", [5])]))
    assert proxy.fetchable.__self__.job("Fetch-Job", job).status == NOT_FOUND


def test_pappl_ignores_canceled_and_names_no_event(clean):
    proxy, client = ready(clean), Client(clean, "p")
    quirk(clean, "pappl")
    job = client.print_job(PDF)
    assert proxy.events().all(EVENT)[-1]["notify-subscribed-event"] == [""]
    proxy.take(job)
    assert proxy.status(job, 7).status == 0
    assert clean.job("p", job)["state"] == 3
    assert proxy.status(job, 8).status == 0
    assert clean.job("p", job)["state"] == 8


# ---- real clients, many of everything --------------------------------------------------------


@pytest.mark.parametrize("name", ["print-job", "create-job", "validate-job", "get-jobs",
                                  "get-printer-attributes", "get-completed-jobs"])
def test_ipptool_is_content(clean, tmp_path, name):
    (tmp_path / "x.pdf").write_bytes(PDF)
    run = subprocess.run(["ipptool", "-tf", str(tmp_path / "x.pdf"),
                          "ipp://127.0.0.1:%d/ipp/print/p" % clean.port, name + ".test"],
                         capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stdout


def test_lp_prints(clean, tmp_path):
    (tmp_path / "x.pdf").write_bytes(PDF)
    run = subprocess.run(["lp", "-h", "127.0.0.1:%d" % clean.port, "-d", "p",
                          str(tmp_path / "x.pdf")], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    clean.wait(printer="p", jobs=1, state=6)


def test_a_burst_of_two_hundred_jobs_ends_whole(clean):
    proxy = ready(clean)

    def submit(count):
        client = Client(clean, "p")
        for _ in range(count):
            client.print_job(PDF)
        client.close()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(submit, [50] * 4))
    jobs = proxy.fetchable()
    assert jobs == sorted(jobs) and len(jobs) == 200
    for job in jobs:
        proxy.take(job)
        assert proxy.finish(job) == [PDF]
    clean.wait(printer="p", jobs=200, state=9, timeout=30)


def test_only_loopback_and_known_options():
    for wrong in (["--bind", "0.0.0.0"], ["--printer", "p,quirks=nonsense"], ["--port", "x"],
                  ["--printer", "p", "--printer", "p"], ["surplus"]):
        run = subprocess.run([PROGRAM, *wrong], capture_output=True, text=True, timeout=10)
        assert run.returncode == 2 and run.stderr.startswith("cloud-emulator: ")


def test_the_codes_are_those_of_the_registry():
    assert CODES["Fetch-Job"] == 0x43 and len(set(CODES.values())) == len(CODES)
