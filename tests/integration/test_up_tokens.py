"""Universal Print: the tokens that printers show, and printers that the service does not want any
more."""

import re
import time

import pytest

from bed import PDF
from bed.route import connect, cpu_seconds, wait_health
from bed.up import begin, enrolled, route_of, wait_refused


def _tokens(cloud, route):
    return [t for t in cloud.tokens() if t["printer"] == route.printer]


def _up(bed, eve, **settings):
    cloud = bed.start_up(up=settings)
    daemon = bed.up_daemon(cloud, with_cups=False)
    return cloud, daemon, *enrolled(daemon, cloud, eve.uri)


def test_each_printer_shows_its_own_token_only(bed, eve):
    cloud = bed.start_up()
    other = bed.ipp_printer("other")
    daemon = bed.up_daemon(cloud, with_cups=False)
    routes = enrolled(daemon, cloud, eve.uri, other.uri)
    for number in [(route, route.submit(PDF)) for route in routes]:
        number[0].printed(number[1])
    for route in routes:
        assert len(_tokens(cloud, route)) == 1 and _tokens(cloud, route)[0]["uses"] > 4
    assert re.search(r'print_connector_tokens_total\{cloud="\w+",result="ok"\} 2\n',
                     daemon.verb("metrics")["text"])
    assert cloud.violations() == []  # isolation, above all


@pytest.mark.parametrize("operation", ["up-nonce", "up-device-token"])
@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "cut-headers"])
def test_a_token_whose_answer_was_lost_is_asked_for_with_a_new_nonce(bed, eve, operation, kind):
    cloud, daemon, route = _up(bed, eve)
    rule = cloud.fault(kind, operation=operation, count=1)
    daemon.restart()
    route.wait_online(60)
    cloud.clear_faults(rule)
    route.printed(route.submit(PDF))
    assert cloud.violations() == []  # a nonce that came twice, above all


@pytest.mark.parametrize("count", [1, 3])
def test_a_nonce_that_is_used_up_is_replaced(bed, eve, count):
    cloud, daemon, route = _up(bed, eve)
    cloud.fault("oauth-error", operation="up-device-token", http=400, text="invalid_grant",
                count=count)
    daemon.restart()
    if count > 1:
        assert "certificate" in wait_refused(daemon, eve.uri)[0]
        assert re.search(r'print_connector_tokens_total\{cloud="\w+",result="denied"\} 1\n',
                         daemon.verb("metrics")["text"])
        cloud.clear_faults()
        daemon.restart()
    route.wait_online(60)
    route.printed(route.submit(PDF))


@pytest.mark.parametrize("skew", [3600, -3600])
def test_a_clock_that_is_an_hour_off_does_not_matter(bed, eve, skew):
    _, daemon, route = _up(bed, eve, **{"clock-skew": skew})
    route.printed(route.submit(PDF))
    daemon.restart()
    route.wait_online()
    route.printed(route.submit(PDF))


def test_a_token_that_is_revoked_in_mid_transfer_is_replaced(bed, eve):
    cloud, _, route = _up(bed, eve)
    # it comes compressed: this is in its middle
    cloud.fault("stall-document", operation="Fetch-Document", bytes=100, ms=5000)
    number = route.submit(PDF)
    cloud.wait(operation="Fetch-Document", count=1)
    cloud.revoke(route.printer)
    assert route.record(number)["state"] == "handing"
    route.printed(number)
    assert cloud.counters()["Fetch-Document"] == 1
    assert len(_tokens(cloud, route)) == 2
    assert len(eve.wait()) == 1


def test_a_document_that_was_cut_as_the_token_was_revoked_comes_with_the_next_one(bed, eve):
    cloud, _, route = _up(bed, eve)
    cloud.fault("cut-document", operation="Fetch-Document", bytes=100, count=1)
    cloud.fault("http-status", operation="Fetch-Document", http=401, count=1)
    route.printed(route.submit(PDF))
    assert cloud.counters()["Fetch-Document"] == 3
    assert len(_tokens(cloud, route)) == 2
    assert len(eve.wait()) == 1


def test_tokens_that_end_early_are_replaced_unseen(bed, eve):
    cloud, _, route = _up(bed, eve, **{"token-life": 2})
    for _ in range(3):
        route.printed(route.submit(PDF))
    assert len(_tokens(cloud, route)) > 1


def test_a_token_is_renewed_before_it_ends_once_and_unseen(bed, eve):
    cloud, _, route = _up(bed, eve, **{"token-life": 60})
    cloud.wait(operation="up-device-token", count=2, timeout=75)
    began = time.monotonic()
    route.printed(route.submit(PDF))
    cloud.wait(operation="Get-Notifications", count=cloud.counters()["Get-Notifications"] + 3)
    assert time.monotonic() - began < 30  # before the second one's time
    first, second = _tokens(cloud, route)
    assert second["uses"] > 2
    # none was refused, so the first one was replaced while it lived; nobody asked for one more
    assert cloud.notices() == [] and first["uses"] > 10
    assert cloud.counters()["up-nonce"] == cloud.counters()["up-device-token"] == 2


def test_a_large_token_is_fine(bed, eve):
    _, _, route = _up(bed, eve, **{"token-bytes": 6000})
    route.printed(route.submit(PDF))


def test_the_certificate_may_be_a_string(bed, eve):
    cloud = bed.start_up(up={"x5c-string": 1})
    daemon = bed.make_daemon(clouds={"up": cloud.cloud(x5c="string")}, with_cups=False)
    daemon.start()
    route, = enrolled(daemon, cloud, eve.uri)
    route.printed(route.submit(PDF))


def test_a_printer_deleted_in_the_portal_says_so_and_stays_quiet(bed, eve):
    cloud = bed.start_up()
    other = bed.ipp_printer("other")
    daemon = bed.up_daemon(cloud, with_cups=False)
    gone, stays = enrolled(daemon, cloud, eve.uri, other.uri)
    cloud.delete(gone.printer)
    requests = cloud.requests_of(gone.printer)
    assert "portal" in str(wait_refused(daemon, eve.uri))
    assert "portal" in str(wait_health(daemon, "printer-refused"))
    assert cloud.requests_of(gone.printer) <= requests + 3
    requests, tokens = cloud.requests_of(gone.printer), cloud.counters()["up-nonce"]
    before = cpu_seconds(daemon)
    for _ in range(3):  # some polls of the other one go by
        stays.printed(stays.submit(PDF))
    assert cloud.requests_of(gone.printer) == requests
    assert cloud.counters()["up-nonce"] == tokens
    assert cpu_seconds(daemon) - before < 2
    daemon.verb("unregister", eve.uri, "--yes")
    enrolled(daemon, cloud, eve.uri)


def test_a_sign_in_service_that_is_down_is_waited_for(bed, eve):
    cloud, daemon, route = _up(bed, eve)
    cloud.down("login")
    daemon.restart()
    wait_health(daemon, "cloud-unreachable")
    cloud.down("login", 0)
    route.wait_online(90)
    route.printed(route.submit(PDF))


def test_two_tenants_and_another_cloud_live_in_one_daemon(bed, eve):
    one = bed.start_up("one")
    two = bed.start_up("two", up={"tenant": "11111111-2222-3333-4444-555555555555",
                                  "client-id": "99999999-8888-7777-6666-555555555555"})
    plain = bed.start_cloud("q")
    second, third = bed.ipp_printer("second"), bed.ipp_printer("third")
    daemon = bed.up_daemon(one, two, clouds={"test": {"uri": plain.base()}}, with_cups=False)
    routes = enrolled(daemon, one, eve.uri)
    with begin(daemon, second.uri, cloud="up2") as call:
        two.approve(call.until("code")["user_code"])
        assert not call.all().of("failed"), call.answers
    routes.append(route_of(daemon, two, second.uri))
    routes.append(connect(bed, daemon, third.uri))
    numbers = [route.submit(PDF) for route in routes]
    for route, number in zip(routes, numbers):
        route.ended(number)
    for printer in (eve, second, third):
        assert len(printer.wait()) == 1
    assert len(one.registered()) == len(two.registered()) == 1
    # each was shown its own tokens by its own application, and nobody else's
    assert one.violations() == two.violations() == plain.violations() == []
    for cloud in (one, two):
        assert [code["client_id"] for code in cloud.codes()] == [cloud.up["client_id"]]
        assert {t["printer"] for t in cloud.tokens() if t["kind"] == "printer"} == {
            cloud.registered()[0]["id"]}
    one.stop()
    number = routes[1].submit(PDF)
    routes[1].printed(number)
    routes[2].ended(routes[2].submit(PDF))
    one.close()
