"""Microsoft Graph in the cloud emulator: the user's side of Universal Print."""

import pytest

from emulator_fixture import ENUM, INTEGER, JOB, KEYWORD, PRINTER
from up_client import Printer, Up, start

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 200


@pytest.fixture
def office(up, tmp_path):
    yield Printer(up, tmp_path).register().online()
    assert up.emulator.rules() == []


def put(office, url, data, first, total):
    return office.up.request("PUT", url, data, {
        "Content-Range": "bytes %d-%d/%d" % (first, first + len(data) - 1, total)})


def create(office, configuration=None, where=None):
    reply = office.up.graph("POST", (where or "/printers/" + office.id) + "/jobs",
                            {"displayName": "letter", "configuration": configuration or {}})
    assert reply.status == 201, reply.body
    return reply.json


def path_of(office, job):
    return "/printers/%s/jobs/%s" % (office.id, job["id"])


def upload(office, job, document=PDF, step=20000):
    session = office.up.graph("POST", "%s/documents/%s/createUploadSession" % (
        path_of(office, job), job["documents"][0]["id"]), {"properties": {
            "documentName": "a.pdf", "contentType": "application/pdf", "size": len(document)}})
    assert session.status == 200 and session["nextExpectedRanges"] == ["0-"]
    for first in range(0, len(document), step):
        reply = put(office, session["uploadUrl"], document[first:first + step], first,
                    len(document))
        last = first + step >= len(document)
        assert reply.status == (201 if last else 202), reply.body
        if not last:
            assert reply["nextExpectedRanges"] == ["%d-" % (first + step)]


def status(office, job):
    return office.up.graph("GET", path_of(office, job))["status"]


def test_a_user_prints_and_watches(office):
    job = create(office, {"copies": 2, "duplexMode": "flipOnLongEdge", "colorMode": "color",
                          "quality": "high", "mediaSize": "A4",
                          "pageRanges": [{"start": 1, "end": 3}]})
    assert job["status"]["state"] == "paused" and job["status"]["details"] == ["uploadPending"]
    assert office.fetchable() == []
    upload(office, job)
    started = office.up.graph("POST", path_of(office, job) + "/start")
    assert started.status == 200 and started["state"] == "pending"
    number = int(job["id"])
    fetched = office.job("Fetch-Job", number).all(JOB)[0]
    assert fetched["copies"] == [2] and fetched["sides"] == ["two-sided-long-edge"]
    assert fetched["print-color-mode"] == ["color"] and fetched["print-quality"] == [5]
    assert fetched["media"] == ["iso_a4_210x297mm"] and "page-ranges" in fetched
    assert fetched["job-originating-user-name"] == ["alice@contoso.example"]
    assert not status(office, job)["isAcquiredByPrinter"]
    assert office.fetch(number) == PDF
    assert status(office, job)["isAcquiredByPrinter"]
    assert status(office, job)["state"] == "processing"
    office.finish(number)
    ended = status(office, job)
    assert ended["state"] == "completed" and ended["details"] == ["completedSuccessfully"]
    listed = office.up.graph("GET", "/printers/%s/jobs" % office.id)["value"]
    assert [j["id"] for j in listed] == [job["id"]]


def test_ranges_come_in_order(office):
    job = create(office)
    session = office.up.graph("POST", "%s/documents/%s/createUploadSession" % (
        path_of(office, job), job["documents"][0]["id"]), {"properties": {
            "contentType": "application/pdf", "size": 30}})
    url = session["uploadUrl"]
    assert put(office, url, b"x" * 10, 10, 30).status == 416
    assert put(office, url, b"x" * 10, 0, 31).status == 400
    assert put(office, url + "x", b"x" * 10, 0, 30).status == 404
    assert put(office, url, b"x" * 10, 0, 30).status == 202
    assert put(office, url, b"x" * 10, 0, 30)["nextExpectedRanges"] == ["10-"]
    assert office.up.graph("POST", path_of(office, job) + "/start").status == 409
    assert put(office, url, b"x" * 20, 10, 30).status == 201
    assert put(office, url, b"x" * 20, 10, 30).status == 404
    assert office.up.graph("POST", path_of(office, job) + "/start").status == 200


def test_a_canceled_job_is_canceled(office):
    job = create(office)
    upload(office, job)
    office.up.graph("POST", path_of(office, job) + "/start")
    assert office.up.graph("POST", path_of(office, job) + "/cancel").status == 204
    assert status(office, job)["state"] == "canceled" and office.fetchable() == []


def test_jobs_go_to_shares_as_well(office):
    share = office.up.graph("POST", "/shares", {
        "displayName": "office", "allowAllUsers": True,
        "printer@odata.bind": "https://graph.microsoft.com/v1.0/print/printers/" + office.id})
    assert share.status == 201
    assert office.up.graph("GET", "/shares")["value"][0]["printer"]["id"] == office.id
    job = create(office, where="/shares/" + share["id"])
    assert status(office, job)["state"] == "paused"
    assert office.up.graph("DELETE", "/printers/" + office.id).status == 409
    assert office.up.graph("DELETE", "/shares/" + share["id"]).status == 204
    assert office.up.graph("DELETE", "/printers/" + office.id).status == 204
    assert office.up.graph("GET", "/printers/" + office.id).status == 404
    assert office.tell("Get-Jobs", [(KEYWORD, "which-jobs", "fetchable")]).status == 0x407


def test_a_printer_is_seen_as_it_says_it_is(office):
    office.tell("Update-Output-Device-Attributes", (), [(PRINTER, [
        (ENUM, "printer-state", 5),
        (KEYWORD, "printer-state-reasons", ["media-empty-error", "toner-low-warning"])])])
    printer = office.up.graph("GET", "/printers")["value"][0]
    assert printer["id"] == office.id and printer["displayName"] == "office"
    assert printer["status"]["state"] == "stopped"
    assert printer["status"]["details"] == ["mediaEmpty", "tonerLow"]
    assert printer["isAcceptingJobs"] and not printer["isShared"]
    assert "lastSeenDateTime" in printer


def test_a_warning_at_the_end_is_seen(office):
    job = create(office)
    upload(office, job, step=len(PDF))
    office.up.graph("POST", path_of(office, job) + "/start")
    office.fetch(int(job["id"]))
    office.status(int(job["id"]), 9, (KEYWORD, "output-device-job-state-reasons",
                                      "job-completed-with-warnings"),
                  (INTEGER, "job-impressions-completed", 1))
    assert status(office, job)["details"] == ["completedWithWarnings"]


def test_graph_takes_its_own_token_only(tmp_path):
    emulator = start(tmp_path, "--up", "graph-token=let-me-in")
    up = Up(emulator)
    assert up.graph("GET", "/printers").status == 200
    assert up.graph("GET", "/printers", token="x").status == 401
    assert emulator.rules() == []
    assert up.graph("GET", "/printers", token=up.sign_in()).status == 401
    assert emulator.rules() == ["wrong-token"]
    emulator.stop()


def test_graph_fails_as_it_is_told(office):
    office.up.emulator.fault("http-status", operation="up-graph", http=429, retry_after=3)
    reply = office.up.graph("GET", "/printers")
    assert reply.status == 429 and reply.headers["Retry-After"] == "3"
