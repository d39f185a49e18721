"""Universal Print, the whole flow over TLS: sign-in, registration, a job through Graph, paper, and
what the user sees of it."""

from bed import PDF
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
