"""Universal Print: jobs arrive whatever becomes of the notifications, and a service that wants to
be left alone is left alone."""

import pytest

from bed import PDF
from bed.route import wait_health
from bed.up import enrolled, quiet
from bed.watch import wait_until


@pytest.fixture(name="up")
def fixture_up(bed, eve):
    """(cloud, daemon, route) of one printer that is online."""
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    return cloud, daemon, *enrolled(daemon, cloud, eve.uri)


def test_jobs_arrive_by_polling_while_the_notification_host_is_down(up):
    cloud, daemon, route = up
    cloud.down("notification")
    route.printed(route.submit(PDF), timeout=120)
    assert daemon.printer(route.queue)["state"] == "online"
    cloud.down("notification", 0)
    route.printed(route.submit(PDF), timeout=120)


def test_a_start_without_the_notification_host_still_prints(up):
    cloud, daemon, route = up
    cloud.down("notification")
    daemon.restart()
    number = route.submit(PDF)
    route.ended(number, timeout=120)


def test_lost_repeated_and_reversed_events_cost_no_job_and_no_paper(bed, eve, up):
    del bed
    cloud, _, route = up
    cloud.events(route.printer, drop=1)
    lost = route.submit(PDF)
    route.printed(route.submit(PDF))
    route.printed(lost, timeout=120)
    cloud.events(route.printer, repeat=2)
    route.printed(route.submit(PDF))
    cloud.reverse_events(route.printer, 2)
    numbers = [route.submit(PDF) for _ in range(3)]
    for number in numbers:
        route.printed(number)
    assert len(eve.ledger("arrived")) == 6


def test_what_microsoft_does_not_say_of_the_notification_host_can_be_set(bed, eve):
    cloud = bed.start_up(up={"notification-path": "/", "names-print": 1})
    daemon = bed.make_daemon(clouds={"up": cloud.cloud(
        notification_path="/", notification_printer_uri="print")}, with_cups=False)
    daemon.start()
    route, = enrolled(daemon, cloud, eve.uri)
    route.printed(route.submit(PDF))
    cloud.wait(operation="Get-Notifications", count=3)


@pytest.mark.parametrize("what", ["subscriptions", "devices,subscriptions"])
def test_a_subscription_that_expired_is_made_again_and_the_device_told_again(up, what):
    cloud, _, route = up
    cloud.forget(what, route.printer)
    cloud.wait(printer=route.printer, device=1, subscriptions=1)
    route.wait_attributes(lambda a: a.get("media-supported"), "all of its attributes")
    route.printed(route.submit(PDF))


def test_a_lease_is_renewed_in_time_and_one_that_ran_out_replaced(bed, eve):
    cloud = bed.start_up(up={"lease-max": 6})
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    cloud.wait(operation="Renew-Subscription", count=3)
    assert cloud.counters()["Create-Printer-Subscriptions"] == 1
    rule = cloud.fault("http-status", operation="Renew-Subscription", http=503, count=-1)
    cloud.wait(operation="Create-Printer-Subscriptions", count=2, timeout=60)
    cloud.clear_faults(rule)
    assert daemon.printer(route.queue)["state"] == "online"
    route.printed(route.submit(PDF))


@pytest.mark.parametrize("operation", ["Get-Notifications", "Get-Jobs", "Fetch-Job",
                                       "Fetch-Document", "Update-Job-Status"])
def test_a_wish_to_slow_down_is_fulfilled(up, operation):
    cloud, _, route = up
    rule = cloud.fault("http-status", operation=operation, http=429, retry_after=6, count=1)
    number = route.submit(PDF)
    wait_until(lambda: cloud.faults()["faults"][0]["hits"], operation, 30, [cloud.record])
    # all that is asked of that host: the printer's jobs above all
    same = {"Get-Notifications"} if operation == "Get-Notifications" else {
        "Get-Jobs", "Fetch-Job", "Acknowledge-Job", "Fetch-Document", "Update-Job-Status",
        "Update-Output-Device-Attributes", "Acknowledge-Document"}
    quiet(cloud, 4, names=same)
    cloud.clear_faults(rule)
    route.printed(number, timeout=90)


def test_the_sign_in_service_is_not_asked_before_its_time(bed, eve):
    cloud = bed.start_up()
    daemon = bed.up_daemon(cloud, with_cups=False)
    route, = enrolled(daemon, cloud, eve.uri)
    cloud.fault("http-status", operation="up-nonce", http=429, retry_after=4, count=1)
    before = cloud.counters()["up-nonce"]
    daemon.restart()
    cloud.wait(operation="up-nonce", count=before + 1)
    quiet(cloud, 3, names=("up-nonce",))
    route.wait_online(60)
    route.printed(route.submit(PDF))


@pytest.mark.parametrize("fault", [
    {"kind": "html"}, {"kind": "garbage", "bytes": 99}, {"kind": "truncated", "bytes": 20},
    {"kind": "http-status", "http": 503}, {"kind": "cut-after"}],
    ids=lambda fault: fault["kind"])
@pytest.mark.parametrize("operation", ["Fetch-Job", "Acknowledge-Job", "Fetch-Document",
                                       "Update-Job-Status"])
def test_nonsense_costs_neither_job_nor_paper(eve, up, operation, fault):
    cloud, _, route = up
    cloud.fault(**fault, operation=operation)
    told, _ = route.printed(route.submit(PDF))
    assert told["final_told"] == 1
    assert len(eve.ledger("arrived")) == 1


def test_the_print_host_that_is_down_is_one_health_entry(up):
    cloud, daemon, route = up
    cloud.down("print")
    number = cloud.graph_submit(route.printer, PDF)
    wait_health(daemon, "cloud-unreachable", 60)
    cloud.down("print", 0)
    route.printed(number, timeout=90)


def test_a_cancel_by_the_user_reaches_the_printer(eve, up):
    cloud, _, route = up
    eve.mode = "hold"
    with eve.gate():
        number = route.submit(PDF)
        eve.wait(1, "arrived")
        cloud.graph("POST", f"/printers/{route.printer}/jobs/{number}/cancel")
        route.daemon.wait(lambda: "cancel" in " ".join(route.events(number)), "word of the cancel")
    told = cloud.wait_job(number, route.printer, timeout=60)
    assert told["state_name"] in ("canceled", "aborted")
    assert route.wait_record(number, "done")["outcome"] == "canceled"
