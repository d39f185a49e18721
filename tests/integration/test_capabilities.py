"""What the cloud is told that queues of CUPS can do: classes, queues without a driver, devices that
are none; and that queues with bad attributes cost the others nothing."""

import pytest

from bed.route import connect

POSTSCRIPT = "drv:///sample.drv/generic.ppd"
LABELS = "drv:///sample.drv/zebra.ppd"
ENVELOPE = "iso_dl_110x220mm"  # which the label printer does not have
WARNED = 4  # exit status


def words(attributes, name):
    """The values of an attribute as the emulator shows them."""
    value = attributes.get(name, "")
    return value if isinstance(value, list) else value.split(",")


def test_a_class_can_what_all_its_members_can_and_follows_them(bed, socket_printer):
    bed.cups.add_pcl("pcl", socket_printer.uri)
    bed.cups.lpadmin("-p", "labels", "-E", "-v", socket_printer.uri, "-m", LABELS)
    bed.cups.lpadmin("-p", "pcl", "-c", "all")
    bed.cups.run("cupsenable", "all")
    bed.cups.run("cupsaccept", "all")
    route = connect(bed, bed.daemon(), "all")
    route.wait_attributes(lambda a: ENVELOPE in words(a, "media-supported"), "what one can")
    bed.cups.lpadmin("-p", "labels", "-c", "all")
    both = route.wait_attributes(
        lambda a: ENVELOPE not in words(a, "media-supported"), "what both can")
    assert "iso_a4_210x297mm" in words(both, "media-supported")


@pytest.mark.parametrize("driver, uri, words_of_it", [
    ("raw", "socket://127.0.0.1:9", "has no driver"),
    (POSTSCRIPT, "file:///tmp/nothing", "writes to a file"),
    ("raw", "file:///tmp/nothing", "writes to a file"),
    ("drv:///cupsfilters.drv/textonly.ppd", "socket://127.0.0.1:9", "takes neither PDF nor images"),
])
def test_whoever_registers_a_queue_that_will_surprise_is_warned(bed, driver, uri, words_of_it):
    cups = bed.start_cups(file_device=True)
    cups.lpadmin("-p", "q", "-E", "-v", uri, "-m", driver)
    shown = bed.daemon().cli("register", "q", "--cloud", "test", "--cloud-uri",
                             bed.cloud.uri("q"), as_json=False)
    assert shown.code == WARNED, shown
    assert words_of_it in " ".join((shown.stdout + shown.stderr).split())
