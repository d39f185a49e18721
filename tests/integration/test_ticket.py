"""Options of a job on each kind of queue: what a user asks for in the cloud is seen on paper, or
the job says why not. Each row of the table of options goes through the daemon to a real cupsd and
its real filters, and what comes out is looked at."""

import pathlib
import re
import struct

import pages
import pdf
import pytest

from bed import DATA, ipp
from bed.route import connect
from bed.watch import wait_until

A4, LETTER = (210, 297), (216, 279)
FOOMATIC = "foomatic-db-compressed-ppds:0/ppd/foomatic-ppd/HP-LaserJet_4-ljet4.ppd"
KYOCERA = "openprinting-ppds:0/ppd/openprinting/Kyocera/en/Kyocera_CS_250ci.ppd"
PCL_OPTIONS = ("-o", "PageSize=A4", "-o", "Option1=True", "-o", "Resolution=600dpi")
LACKS = "the queue does not have it"
NO_OPTIONS = ("compression-", "date-", "document-", "job-", "number-of-", "time-")

DOCUMENT = pdf.make_marked(["tl", "tr", "bl"])

ROWS = {
    "copies": {"copies": 3},
    "sides": {"sides": "two-sided-long-edge"},
    "colour": {"print-color-mode": "color"},
    "monochrome": {"print-color-mode": "monochrome"},
    "quality": {"print-quality": 5},
    "size": {"media": "na_letter_8.5x11in"},
    "size-col": {"media-col": {"media-size": {"x-dimension": 21590, "y-dimension": 27940}}},
    "type": {"media-col": {"media-type": "labels"}},
    "source": {"media-col": {"media-source": "tray-2"}},
    "bin": {"output-bin": "stacker-1"},
    "finishings": {"finishings": 20},
    "number-up": {"number-up": 2},
    "ranges": {"page-ranges": (2, 3)},
    "orientation": {"orientation-requested": 6},
    "scaling": {"print-scaling": "fill", "media": "na_letter_8.5x11in"},
    "resolution": {"printer-resolution": ipp.Resolution(300)},
}


class Out:
    """One job: what it printed (pages, raw), what the IPP printer was told (said), what the
    connector says was lost (lost)."""

    def __init__(self, found, raw, said, job):
        self.pages = found
        self.raw = raw
        self.said = said
        self.lost = "\n".join(job["dropped"])

    @property
    def sheets(self):
        """Pages with all their copies."""
        return sum(page.more.get("l.X", 1) for page in self.pages) * self.said.get("copies", 1)

    def __repr__(self):
        return f"{self.pages} {self.said} lost: {self.lost!r}"


class Kind:
    """A kind of queue: makes it, and looks at what comes out of it."""

    def __init__(self, bed, name):
        self.bed = bed
        self.name = name
        self.eve = self.socket = None
        self.queue = "q"
        self._count = 0
        getattr(self, f"_make_{name}")()

    def _make_driverless(self):
        self.eve = self.bed.ipp_printer(options=["-2", "-s", "20,10", "-f",
                                                 "application/pdf,image/urf,image/pwg-raster"])
        self.bed.cups.add_driverless("q", self.eve.uri, "-o",
                                     "media-default=iso_a4_210x297mm")

    def _make_ipp(self):
        self.eve = self.bed.ipp_printer(options=["-a", DATA / "office-printer.conf"])
        self.queue = self.eve.uri

    def _make_finisher(self):
        self.eve = self.bed.ipp_printer(options=["-a", DATA / "finisher-printer.conf"])
        self.bed.cups.add_driverless("q", self.eve.uri)

    def _make_class(self):
        self.eve = self.bed.ipp_printer(options=["-a", DATA / "finisher-printer.conf"])
        self.bed.cups.add_driverless("member", self.eve.uri)
        self.bed.cups.lpadmin("-p", "member", "-c", "q")
        self.bed.cups.run("cupsenable", "-h", self.bed.cups.socket, "q")
        self.bed.cups.run("cupsaccept", "-h", self.bed.cups.socket, "q")

    def _make_raster(self):
        self.eve = self.bed.ipp_printer(options=["-a", DATA / "raster-printer.conf"])
        self.bed.cups.add_driverless("q", self.eve.uri)

    def _make_raw(self):
        self.socket = self.bed.socket_printer()
        self.bed.cups.add_raw("q", self.socket.uri)

    def _make_pcl(self):
        self.socket = self.bed.socket_printer()
        self.bed.cups.add_pcl("q", self.socket.uri, *PCL_OPTIONS)

    def _make_foomatic(self):
        self._make_driver(FOOMATIC)

    def _make_postscript(self):
        self._make_driver(KYOCERA)

    def _make_driver(self, model):
        self.socket = self.bed.socket_printer()
        self.bed.cups.lpadmin("-p", "q", "-E", "-v", self.socket.uri, "-m", model, "-o",
                              "PageSize=A4")
        self.bed.cups.lpadmin("-p", "q", "-o", "cupsSNMPSupplies=False")

    def _said(self):
        jobs = self.eve.client.request("Get-Jobs", {
            "which-jobs": "completed", "requested-attributes": "all"}).groups("job")
        last = max(jobs, key=lambda job: job["job-id"])
        return {name: value for name, value in last.items() if not name.startswith(NO_OPTIONS)}

    def take(self, job):
        """What the next job printed."""
        self._count += 1
        if self.eve:
            file = self.eve.wait(self._count)[-1]["file"]
            said_of = self._said()
            found = (pages.from_pwg if self.name == "raster" else pages.from_pdf)(file)
            # CUPS turns the order for a bin that keeps the printed side up
            last_first = self.name == "driverless" and said_of.get("output-bin") == "face-up"
            return Out(found[::-1] if last_first else found, b"", said_of, job)
        file = self.socket.wait(self._count)[-1]["file"]
        read = {"postscript": pages.from_postscript, "raw": pages.from_pdf}.get(
            self.name, pages.from_pcl)
        with open(file, "rb") as printed:
            data = printed.read()
        found = read(file)
        if self.name == "raw":  # the same document as often as there are copies
            found *= data.count(b"%PDF-")
        return Out(found, data, {}, job)


def said(name, value):
    """The IPP printer was told this."""
    def check(out, base):
        del base
        found = {**out.said, **out.said.get("media-col", {})}
        assert found.get(name) == value and out.lost == "", out
    return check


def raw(text, lost=""):
    """The printer's language says this."""
    def check(out, base):
        assert text in out.raw and text not in base.raw and out.lost == lost, out
    return check


def more(name, value):
    """The same in PCL, on each page."""
    def check(out, base):
        assert all(page.more[name] == value for page in out.pages), out
        assert all(page.more.get(name) != value for page in base.pages) and out.lost == "", base
    return check


def lost(text):
    """The queue cannot do it, and the job says so."""
    def check(out, base):
        assert out.lost == text, out
        assert "printer-resolution" not in out.said, out
        assert [page.ink for page in out.pages] == [page.ink for page in base.pages], out
    check.shows = False
    return check


def copies(out, base):
    """Three of each."""
    assert (base.sheets, out.sheets, out.lost) == (3, 9, ""), out


def letter(out, base):
    """Another size of paper."""
    for found, size in (base, A4), (out, LETTER):
        assert found.pages, found
        for page in found.pages:
            assert abs(page.width - size[0]) < 2 and abs(page.height - size[1]) < 2, found
    assert out.lost == ""


def two_up(out, base):
    """Two pages on the first sheet, the third on another."""
    assert len(base.pages) == 3 and len(out.pages) == 2 and out.lost == "", out
    assert len(base.pages[0].ink) == 1 and len(out.pages[0].ink) >= 2, out


def ranges(out, base):
    """The second page and the third."""
    assert [page.ink for page in base.pages] == [{"tl"}, {"tr"}, {"bl"}], base
    assert [page.ink for page in out.pages] == [{"tr"}, {"bl"}] and out.lost == "", out


def both_sides(name, value):
    """The same pages, each on a side of its own, and the printer's language says so."""
    def check(out, base):
        assert [page.ink for page in out.pages] == [page.ink for page in base.pages], out
        more(name, value)(out, base)
    return check


def turned(out, base):
    """Upside down, for CUPS turns pages to fit the paper before anything else."""
    assert out.pages[0].ink != base.pages[0].ink or \
        abs(out.pages[0].width - base.pages[0].height) < 2, out
    assert out.lost == ""


def filled(out, base):
    """It is larger than on the same paper without."""
    del base
    assert out.lost == "" and abs(out.pages[0].width - 216) < 2, out


def in_colour(out, base):
    """As it was."""
    assert all(page.colour for page in base.pages + out.pages) and out.lost == "", out


def grey(out, base):
    """No colour is left."""
    assert all(page.colour for page in base.pages), base
    assert not any(page.colour for page in out.pages) and out.lost == "", out


def black(out, base):
    """It was, and stays."""
    assert not any(page.colour for page in base.pages + out.pages) and out.lost == "", out


TWO_SIDED = "two-sided-long-edge"
NO_COLOUR = lost(f"print-color-mode: monochrome in place of color; {LACKS}")
NO_HIGH = lost(f"print-quality: normal in place of high; {LACKS}")
NO_TYPE = lost(f"media-type: labels left out; {LACKS}")
NO_SOURCE = lost(f"media-source: auto in place of tray-2; {LACKS}")
NO_BIN = lost(f"output-bin: stacker-1 left out; {LACKS}")
NO_STAPLE = lost(f"finishings: staple-top-left left out; {LACKS}")
ONLY_600 = lost("printer-resolution: 300dpi left out; the queue prints at 600dpi only")
ONLY_300 = lost("")  # the one that CUPS names
PAPER = {"copies": copies, "size": letter, "size-col": letter, "number-up": two_up,
         "ranges": ranges, "orientation": turned, "scaling": filled}
FINISHER = {
    **PAPER, "sides": said("sides", TWO_SIDED), "colour": said("print-color-mode", "color"),
    "monochrome": said("print-color-mode", "monochrome"), "quality": said("print-quality", 5),
    "type": said("media-type", "labels"), "source": said("media-source", "tray-2"),
    "bin": said("output-bin", "stacker-1"), "finishings": said("finishings", 20),
    "resolution": ONLY_300}


def left_out(name, value):
    """A queue without a driver prints documents as they are."""
    return lost(f"{name}: {value} left out; {LACKS}")


TABLE = {
    "driverless": {
        **PAPER, "sides": said("sides", TWO_SIDED), "colour": said("print-color-mode", "color"),
        "monochrome": said("print-color-mode", "monochrome"), "quality": said("print-quality", 5),
        "type": said("media-type", "labels"), "source": NO_SOURCE,
        "bin": NO_BIN, "finishings": NO_STAPLE, "resolution": ONLY_600},
    "raster": {
        **PAPER, "sides": both_sides("duplex", True), "colour": in_colour, "monochrome": grey,
        "quality": said("print-quality", 5), "type": said("media-type", "labels"),
        "source": said("media-source", "tray-2"), "bin": NO_BIN, "finishings": NO_STAPLE,
        "resolution": ONLY_600},
    "finisher": FINISHER,
    "class": FINISHER,
    "raw": {
        "copies": copies, "sides": left_out("sides", TWO_SIDED),
        "colour": left_out("print-color-mode", "color"),
        "monochrome": left_out("print-color-mode", "monochrome"),
        "quality": left_out("print-quality", "high"),
        "size": left_out("media", "na_letter_8.5x11in"),
        "size-col": left_out("media", "na_letter_8.5x11in"),
        "type": NO_TYPE, "source": left_out("media-source", "tray-2"), "bin": NO_BIN,
        "finishings": NO_STAPLE, "number-up": lost(f"number-up: 1 in place of 2; {LACKS}"),
        "ranges": lost("page-ranges: 2-3 left out; the queue prints whole documents only"),
        "orientation": left_out("orientation-requested", "reverse-portrait"),
        "scaling": lost(f"print-scaling: auto in place of fill; {LACKS}\n"
                        f"media: na_letter_8.5x11in left out; {LACKS}"),
        "resolution": left_out("printer-resolution", "300dpi")},
    "pcl": {
        **PAPER, "sides": both_sides("l.S", 1), "colour": NO_COLOUR, "monochrome": black,
        "quality": NO_HIGH, "type": NO_TYPE, "source": more("l.H", 1), "bin": NO_BIN,
        "finishings": NO_STAPLE, "resolution": more("dpi", 300)},
    "foomatic": {
        **PAPER, "sides": lost(f"sides: {TWO_SIDED} left out; {LACKS}"), "colour": NO_COLOUR,
        "monochrome": black, "quality": NO_HIGH, "type": NO_TYPE, "source": NO_SOURCE,
        "bin": NO_BIN, "finishings": NO_STAPLE, "resolution": more("dpi", 300)},
    "postscript": {
        **PAPER, "sides": raw(b"*Duplex DuplexNoTumble"), "colour": in_colour,
        "monochrome": raw(b"*ColorModel Gray"), "quality": NO_HIGH,
        "type": raw(b"*MediaType Labels"), "source": raw(b"*InputSlot MF1"),
        "bin": raw(b"*OutputBin FDTop"), "finishings": raw(b"*KCStaple Upperleft"),
        "resolution": ONLY_600},
    "ipp": {
        "copies": copies, "sides": said("sides", TWO_SIDED),
        "colour": said("print-color-mode", "color"),
        "monochrome": said("print-color-mode", "monochrome"), "quality": said("print-quality", 5),
        "size": said("media", "na_letter_8.5x11in"),
        "size-col": said("media-size", {"x-dimension": 21590, "y-dimension": 27940}),
        "type": said("media-type", "labels"),
        "source": said("media-source", "tray-2"),
        "bin": said("output-bin", "stacker-1"), "finishings": said("finishings", 20),
        "number-up": said("number-up", 2), "ranges": said("page-ranges", (2, 3)),
        "orientation": said("orientation-requested", 6), "scaling": said("print-scaling", "fill"),
        "resolution": said("printer-resolution", ipp.Resolution(300))},
}

# Kinds of queues that differ in the printer only count as one.
SAME_KIND = {"finisher": "driverless", "raster": "driverless", "foomatic": "postscript"}
# What changes the pages or sheets themselves, also where said() is enough elsewhere.
ON_PAPER = {"copies": copies, "size": letter, "number-up": two_up, "ranges": ranges,
            "orientation": turned}

# What the driver of the PostScript printer calls what CUPS does not know, and the bed's tickets.
MAPPING = """\
[queue q]
finishings staple-top-left = KCStaple=Upperleft
output-bin stacker-1 = OutputBin=FDTop
media-source tray-2 = InputSlot=MF1
"""


def write_mapping(daemon, text):
    """mapping.d beside the settings; before the start or a reload."""
    folder = daemon.dir / "mapping.d"
    folder.mkdir(exist_ok=True)
    (folder / "test.conf").write_text(text)


@pytest.mark.parametrize("kind", TABLE)
def test_each_option_is_seen_on_paper_or_the_job_says_why_not(bed, kind):
    queue = Kind(bed, kind)
    daemon = bed.make_daemon()
    if kind == "postscript":
        write_mapping(daemon, MAPPING)
    daemon.start()
    route = connect(bed, daemon, queue.queue)
    client = bed.cloud.client()

    def show(attributes):
        number = client.print_job(DOCUMENT, **attributes)
        return queue.take(route.ended(number)[1])

    base, wrong = show({}), {}
    for row, attributes in ROWS.items():
        out = show(attributes)
        print(f"{kind:10} {row:12} {out!r:.300}")
        try:
            TABLE[kind][row](out, base)
        except AssertionError as problem:
            wrong[row] = str(problem)[:600]
    assert not wrong, "\n".join(f"{row}: {why}" for row, why in wrong.items())


def test_each_option_is_shown_on_three_kinds_of_queue():
    for row in ROWS:
        shown = {SAME_KIND.get(kind, kind) for kind, checks in TABLE.items()
                 if getattr(checks[row], "shows", True)}
        print(f"{row:12} {' '.join(sorted(shown))}")
        assert len(shown) >= 3, row
    for kind in "driverless", "raster", "pcl":
        assert all(TABLE[kind][row] is check for row, check in ON_PAPER.items()), kind


def raster_is_grey(data):
    """cupsColorSpace of the first page of a raster of CUPS."""
    assert data[:4] in (b"3SaR", b"2SaR"), data[:4]
    return struct.unpack_from("<I", data, 404)[0] == 18


def is_grey_of_hp(data):
    """hpcups is told in cupsRowStep that the colours of a raster are to be printed in black."""
    assert data[:4] in (b"3SaR", b"2SaR"), data[:4]
    return struct.unpack_from("<I", data, 420)[0] == 2


GREY = {  # model, whether what comes out is grey
    "ink": (DATA / "colour.ppd", raster_is_grey),
    "hpcups": ("drv:///hpcups.drv/hp-amp.ppd", is_grey_of_hp),
    "hpcups-old": ("drv:///hpcups.drv/hp-910.ppd", is_grey_of_hp),
    "hpcups-gray": ("drv:///hpcups.drv/hp-business_inkjet_2200.ppd", is_grey_of_hp),
    "foomatic": (FOOMATIC.replace("HP-LaserJet_4-ljet4", "Lexmark-CX920de-pxlcolor"),
                 lambda data: b"RENDERMODE=GRAYSCALE" in data),
    "ricoh": ("openprinting-ppds:0/ppd/openprinting/Gestetner/PXL/Gestetner-DSc1020_PXL.ppd",
              lambda data: b"DATAMODE=GRAYSCALE" in data),
}


def add_colour_queue(bed, model, name="q"):
    """A queue of it; a driver that makes raster hands it on as it comes from CUPS."""
    socket = bed.socket_printer()
    ppd = bed.dir / f"of-the-model-of-{name}.ppd"
    bed.cups.lpadmin("-p", name, "-E", "-v", socket.uri,
                     *(["-P", model] if isinstance(model, pathlib.Path) else ["-m", model]))
    ppd.write_text(re.sub('(vnd.cups-raster 0) [^"]+', r"\1 -",
                          (bed.cups.dir / f"etc/ppd/{name}.ppd").read_text(encoding="latin-1")),
                   encoding="latin-1")
    bed.cups.lpadmin("-p", name, "-P", ppd)
    bed.cups.lpadmin("-p", name, "-o", "cupsSNMPSupplies=False")
    return socket


@pytest.mark.parametrize("kind", GREY)
def test_grey_is_grey_where_the_driver_calls_it_by_a_name_of_its_own(bed, kind):
    """CUPS offers it and, but for one of these, hands it on to nobody."""
    model, is_grey = GREY[kind]
    socket = add_colour_queue(bed, model)
    route = connect(bed, bed.daemon(), "q")
    for count, (mode, grey) in enumerate([("color", False), ("monochrome", True)], 1):
        number = bed.cloud.client().print_job(DOCUMENT, print_color_mode=mode)
        assert route.ended(number)[1]["dropped"] == []
        with open(socket.wait(count)[-1]["file"], "rb") as printed:
            assert is_grey(printed.read()) == grey, mode


def add_colour_class(bed, **models):
    """The class "q" of such queues; where each of them prints."""
    sockets = {name: add_colour_queue(bed, model, name) for name, model in models.items()}
    for name in models:
        bed.cups.lpadmin("-p", name, "-c", "q")
    for command in "cupsenable", "cupsaccept":
        bed.cups.run(command, "q")
    return sockets


def test_a_class_prints_grey_on_whichever_member_is_free(bed):
    """CUPS chooses the member behind our back, and each has a word of its own."""
    kinds = {"one": "ink", "two": "ricoh"}
    sockets = add_colour_class(bed, **{name: GREY[kind][0] for name, kind in kinds.items()})
    route = connect(bed, bed.daemon(), "q")
    assert "monochrome" in route.attributes()["print-color-mode-supported"]
    for name, other in (("one", "two"), ("two", "one")):
        bed.cups.run("cupsdisable", other)
        number = bed.cloud.client().print_job(DOCUMENT, print_color_mode="monochrome")
        assert route.ended(number)[1]["dropped"] == []
        with open(sockets[name].wait(1)[0]["file"], "rb") as printed:
            assert GREY[kinds[name]][1](printed.read()), name
        bed.cups.run("cupsenable", other)


def unknown_colour(bed):
    """A driver that calls grey by a name which nobody knows."""
    ppd = bed.dir / "unknown.ppd"
    ppd.write_text((DATA / "colour.ppd").read_text().replace("Ink", "Tint"))
    return ppd


def test_a_class_does_not_offer_grey_when_a_member_has_none(bed):
    add_colour_class(bed, one=GREY["ink"][0], two=unknown_colour(bed))
    route = connect(bed, bed.daemon(), "q")
    assert route.attributes()["print-color-mode-supported"] == "color"


def test_grey_of_a_driver_that_nobody_knows_is_not_offered_until_it_is_mapped(bed):
    socket = add_colour_queue(bed, unknown_colour(bed))
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    assert route.attributes()["print-color-mode-supported"] == "color"
    job = bed.cloud.client().print_job(DOCUMENT, print_color_mode="monochrome")
    assert "print-color-mode" in route.ended(job)[1]["dropped"][0]
    write_mapping(daemon, "[queue q]\nprint-color-mode monochrome = Tint=MONO\n")
    daemon.reload()
    wait_until(lambda: "monochrome" in route.attributes()["print-color-mode-supported"], "it")
    job = bed.cloud.client().print_job(DOCUMENT, print_color_mode="monochrome")
    assert route.ended(job)[1]["dropped"] == []
    for count, grey in enumerate((False, True), 1):
        with open(socket.wait(2)[count - 1]["file"], "rb") as printed:
            assert raster_is_grey(printed.read()) == grey


def ticket_file(bed, *lines):
    """A file for --ticket."""
    path = bed.dir / "ticket"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_explain_says_of_any_queue_what_would_become_of_a_job(bed):
    socket = bed.socket_printer()
    bed.cups.add_pcl("q", socket.uri, *PCL_OPTIONS)
    daemon = bed.make_daemon()
    write_mapping(daemon, "[queue Q]\ndefault number-up = 2\nfinishings staple = KCStaple=Front\n")
    daemon.start()
    can = daemon.verb("explain", "q")
    choices = {choice["name"]: choice["values"] for choice in can["choices"]}
    assert (can["queue"], can["registered"], can["refused"]) == ("q", False, None)
    assert "tray-2" in choices["media-source"] and "staple" in choices["finishings"]
    assert choices["page-ranges"] == "any"
    assert "tobottom-toright" in choices["presentation-direction-number-up"]
    assert choices["copies"] == "1-9999" and choices["media-type"] is None
    assert choices["job-priority"] == "1-100" and can["attention"] is None
    assert can["attributes"] == ["number-up=2"]
    path = ticket_file(bed, "# paper", "sides = two-sided-short-edge", "finishings = staple, punch",
                       "media = iso_a4_210x297mm", "copies = 3")
    told = daemon.verb("explain", "q", "--ticket", str(path), codes=(4,))
    fates = {(o["name"], o["asked"]): (o["fate"], o["sent"], o["site"]) for o in told["options"]}
    assert fates == {
        ("sides", "two-sided-short-edge"): ("sent", "two-sided-short-edge", False),
        ("finishings", "staple"): ("sent", "KCStaple=Front", False),
        ("finishings", "punch"): ("dropped", None, False),
        ("media", "iso_a4_210x297mm"): ("sent", "iso_a4_210x297mm", False),
        ("copies", "3"): ("sent", "3", False), ("number-up", "2"): ("sent", "2", True)}
    assert set(told["attributes"]) == {
        "copies=3", "sides=two-sided-short-edge", "KCStaple=Front", "number-up=2",
        "media=iso_a4_210x297mm"}
    shown = daemon.cli("explain", "q", "--ticket", str(path), as_json=False).stdout
    print(shown, daemon.cli("explain", "q", as_json=False).stdout)
    assert all(len(line) <= 80 for line in shown.splitlines()) and "test.conf:3" in shown
    assert socket.ledger == []


def test_explain_knows_what_a_class_can_do_and_what_will_surprise(bed, eve):
    socket = bed.socket_printer()
    bed.cups.add_pcl("member", socket.uri, *PCL_OPTIONS)
    bed.cups.lpadmin("-p", "member", "-c", "all")
    bed.cups.run("cupsenable", "all")
    bed.cups.run("cupsaccept", "all")
    bed.cups.add_raw("raw", socket.uri)
    daemon = bed.make_daemon()
    write_mapping(daemon, "[queue *]\nfinishings staple = KCStaple=Front\n")
    daemon.start()
    before = daemon.verb("explain", "all")["choices"]
    connect(bed, daemon, "all")
    assert before == daemon.verb("explain", "all")["choices"]
    choices = {c["name"]: c["values"] for c in daemon.verb("explain", "all")["choices"]}
    assert TWO_SIDED in choices["sides"] and "tray-2" in choices["media-source"], choices
    raw_queue = daemon.verb("explain", "raw")
    assert "has no driver" in raw_queue["attention"]
    staples = next(c["values"] for c in raw_queue["choices"] if c["name"] == "finishings")
    assert "staple" not in (staples or ""), "a raw queue ignores options of drivers"
    shown = daemon.cli("explain", "raw", as_json=False).stdout
    print(shown)
    assert "Attention: queue raw has no driver" in shown and shown.count("not possible") == 1
    assert all(len(line) <= 80 for line in shown.splitlines())
    # an option of a driver is nothing that an IPP printer could be told
    choices = {c["name"]: c["values"] for c in daemon.verb("explain", eve.uri)["choices"]}
    assert "staple" not in (choices["finishings"] or ""), choices


def test_explain_says_what_is_wrong_with_a_ticket_or_a_queue(bed, eve):
    daemon = bed.daemon()
    path = ticket_file(bed, "sides = one-sided", "sidse = two-sided-long-edge")
    error = daemon.cli("explain", eve.uri, "--ticket", str(path)).error
    assert error["text"] == "line 2: unknown option sidse; did you mean sides?"
    assert daemon.cli("explain", "nosuch").error["kind"] == "gone"
    assert daemon.cli("explain", eve.uri, "--ticket", str(bed.dir / "none")).error["kind"] == "gone"
    strict = ticket_file(bed, "ipp-attribute-fidelity = yes", "finishings = staple")
    told = daemon.verb("explain", eve.uri, "--ticket", str(strict), codes=(4,))
    assert told["refused"] == f"the job insists on finishings staple ({LACKS})"
    assert told["attributes"] == []
    shown = daemon.cli("explain", eve.uri, "--ticket", str(strict), as_json=False).stdout
    assert "\nRefused: the job insists on finishings staple" in shown, shown


def test_mapping_files_hold_from_a_reload_on_and_a_wrong_one_changes_nothing(bed):
    queue = Kind(bed, "driverless")
    daemon = bed.daemon()
    route = connect(bed, daemon, queue.queue)

    def sheets():
        return len(queue.take(route.ended(route.submit(DOCUMENT))[1]).pages)

    assert sheets() == 3
    write_mapping(daemon, "[queue q]\ndefault number-up = 2\nfinishings staple = Staple=Front\n")
    daemon.reload()
    assert sheets() == 2
    route.wait_attributes(lambda told: "4" in str(told.get("finishings-supported")) or
                          "staple" in str(told.get("finishings-supported")), "staple announced")
    write_mapping(daemon, "[queue q]\ndefault numberup = 4\n")
    daemon.reload()
    daemon.wait_for_line(r"test.conf:2: unknown option numberup; did you mean number-up\?")
    assert sheets() == 2


def test_absurd_values_are_cleaned_or_left_out_and_the_next_job_prints(bed):
    queue = Kind(bed, "driverless")
    route = connect(bed, bed.daemon(), queue.queue)
    number = bed.cloud.client().print_job(
        DOCUMENT, copies=2147483647, number_up=-5, page_ranges=[(9, 3), (2, 2)],
        sides="$(reboot) -o raw", output_bin=200 * "x", print_color_mode="'; rm -rf / #",
        media_col={"media-size": {"x-dimension": -1, "y-dimension": 2147483647},
                   "media-source": "../../etc/passwd", "media-type": "\"quoted\""})
    out = queue.take(route.ended(number)[1])
    assert [page.ink for page in out.pages] == [{"tr"}, {"bl"}] and out.sheets == 2
    for name in "copies", "number-up", "sides", "output-bin", "print-color-mode", "media-type":
        assert f"{name}: " in out.lost, out
    assert "page-ranges: 2-9 in place of" in out.lost or "3-9" in out.lost, out
    assert not any("reboot" in str(value) or "passwd" in str(value) for value in out.said.values())
    assert len(queue.take(route.ended(route.submit(DOCUMENT))[1]).pages) == 3


def test_what_a_job_insists_on_is_printed_or_the_job_is_refused(bed):
    queue = Kind(bed, "driverless")
    route = connect(bed, bed.daemon(), queue.queue)
    client = bed.cloud.client()
    bad = client.print_job(DOCUMENT, finishings=4, job_mandatory_attributes="finishings")
    told, job = route.ended(bad, "aborted")
    assert "insists on finishings" in job["error"]["text"] and told["message"]
    good = client.print_job(DOCUMENT, sides=TWO_SIDED, job_mandatory_attributes="sides")
    assert queue.take(route.ended(good)[1]).said["sides"] == TWO_SIDED
