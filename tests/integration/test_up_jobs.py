"""Universal Print, the whole flow over TLS: sign-in, registration, a job through Graph, paper, and
what the user sees of it."""

from bed import PDF
from bed.route import connect, requests_before_document, rounds_before_document
from bed.up import enrolled


def test_three_kinds_of_queues_print_what_users_send_through_graph(bed, eve, socket_printer):
    cloud = bed.start_up()
    other = bed.ipp_printer("other")
    bed.cups.add_driverless("driverless", eve.uri)
    bed.cups.add_pcl("pcl", socket_printer.uri)
    daemon = bed.up_daemon(cloud)
    routes = enrolled(daemon, cloud, "driverless", "pcl", other.uri)
    numbers = [route.submit(PDF, name=f"for {route.queue}") for route in routes]
    for route, number in zip(routes, numbers):
        told, job = route.printed(number, timeout=90)
        assert told["final_told"] == 1
        assert job["name"] == f"for {route.queue}"
        assert route.status(number)["isAcquiredByPrinter"]
    assert eve.wait() and other.wait() and socket_printer.wait()
    assert len([code for code in cloud.codes()]) == 1
    for route in routes:
        printer = route.attributes()
        assert printer["microsoft-universal-print-connector-app-version"]
        assert printer["microsoft-universal-print-connector-operating-system"].startswith("Linux")
        assert printer["microsoft-universal-print-connector-id"]
    assert routes[1].attributes()["microsoft-universal-printer-driver-name"]


def test_a_document_is_there_after_at_most_two_requests_more_than_elsewhere(bed, eve):
    up, plain = bed.start_up(), bed.start_cloud("q")
    other = bed.ipp_printer("other")
    daemon = bed.up_daemon(up, clouds={"test": {"uri": plain.base()}}, with_cups=False)
    routes = [*enrolled(daemon, up, eve.uri), connect(bed, daemon, other.uri)]
    here, elsewhere = (requests_before_document(route, PDF) for route in routes)
    assert 3 <= elsewhere <= here <= elsewhere + 2


def test_a_document_takes_at_most_two_rounds_more_than_elsewhere(bed, eve):
    up, plain = bed.start_up(), bed.start_cloud("q")
    other = bed.ipp_printer("other")
    daemon = bed.up_daemon(up, clouds={"test": {"uri": plain.base()}}, with_cups=False)
    route, = enrolled(daemon, up, eve.uri)
    here = rounds_before_document(route, eve, PDF)
    elsewhere = rounds_before_document(connect(bed, daemon, other.uri), other, PDF)
    assert 3 <= elsewhere and here <= elsewhere + 2, (here, elsewhere)
