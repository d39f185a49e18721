"""Universal Print: hosts that are not what they claim to be get neither codes nor tokens nor
documents, and are not asked again in a hurry."""

import re

import pytest

from bed import PDF
from bed.route import cpu_seconds, wait_health
from bed.up import begin, enroll, enrolled, quiet
from bed.watch import Timeout, wait_until

KINDS = ["expired", "self-signed", "wrong-name", "tls1.1", "plain"]


def _secure(url):
    """The listener without TLS is addressed as all are."""
    return str(url).replace("http://", "https://")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["login_url", "registration_url"])
def test_a_host_that_cannot_be_trusted_registers_nothing(bed, eve, kind, url):
    cloud = bed.start_up(bad=[kind])
    daemon = bed.make_daemon(clouds={"up": cloud.cloud(
        **{url: _secure(cloud.up["bad"][kind]["web"])})}, with_cups=False)
    daemon.start()
    with begin(daemon, eve.uri) as call:
        if url == "registration_url":
            cloud.approve(call.until("code")["user_code"])
        call.all()
    assert call.of("failed"), call.answers
    assert "online" not in [p["state"] for p in daemon.printers()]
    assert cloud.registered() == []  # and a request that came through is a violation
    assert cloud.connections(kind) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_print_host_that_cannot_be_trusted_gets_no_token(bed, eve, kind):
    cloud = bed.start_up(bad=[kind])
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    daemon.stop()
    daemon.sections["cloud up"].update({
        "print-url": _secure(cloud.up["bad"][kind]["ipp"]),
        "notification-url": _secure(cloud.up["bad"][kind]["ipp"])})
    daemon.start()
    wait_until(lambda: daemon.printer(eve.uri)["state"] != "connecting", "an outcome", 30,
               [daemon.process.log], [daemon.process])
    number = route.submit(PDF)
    before, tries = cpu_seconds(daemon), cloud.connections(kind)
    assert tries > 0
    quiet(cloud, 6, most=4)
    # with pauses that double from a second on, each shortened at random
    assert cloud.connections(kind) - tries <= 8
    assert cpu_seconds(daemon) - before < 0.5
    assert route.status(number)["state"] in ("pending", "paused")
    assert daemon.printer(eve.uri)["state"] != "online"
    assert eve.ledger("arrived") == []


@pytest.mark.parametrize("operation", ["up-device-code", "up-token", "up-register",
                                       "up-register-poll"])
def test_a_redirect_to_another_host_is_not_followed(bed, eve, operation):
    cloud = bed.start_up(bad=["plain"])
    daemon = bed.up_daemon(cloud, with_cups=False)
    cloud.fault("redirect", operation=operation, http=307, count=-1,
                text=cloud.up["bad"]["plain"]["web"])
    with begin(daemon, eve.uri) as call:
        try:
            cloud.approve(call.until("code")["user_code"])
        except AssertionError as error:
            assert not isinstance(error, Timeout) and operation == "up-device-code"
        call.all()
    assert call.of("failed"), call.answers
    assert cloud.connections("plain") == 0
    cloud.clear_faults()
    enroll(daemon, cloud, eve.uri)
    daemon.wait_printer(eve.uri)


@pytest.mark.parametrize("operation", ["Get-Jobs", "Fetch-Document", "up-device-token"])
def test_a_redirect_in_operation_takes_no_token_along(bed, eve, operation):
    cloud = bed.start_up(bad=["plain"])
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    cloud.fault("redirect", operation=operation, http=307, count=1,
                text=cloud.up["bad"]["plain"]["ipp"] + "/printers/" + route.printer)
    number = route.submit(PDF)
    if operation == "up-device-token":
        daemon.restart()
    told = cloud.wait_job(number, route.printer, timeout=120)
    assert told["state_name"] in ("completed", "aborted")
    assert cloud.connections("plain") == 0


def test_plain_http_to_another_host_is_no_setting(bed):
    cloud = bed.start_up()
    for url in ("login_url", "registration_url", "print_url", "notification_url"):
        daemon = bed.make_daemon(url, clouds={"up": cloud.cloud(
            **{url: "http://cloud.example.com"})}, with_cups=False)
        daemon.expect_clean = False
        assert daemon.spawn().wait() == 1
        assert "https://" in daemon.process.text()


def test_a_cloud_without_its_certificates_is_named(bed, eve):
    cloud = bed.start_up()
    keys = cloud.cloud()
    del keys["ca-file"]
    daemon = bed.make_daemon(clouds={"up": keys}, with_cups=False)
    daemon.start()
    with begin(daemon, eve.uri) as call:
        call.all()
    assert "certificate" in str(call.of("failed")).lower(), call.answers
    assert cloud.codes() == []


def test_a_certificate_that_expires_is_said_and_renewed(bed, eve):
    cloud = bed.start_up(up={"certificate-days": 20})
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    entry = wait_health(daemon, "certificate-expiring")
    assert "--renew" in entry["remedy"]
    days = re.search(r"^print_connector_certificate_days\{[^}]*\} (\S+)$",
                     daemon.cli("metrics", as_json=False).stdout, re.MULTILINE)
    assert 18.5 < float(days.group(1)) <= 20
    assert re.search(r"the certificate of \S+ expires in (19|20) days; .*--renew",
                     daemon.process.text())
    cloud.set(certificate_days=365)
    assert enroll(daemon, cloud, eve.uri, renew=True).of("registered")
    daemon.wait(lambda: not [e for e in daemon.verb("status", codes=(0, 4))["health"]
                             if e["code"] == "certificate-expiring"], "no more warning")
    route.wait_online()
    route.printed(route.submit(PDF))
