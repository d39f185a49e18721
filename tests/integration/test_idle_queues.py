"""Five hundred queues with nothing to do cost next to nothing, and one of them that changes is
known in the cloud as soon as if it were alone."""

import time

from bed.crowd import add_printers, write_queues
from bed.route import Route, connect, cpu_seconds
from bed.watch import wait_until

QUEUES = 500
SECONDS = 20  # of idling that are looked at
SHARE = 0.01  # of a core
SOON = 2      # seconds from the change at the queue to the cloud


def _share_of_a_core(daemon, seconds):
    """Over so many seconds in which nothing happens."""
    began, used = time.monotonic(), cpu_seconds(daemon)
    wait_until(lambda: time.monotonic() - began >= seconds, "the end of idling", 2 * seconds,
               processes=[daemon.process], look_again=seconds / 4)
    return (cpu_seconds(daemon) - used) / (time.monotonic() - began)


def test_five_hundred_idle_queues_cost_less_than_a_hundredth_of_a_core(bed):
    names = [f"q{n}" for n in range(QUEUES)]
    bed.start_cloud(*names)
    device = bed.socket_printer().uri
    cups = bed.start_cups(options={"LogLevel": "warn"})
    cups.stop()
    write_queues(cups, names, device)
    cups.start()
    daemon = bed.daemon(settings={"log": {"level": "info"}})
    connect(bed, daemon, names[0], names[0])
    assert daemon.stop() == 0
    add_printers(daemon.state, {name: bed.cloud.uri(name) for name in names[1:]})
    daemon.start()
    routes = [Route(bed, daemon, name, name) for name in names]
    daemon.wait(lambda: daemon.verb("status", codes=(0, 4))["printers"].get("online") == QUEUES,
                f"{QUEUES} printers online", 120)
    routes[-1].wait_online()
    shares, took = [], []
    while len(shares) < 3 and (not shares or shares[-1] >= SHARE):
        shares.append(_share_of_a_core(daemon, SECONDS))  # the first may still see the start
    for turn in range(5):
        route = routes[QUEUES // 2]
        began = time.monotonic()
        cups.run("cupsdisable" if turn % 2 == 0 else "cupsenable", "-h", cups.socket, route.queue)
        route.wait_attributes(lambda a, stop=turn % 2 == 0: ("paused" in a.get(
            "printer-state-reasons", "")) == stop, "the change", 30)
        took.append(time.monotonic() - began)
    print("share of a core:", [f"{share:.2%}" for share in shares],
          "seconds:", [round(t, 2) for t in took])
    assert shares[-1] < SHARE, shares
    assert sorted(took)[len(took) // 2] < SOON, took
    assert [p["queue"] for p in daemon.printers() if p["state"] != "online"] == [routes[
        QUEUES // 2].queue]
