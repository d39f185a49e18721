"""Every model of the installed printer drivers becomes a queue of a real cupsd; what each cloud
type would be told of it is held against the rules by build/check-model. A table at the end; exit
status 1 when a model was refused or failed.

    models.py [--models N]      N models, spread over all packages; without N all there are
"""

import argparse
import base64
import collections
import importlib.machinery
import importlib.util
import lzma
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "lib")]
sys.dont_write_bytecode = True

from bed import BUILD, ipp
from bed.cupsd import Cupsd

DRIVERS = pathlib.Path("/usr/lib/cups/driver")
ROOT = {"Authorization": "PeerCred root"}
ATTRIBUTES = {"requested-attributes": ["all", "media-col-database"]}
SHOWN = 40    # failures told one by one
PIECE = 1 << 20
SUMMED = ("models", "ppds", "cups", "other", "sent", "none", "refused", "failed")
FORMATS = {"application/pdf", "image/pwg-raster", "image/urf", "image/jpeg", "image/png"}


class Model:
    """One entry of CUPS-Get-PPDs; entries of one PPD are one model's several names."""

    def __init__(self, name):
        self.name = name
        self.entries = 1
        self.ppd = None  # its text, when it came out of an archive that is slow to open

    @property
    def driver(self):
        """What makes its PPD: a program, a drv file or a folder of PPDs."""
        if self.name.startswith("drv:///"):
            return pathlib.Path("/usr/share/cups/drv") / self.name[7:].rpartition("/")[0]
        if self.name.startswith("lsb/"):
            return pathlib.Path("/usr/share/ppd", *self.name.split("/")[2:-1])
        if ":" in self.name:
            return DRIVERS / self.name.partition(":")[0]
        return pathlib.Path("/usr/share/cups/model") / self.name


def package_of(path):
    """The Debian package that a driver belongs to."""
    done = subprocess.run(["dpkg-query", "-S", str(path)], capture_output=True, text=True,
                          check=False)
    return done.stdout.partition(":")[0].partition(",")[0] or path.name


def list_models(cupsd):
    """{package: [Model]}, each PPD once."""
    known, packages, owners = {}, collections.defaultdict(list), {}
    answer = cupsd.client.request("CUPS-Get-PPDs", {"requested-attributes": "ppd-name"})
    for group in answer.groups("printer"):
        name = re.sub(r":\d+/", ":0/", group["ppd-name"], count=1)
        if name in known:
            known[name].entries += 1
        elif name not in ("everywhere", "raw") and not name.startswith("driverless"):
            model = known[name] = Model(name)
            if model.driver not in owners:
                owners[model.driver] = package_of(model.driver)
            packages[owners[model.driver]].append(model)
    return packages


def choose(packages, count):
    """So many models: small packages whole, the others evenly."""
    left = count
    for rest, package in enumerate(sorted(packages, key=lambda name: len(packages[name]))):
        models = packages[package]
        take = min(len(models), left // (len(packages) - rest))
        packages[package] = [models[i * len(models) // take] for i in range(take)]
        left -= take
    return packages


def open_archive(models):
    """The PPDs of a pyppd archive in the order in which they lie there. It is one compressed
    stream, and the driver begins at its begin for each PPD."""
    loader = importlib.machinery.SourceFileLoader("archive", str(models[0].driver))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("archive", loader))
    loader.exec_module(module)
    index = module.load()
    packed, decompressor = base64.b64decode(index["ARCHIVE"]), lzma.LZMADecompressor()
    at, text = 0, b""
    yield from (model for model in models if model.name.partition(":")[2] not in index)
    known = [model for model in models if model.name.partition(":")[2] in index]
    for model in sorted(known, key=lambda m: index[m.name.partition(":")[2]][0]):
        start, length = index[model.name.partition(":")[2]][:2]
        while at + len(text) < start + length:
            drop = max(0, min(len(text), start - at))
            at, text = at + drop, text[drop:]
            text += decompressor.decompress(packed, PIECE)
            packed = b""
        model.ppd = text[start - at:start - at + length]
        yield model


def is_archive(driver):
    """Whether a driver program is pyppd with an archive inside."""
    if driver.parent != DRIVERS:
        return False
    with open(driver, "rb") as file:
        return b"# compressor.py" in file.read(4096)


def is_other(told):
    """Whether a queue says that it takes neither PDF nor an image."""
    printer = ipp.decode(told).groups("printer")[0]
    return not FORMATS & set(printer.get("document-format-supported", []))


class Checker:
    """build/check-model, begun again when it crashed."""

    def __init__(self):
        self._process = None

    def check(self, path, ppd):
        """(what is wrong, "" is nothing; how grey is made, of a driver for colour)."""
        if self._process is None:
            self._process = subprocess.Popen([BUILD / "check-model"], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, text=True)
        self._process.stdin.write(f"{path} {ppd}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if line:
            ok, _, grey = line.strip().partition("ok ")
            return "" if line.startswith("ok") else line.strip(), grey if not ok else ""
        code = self._process.wait()
        self._process = None
        return f"check-model ended with {code}", ""

    def close(self):
        """Ends it."""
        if self._process:
            self._process.stdin.close()
            self._process.wait()


class Sums:
    """A row of the table."""

    def __init__(self):
        self.models = self.ppds = self.cups = self.other = self.refused = self.failed = 0
        self.sent = self.none = 0  # how grey is made
        self.seconds = 0.0


class Sweep:
    """The models, and the workers that try them: a cupsd each."""

    def __init__(self, folder, jobs):
        self.folder = folder
        self.work = queue.Queue(maxsize=4 * jobs)
        self.rows = collections.defaultdict(Sums)
        self.problems = []
        self.lock = threading.Lock()
        self.jobs = jobs

    def _client(self, number):
        folder = self.folder / f"cupsd-{number}"
        folder.mkdir(mode=0o755)
        return Cupsd(folder, {"LogLevel": "error"}, file_device=True)

    def run(self, count):
        """All of it."""
        with self._client(0) as cupsd:
            packages = list_models(cupsd)
        if count:
            packages = choose(packages, count)
        threads = [threading.Thread(target=self._worker, args=(number,))
                   for number in range(1, self.jobs + 1)]
        for thread in threads:
            thread.start()
        try:
            for package in sorted(packages, key=lambda name: -len(packages[name])):
                self._feed(package, packages[package])
        finally:
            for _ in threads:
                self.work.put(None)
        for thread in threads:
            thread.join()

    def _feed(self, package, models):
        drivers = collections.defaultdict(list)
        for model in models:
            drivers[model.driver].append(model)
        for driver, of_driver in drivers.items():
            for model in open_archive(of_driver) if is_archive(driver) else of_driver:
                self.work.put((package, model))

    def _worker(self, number):
        checker = Checker()
        answer = self.folder / f"answer-{number}"
        with self._client(number) as cupsd:
            while (item := self.work.get()) is not None:
                package, model = item
                began = time.monotonic()
                try:
                    column, why, grey = self._try(cupsd, checker, model, answer)
                except Exception as error:  # pylint: disable=broad-except
                    column, why, grey = "failed", repr(error), ""
                self._note(package, model, (column, why, grey), time.monotonic() - began)
        checker.close()

    def _note(self, package, model, found, seconds):
        column, why, grey = found
        with self.lock:
            row = self.rows[package]
            row.models += model.entries
            row.ppds += 1
            row.seconds += seconds
            if grey:
                setattr(row, grey, getattr(row, grey) + 1)
            if column:
                setattr(row, column, getattr(row, column) + 1)
                self.problems.append((column, model.name, why))

    @staticmethod
    def _try(cupsd, checker, model, answer):
        """A column of the table that counts it, and why; None: all is well; how grey is made."""
        root, user = cupsd.client, cupsd.client
        root._headers = ROOT  # pylint: disable=protected-access
        uri = cupsd.uri("model")
        made = root.request(
            "CUPS-Add-Modify-Printer", uri=uri, document=model.ppd or b"",
            groups=[("printer", {"device-uri": "file:///dev/null", "printer-state": 3,
                                 "printer-is-accepting-jobs": True,
                                 **({} if model.ppd else {"ppd-name": model.name})})])
        if not made.ok:
            return "cups", f"{made.groups('operation')[0].get('status-message', made.status)}", ""
        try:
            valid = user.request("Validate-Job", {"document-format": "application/pdf"}, uri=uri)
            if not valid.ok:
                return "refused", repr(valid), ""
            told = user.bytes("Get-Printer-Attributes", ATTRIBUTES, uri)
            answer.write_bytes(told)
            why, grey = checker.check(answer, cupsd.dir / "etc/ppd/model.ppd")
            if why and b"printer-make-and-model" not in told:
                return "cups", "CUPS cannot read the driver's PPD", ""
            if why and is_other(told) and all(":document-format" in each for each in why.split()):
                return "other", "takes none of the formats that may come from a cloud", ""
            return ("failed" if why else None), why, grey
        finally:
            root.request("CUPS-Delete-Printer", uri=uri)

    @staticmethod
    def _line(line, package, row, seconds):
        return line.format(package, *(getattr(row, name) for name in SUMMED), f"{seconds:.1f}")

    def table(self, seconds):
        """Prints it. Whether all was well."""
        line = "{:<30} {:>6} {:>6} {:>8} {:>7} {:>8} {:>7} {:>7} {:>8} {:>7}"
        print(line.format("package", "models", "PPDs", "no queue", "no PDF", "own grey", "no grey",
                          "refused", "failures", "seconds"))
        total = Sums()
        for package in sorted(self.rows):
            row = self.rows[package]
            print(self._line(line, package, row, row.seconds))
            for name in SUMMED:
                setattr(total, name, getattr(total, name) + getattr(row, name))
        print(self._line(line, "all", total, seconds))
        print("no queue: CUPS itself does not take the driver's PPD\n"
              "no PDF:   CUPS has no way from PDF or an image to this printer\n"
              "own grey: in colour, unless the connector sends the driver its own word for grey\n"
              "no grey:  in colour, whatever is sent: grey is not offered")
        for column, name, why in self.problems[:SHOWN]:
            print(f"{column}: {name}: {why}")
        if len(self.problems) > SHOWN:
            print(f"and {len(self.problems) - SHOWN} more")
        return total.ppds > 0 and total.refused == total.failed == 0


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--models", type=int, default=0, help="how many; 0: all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    folder.chmod(0o755)
    began = time.monotonic()
    sweep = Sweep(folder, args.jobs)
    try:
        sweep.run(args.models)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if sweep.table(time.monotonic() - began) else 1


if __name__ == "__main__":
    sys.exit(main())
