"""Universal Print with HTTP/2 offered, as the real service offers it: many printers share few
connections, and documents come over HTTP/1.1."""

from bed import PDF
from bed.front import Front
from bed.net import connections
from bed.up import enrolled

QUEUES = [f"raw{n:02}" for n in range(16)]


def test_printers_share_connections_and_documents_have_their_own(bed, eve):
    cloud = bed.start_up()
    print_, notification = (bed.enter(Front(bed.dir, cloud, name))
                            for name in ("print", "notification"))
    for queue in QUEUES:
        bed.cups.add_raw(queue, "socket://127.0.0.1:9")
    daemon = bed.make_daemon(clouds={"up": cloud.cloud(
        print_url=print_.url, notification_url=notification.url)})
    daemon.start()
    *_, route = enrolled(daemon, cloud, *QUEUES, eve.uri, timeout=60)
    for _ in range(3):
        route.printed(route.submit(PDF))
    assert len(eve.wait(3)) == 3
    protocols = [protocol for protocol, path, _ in print_.requests()
                 if path.endswith(route.printer)]
    assert protocols.count("http/1.1") == 3  # the documents
    assert protocols.count("h2") > 9
    assert {protocol for protocol, *_ in notification.requests()} == {"h2"}
    cloud.wait(operation="Get-Notifications", count=100)
    # print and notification host, sign-ins and documents that are still kept, and the queues' side:
    # each printer for itself would have two
    daemon.wait(lambda: connections(daemon.process.pid) < len(QUEUES), "shared connections")
