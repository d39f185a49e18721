"""The print and notification hosts of Universal Print in the cloud emulator: one token a printer,
the service's own rules, jobs from event to end."""

import subprocess

import pytest

from emulator_fixture import (BOOLEAN, CHARSET, DOCUMENT, ENUM, EVENT, INTEGER, KEYWORD, LANGUAGE,
                              NAME, OPERATION, PRINTER, SUBSCRIPTION, TEXT, UNSUPPORTED, URI,
                              Answer, Client, encode)
from up_client import Printer, Up, start

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 200
GONE, INTERNAL, NOT_SUPPORTED, BAD_REQUEST, NOT_FOUND = 0x407, 0x500, 0x501, 0x400, 0x406


@pytest.fixture
def office(up, tmp_path):
    return Printer(up, tmp_path).register().online()


def rules(printer):
    return printer.up.emulator.rules()


def notices(printer):
    return [n["rule"] for n in printer.up.emulator.admin("GET", "/violations")["notices"]]


def submit(printer, document=PDF):
    return printer.up.emulator.admin("POST", "/jobs", document, printer=printer.id)["id"]


def test_a_job_goes_from_event_to_end(office):
    job = submit(office)
    answer = office.events()
    assert answer.get("notify-get-interval") == 30
    events = answer.all(EVENT)
    assert {e["notify-subscribed-event"][0] for e in events} >= {"job-fetchable"}
    assert {e["job-id"][0] for e in events} == {job}
    assert office.fetchable() == [job]
    assert office.fetch(job) == PDF
    office.finish(job)
    told = office.up.emulator.job(office.id, job)
    assert told["state"] == 9 and told["impressions"] == 2
    assert told["microsoft"] == {"microsoft-output-device-job-state-message": "fine"}
    assert rules(office) == []


def test_a_job_ends_without_acknowledge_document(office):
    job = submit(office)
    office.fetch(job)
    assert office.status(job, 9).status == 0
    assert rules(office) == []


def test_job_uris_are_those_of_the_service(office):
    job = submit(office)
    answer = office.job("Fetch-Job", job)
    port = office.up.urls["print"].rsplit(":", 1)[1]
    assert answer.get("job-uri") == "ipps://localhost:%s/printers/%s/jobs/%d" % (port, office.id,
                                                                                 job)


def test_one_path_for_all_printers_does_as_well(office):
    message = encode("Get-Jobs", [(OPERATION, office.head() + [
        (KEYWORD, "which-jobs", "fetchable")])])
    reply = office.post(message, path="/printers")
    assert reply.status == 200 and Answer(reply.body).status == 0
    assert rules(office) == []


def test_a_token_of_another_printer_is_refused_and_recorded(office, tmp_path):
    other = Printer(office.up, tmp_path, "other").register().get_token()
    message = encode("Get-Jobs", [(OPERATION, office.head())])
    assert office.post(message, token=other.token).status == 403
    assert office.post(message, "notification", token=other.token).status == 403
    assert rules(office) == ["isolation", "isolation"]


def test_only_living_tokens_of_printers_are_let_in(office):
    message = encode("Get-Jobs", [(OPERATION, office.head() + [
        (KEYWORD, "which-jobs", "fetchable")])])
    assert office.post(message, token="x").status == 401
    assert office.post(message, token=office.up.sign_in()).status == 401
    assert rules(office) == ["unknown-token", "wrong-token"]
    office.up.emulator.admin("POST", "/up/revoke", printer=office.id)
    reply = office.post(message)
    assert reply.status == 401 and reply.headers["WWW-Authenticate"] == "Bearer"
    assert notices(office) == ["dead-token"]
    office.up.settings(token_life=-1)
    assert office.post(message, token=office.get_token().token).status == 401
    office.up.settings(token_life=60)
    assert office.post(message, token=office.get_token().token).status == 200
    assert len(rules(office)) == 2


def test_a_printer_deleted_in_the_portal_is_gone(office):
    office.up.emulator.admin("DELETE", "/up/printers", printer=office.id)
    assert office.tell("Get-Jobs", [(KEYWORD, "which-jobs", "fetchable")]).status == GONE
    assert office.events().status == GONE
    reply = office.ask_token(office.jwt(office.nonce()))
    assert reply.status == 400 and reply["error"] == "invalid_grant"
    assert rules(office) == []
    before = office.id
    assert office.register().id != before


def test_printers_of_the_two_kinds_do_not_mix(office):
    office.up.emulator.admin("POST", "/printers", spec="plain")
    message = encode("Get-Jobs", [(OPERATION, office.head()[:2] + [
        (URI, "printer-uri", "ipps://x/printers/plain")])])
    assert office.post(message, path="/printers/plain").status == 403
    client = Client(office.up.emulator, office.id)
    assert client.raw(encode("Get-Jobs", [(OPERATION, client.head())]))[0] == 404


@pytest.mark.parametrize("operation, host", [
    ("Update-Document-Status", "print"), ("Deregister-Output-Device", "print"),
    ("Get-Notifications", "print"), ("Get-Jobs", "notification"), ("Print-Job", "print"),
    ("Acknowledge-Identify-Printer", "print")])
def test_operations_that_the_service_has_not_are_recorded(office, operation, host):
    assert office.tell(operation, host=host).status == NOT_SUPPORTED
    assert rules(office) == ["operation"]


def test_update_active_jobs_can_be_had_or_not(office):
    job = submit(office)
    office.fetch(job)
    states = [(INTEGER, "job-ids", [job]), (ENUM, "output-device-job-states", [5])]
    assert office.tell("Update-Active-Jobs", states).status == 0
    message = encode("Update-Active-Jobs", [(OPERATION, office.head()[:2] + office.head()[3:]
                                             + states)])
    assert Answer(office.post(message).body).status == 0
    office.up.settings(active_jobs=0)
    assert office.tell("Update-Active-Jobs", states).status == NOT_SUPPORTED
    assert rules(office) == []


def raw(office, attributes, operation="Get-Jobs", groups=(), **kwargs):
    answer = Answer(office.post(encode(operation, [(OPERATION, attributes), *groups],
                                       **kwargs)).body)
    return answer.status


def test_the_head_of_a_message_is_looked_at(office):
    head = office.head()
    which = [(KEYWORD, "which-jobs", "fetchable")]
    assert raw(office, [head[1], head[0], *head[2:]]) == BAD_REQUEST
    assert raw(office, [(CHARSET, "attributes-charset", "us-ascii"), *head[1:]]) == 0x40d
    assert raw(office, head + which + which) == BAD_REQUEST
    assert raw(office, head[:2] + head[3:]) == BAD_REQUEST
    assert raw(office, head[:3]) == BAD_REQUEST
    assert raw(office, head[:3] + [(URI, "output-device-uuid", office.id)]) == BAD_REQUEST
    assert raw(office, head[:3] + [(TEXT, head[3][1], head[3][2])]) == BAD_REQUEST
    for uri in ("ipp://x/printers/" + office.id, "ipps://x/ipp/print/" + office.id,
                "ipps://x/printers/%s/more" % office.id):
        assert raw(office, head[:2] + [(URI, "printer-uri", uri)] + head[3:]) == BAD_REQUEST
    assert rules(office) == ["head-order", "charset", "duplicate", "missing-attribute",
                             "missing-output-device-uuid", "output-device-uuid", "value-tag",
                             "printer-uri", "printer-uri", "printer-uri"]
    assert notices(office) == []


def test_printer_uri_behind_a_user_is_only_noticed(office):
    head = office.head()
    user = (URI, "requesting-user-uri", "mailto:a@example.org")
    assert raw(office, head[:2] + [user] + head[2:] + [(KEYWORD, "which-jobs", "fetchable")]) == 0
    assert rules(office) == [] and notices(office) == ["head-order"]


def test_errors_say_more(office):
    answer = office.job("Fetch-Job", 99)
    assert answer.status == NOT_FOUND
    assert answer.get("detailed-status-message") == answer.get("status-message") == "no job 99"


def test_names_that_are_not_handled_are_left_aside(office):
    answer = office.update((KEYWORD, "finishings-ready", "x"), (TEXT, "printer-info", "Floor 2"),
                           (TEXT, "microsoft-universal-print-connector-app-version", "1.2"))
    assert answer.status == 0 and not answer.all(UNSUPPORTED)
    assert notices(office) == ["unhandled-attribute"] and rules(office) == []
    device = office.up.emulator.admin("GET", "/printers",
                                      printer=office.id)["printers"][0]["devices"][0]
    assert device["attributes"]["printer-info"] == "Floor 2"
    assert device["attributes"]["microsoft-universal-print-connector-app-version"] == "1.2"
    assert "finishings-ready" not in device["attributes"]


@pytest.mark.parametrize("attribute", [
    (NAME, "printer-info", "x"), (KEYWORD, "sides-default", ["one-sided", "two-sided"]),
    (TEXT, "printer-make-and-model", ""), (INTEGER, "ippget-event-life", 14),
    (INTEGER, "copies-supported", 9), (ENUM, "printer-up-time", 3),
    (BOOLEAN, "printer-kind", True)])
def test_a_wrong_type_is_unsupported_and_recorded(office, attribute):
    answer = office.update(attribute)
    assert answer.status == 1 and list(answer.all(UNSUPPORTED)[0]) == [attribute[1]]
    assert rules(office) == ["printer-attribute"]


def test_a_final_job_takes_no_more_words(office):
    job = submit(office)
    office.fetch(job)
    office.finish(job)
    assert office.status(job, 9).status == INTERNAL
    assert rules(office) == [] and notices(office) == ["repeated-final"]
    assert office.status(job, 8).status == INTERNAL
    assert rules(office) == ["final-job"]


def test_a_refused_job_is_aborted_by_its_acknowledgement(office):
    job = submit(office)
    assert office.job("Fetch-Job", job).status == 0
    assert office.job("Acknowledge-Job", job, [(ENUM, "fetch-status-code", 0x40a)]).status == 0
    assert office.up.emulator.job(office.id, job)["state"] == 8
    assert office.status(job, 8).status == INTERNAL


def test_the_order_of_job_operations_is_kept(office):
    job = submit(office)
    assert office.job("Fetch-Document", job, [(INTEGER, "document-number", 1)]).status == 0x420
    assert office.status(job, 5).status == 0x404
    assert rules(office) == ["fetch-document", "unacknowledged-job"]


def test_events_are_asked_for_by_the_next_number_and_come_at_once(office):
    first = submit(office)
    seen = [e["notify-sequence-number"][0] for e in office.events().all(EVENT)]
    assert seen == list(range(1, len(seen) + 1))
    assert office.events(len(seen) + 1).all(EVENT) == []
    second = submit(office)
    assert {e["job-id"][0] for e in office.events(len(seen) + 1).all(EVENT)} == {second}
    assert first != second
    assert set(notices(office)) == {"polled-early"} and rules(office) == []


def test_notify_wait_is_not_waited_for(office):
    office.up.settings(notify_interval=7)
    answer = office.tell("Get-Notifications", [
        (INTEGER, "notify-subscription-ids", office.subscription), (BOOLEAN, "notify-wait", True)],
        (), "notification")
    assert answer.get("notify-get-interval") == 7
    assert notices(office) == ["notify-wait"]


def test_events_are_lost_repeated_and_turned_round(office):
    emulator = office.up.emulator
    emulator.admin("POST", "/events", printer=office.id, drop=99)
    job = submit(office)
    assert office.events().all(EVENT) == [] and office.fetchable() == [job]
    emulator.admin("POST", "/events", printer=office.id, drop=0, repeat=99)
    submit(office)
    events = office.events().all(EVENT)
    assert len(events) == 2 * len({e["notify-subscribed-event"][0] + str(e["job-state"][0])
                                   for e in events})
    emulator.admin("POST", "/up/events", printer=office.id, reverse=1)
    turned = [e["notify-sequence-number"][0] for e in office.events().all(EVENT)]
    assert turned == sorted(turned, reverse=True) and len(turned) > 1


def test_a_lease_is_as_long_as_the_service_likes(office):
    office.up.settings(lease_max=1)
    assert office.subscribe().get("notify-lease-duration") == 1
    short = office.subscription
    renewed = office.tell("Renew-Subscription", [(INTEGER, "notify-subscription-id", short)], [
        (SUBSCRIPTION, [(INTEGER, "notify-lease-duration", 60)])], "notification")
    assert renewed.get("notify-lease-duration") == 1
    office.up.emulator.admin("GET", "/wait", printer=office.id, subscriptions=99, timeout=1.2)
    assert office.events().status == NOT_FOUND
    office.up.settings(lease_max=0)
    assert office.subscribe().get("notify-lease-duration") == 0
    assert office.tell("Cancel-Subscription", [
        (INTEGER, "notify-subscription-id", office.subscription)], (), "notification").status == 0
    assert office.events().status == NOT_FOUND
    assert rules(office) == []


def test_the_notification_host_can_be_down_alone(office):
    office.up.emulator.admin("POST", "/up/down", host="notification")
    with pytest.raises(OSError):
        office.events()
    job = submit(office)
    assert office.fetchable() == [job]
    office.up.emulator.admin("POST", "/up/down", host="notification", down=0)
    assert office.events().status == 0


def test_ipp_hosts_fail_as_they_are_told(office):
    emulator = office.up.emulator
    message = encode("Get-Jobs", [(OPERATION, office.head())])
    emulator.fault("http-status", operation="Get-Jobs", http=429, retry_after=9,
                   printer=office.id)
    reply = office.post(message)
    assert reply.status == 429 and reply.headers["Retry-After"] == "9"
    emulator.fault("redirect", operation="Get-Jobs", text="https://evil.example/", http=302)
    reply = office.post(message)
    assert reply.status == 302 and reply.headers["Location"] == "https://evil.example/"
    emulator.fault("ipp-status", operation="Get-Notifications", status=0x505)
    assert office.events().status == 0x505
    job = submit(office)
    assert office.job("Fetch-Job", job).status == office.job("Acknowledge-Job", job).status == 0
    emulator.fault("cut-document", operation="Fetch-Document", bytes=1000)
    with pytest.raises(Exception):
        office.job("Fetch-Document", job, [(INTEGER, "document-number", 1)])
    assert office.job("Fetch-Document", job, [(INTEGER, "document-number", 1)]).document == PDF
    office.finish(job)


def test_groups_stand_where_they_belong(office):
    job = submit(office)
    office.fetch(job)
    answer = office.job("Update-Job-Status", job, (), [
        (DOCUMENT, [(ENUM, "output-device-job-state", 9)])])
    assert answer.status == BAD_REQUEST
    answer = office.tell("Create-Printer-Subscriptions", (), [
        (PRINTER, [(KEYWORD, "notify-pull-method", "ippget")])], "notification")
    assert answer.status == BAD_REQUEST
    assert rules(office) == ["group", "group"]


def test_the_first_attributes_are_charset_and_language(office):
    wrong = [(LANGUAGE, "attributes-natural-language", "en")] + office.head()[2:]
    assert raw(office, wrong) == BAD_REQUEST


KINDS = {"expired": "10", "self-signed": "18", "wrong-name": "62", "tls1.1": None}


def test_servers_that_nobody_should_trust(tmp_path):
    emulator = start(tmp_path, *[word for kind in [*KINDS, "plain"]
                                 for word in ("--tls-bad", kind)])
    up = Up(emulator)
    for kind, code in KINDS.items():
        for host in up.urls["bad"][kind].values():
            with pytest.raises(OSError):
                up.request("GET", host + "/")
            extra = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"] if code is None else [
                "-verify_hostname", "localhost"]
            shown = subprocess.run(["openssl", "s_client", "-connect", host.split("//")[1],
                                    "-CAfile", up.urls["ca"], *extra], input=b"", check=False,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            wanted = "TLSv1.1" if code is None else "Verify return code: %s " % code
            assert wanted in shown.stdout.decode(), (kind, shown.stdout.decode())
    assert emulator.rules() == []
    up.context.check_hostname = False
    up.urls["login"] = up.urls["bad"]["wrong-name"]["web"]
    assert up.device_code().status == 400
    assert emulator.rules() == ["bad-tls"]
    assert up.urls["bad"]["plain"]["ipp"].startswith("http://")
    emulator.stop()
