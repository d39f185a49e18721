"""make demo: three documents from each of two clouds to three printers, everything on this machine.

Starts a cloud (the emulator), a private cupsd, IPP printers, a socket printer and the daemon,
each on loopback in a temporary folder; registers three queues; sends a PDF to each through the
cloud with ipptool; shows what became of each. Then all queues of CUPS become printers of Universal
Print (its part is played by the emulator too) with one command and one sign-in by code, and a user
submits jobs through Graph. Stops everything, also on Ctrl-C. Exit 1 with the
reason when a job did not end completed. What was printed is kept in build/demo."""

import os
import pathlib
import pty
import shutil
import signal
import sys
import tempfile
import textwrap
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "lib")]

from bed import BUILD, PDF, process
from bed.bed import Bed
from bed.daemon import reachable
from bed.ippeve import Bus

OUT = pathlib.Path(os.environ.get("OUT", BUILD / "demo"))
WIDTH = 79
PATIENCE = 90  # seconds for all jobs together


class Failed(Exception):
    """The reason for exit 1."""


def say(text=""):
    """A line for the newcomer."""
    print(text.rstrip(), flush=True)


def title(text):
    """What comes next."""
    style = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    say(f"\n{style[0]}{text}{style[1]}")


def row(name, what, where=""):
    """One part of the set-up."""
    say(f"  {name:<12}{what:<30}{where}"[:WIDTH])


def command(*words):
    """A command as one would type it."""
    text = "$ print-connector " + " ".join(str(w) for w in words)
    for number, line in enumerate(textwrap.wrap(text, WIDTH - 4, break_long_words=False,
                                                break_on_hyphens=False)):
        say(("  " if number == 0 else "      ") + line)


class Way:
    """One of the three: a queue, its printer in the cloud, and where its paper lies."""

    def __init__(self, queue, printer, title_, output, name=None):
        self.queue = queue
        self.printer = printer
        self.name = name or printer
        self.title = title_
        self.output = output  # () -> path of what came out
        self.cloud_job = None
        self.job = None


def set_up(bed):
    """Everything but the daemon; the three ways."""
    title(f"Starting, each on 127.0.0.1, in {bed.dir}")
    cloud = bed.start_cloud("driverless", "pcl", "ipp")
    row("cloud", "tests/emulator", cloud.base())
    row("CUPS", "a private cupsd", f"socket cups/{bed.cups.socket.relative_to(bed.cups.dir)}")
    # two of them: one that is busy lets CUPS wait for 10 seconds before it tries again
    office, workshop = bed.ipp_printer("office"), bed.ipp_printer("workshop")
    laserjet = bed.socket_printer("laserjet")
    row("printer", "office, speaks IPP", office.uri)
    row("printer", "workshop, speaks IPP", workshop.uri)
    row("printer", "laserjet, a port for PCL", laserjet.uri)
    bed.cups.add_driverless("driverless", office.uri)
    bed.cups.add_pcl("pcl", laserjet.uri)
    return [Way("driverless", "driverless", "CUPS queue without a driver",
                lambda count: pathlib.Path(office.wait(count)[-1]["file"])),
            Way("pcl", "pcl", "CUPS queue with a PCL driver",
                lambda count: pathlib.Path(laserjet.wait(count)[-1]["file"])),
            Way(workshop.uri, "ipp", "IPP printer, without CUPS",
                lambda count: pathlib.Path(workshop.wait(count)[-1]["file"]))]


def register(bed, daemon, ways):
    """Every queue becomes a printer of the cloud."""
    title("Registering the queues with the cloud")
    for way in ways:
        words = ["register", way.queue, "--cloud", "demo", "--cloud-uri",
                 bed.cloud.uri(way.printer)]
        command(*words)
        result = daemon.cli(*words)
        if result.code != 0:
            raise Failed(f"{way.queue} was not registered: {reason(result)}")
    for way in ways:
        daemon.wait_printer(way.queue)
        row(way.printer, "online", way.title)


def reason(result):
    """Why a verb failed, in a line."""
    error = result.error or {}
    return error.get("text") or result.stderr.strip() or result.stdout.strip() or \
        f"exit {result.code}"


def submit(bed, ways):
    """As a user's computer does: Print-Job to the cloud."""
    title(f"Sending {PDF.name} to each, with ipptool, as the user alice")
    for way in ways:
        way.cloud_job = bed.cloud.print_job(PDF, way.printer, name=f"demo {way.printer}")
        row(way.printer, f"cloud job {way.cloud_job}", way.title)


def follow(cloud, daemon, ways, started, name):
    """Waits until the connector is done with all of them and the cloud knows it."""
    def look():
        jobs = daemon.jobs("--all")
        for way in ways:
            way.job = next((job for job in jobs if job["queue"] == way.queue
                            and job["cloud"] == name), None)
        return all(way.job and way.job["state"] == "done" for way in ways)
    daemon.wait(look, "end of all jobs", PATIENCE)
    say(f"  all done after {time.monotonic() - started:.1f} s")
    for way in ways:
        told = cloud.job(way.cloud_job, way.printer)
        if (way.job["outcome"], told["state_name"]) != ("completed", "completed"):
            error = (way.job["error"] or {}).get("text") or told["message"] or "no reason given"
            raise Failed(f"the job for the {way.title} ended {way.job['outcome']}, the cloud says"
                         f" {told['state_name']}: {error}")


def show(daemon, ways, count):
    """The time-line of each job, by the command that people use."""
    for way in ways:
        title(f"What became of the job for the {way.title}")
        command("job", way.job["id"])
        for line in daemon.cli("job", str(way.job["id"]), as_json=False).stdout.splitlines():
            for part in textwrap.wrap(line, WIDTH - 2, subsequent_indent=" " * 20) or [""]:
                say("  " + part)
        say(f"  printed: {keep(way, count)}")


def keep(way, count):
    """Copies what was printed to where it stays; the place."""
    source = way.output(count)
    kind = "pcl" if way.name.startswith("pcl") else "pdf"
    target = OUT / f"{way.name}{'-up' if count > 1 else ''}.{kind}"
    shutil.copy(source, target)
    if "SUDO_UID" in os.environ:
        os.chown(target, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
    if target.is_relative_to(os.getcwd()):
        target = target.relative_to(os.getcwd())
    return f"{target} ({target.stat().st_size} bytes)"


def on_terminal(daemon, *words):
    """Runs a verb on a terminal of 80 columns, and passes on its lines as they come; exit status.
    Lines that are written over and over are left out."""
    argv = [str(reachable(BUILD / "print-connector", daemon.dir)), "--socket", str(daemon.socket),
            *words]
    pid, terminal = pty.fork()
    if not pid:
        os.execve(argv[0], argv, {"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1",
                                  "COLUMNS": str(WIDTH - 2)})
    text = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        *lines, text = (text + more).split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r").rsplit(b"\r", 1)[-1].removeprefix(b"\033[K")
            say("  " + line.decode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def sign_in(bed, cloud, daemon, ways):
    """One sign-in, then every queue of CUPS is a printer of Universal Print; the ways there."""
    title("Universal Print: registering all queues of CUPS, with one sign-in")
    row("cloud", "login, registration, print,", cloud.up["print"])
    row("", "notification and Graph hosts", "each with TLS")
    office, laserjet, workshop = ways
    bed.cups.add_driverless("workshop", workshop.queue)
    ways = [office, laserjet, Way("workshop", None, "CUPS queue of the IPP printer",
                                  workshop.output, "workshop")]
    say("  Nobody signs in here: the cloud approves the code by itself.")
    command("register", "--all", "--cloud", "up")
    say()
    if on_terminal(daemon, "register", "--all", "--cloud", "up") != 0:
        raise Failed("the queues were not registered with Universal Print")
    found = []
    for way in ways:
        printer = daemon.wait(lambda way=way: next(
            (p for p in daemon.printers() if p["queue"] == way.queue and p["cloud"] == "up"
             and p["state"] == "online"), None), f"{way.queue} online")
        device = printer["cloud_printer"].removeprefix("urn:uuid:")
        found.append(Way(way.queue, device, way.title, way.output, way.name))
        row(way.name, f"online as {device}")
    return found


def submit_up(cloud, ways):
    """As an application of a user does: job, upload and start."""
    title(f"Sending {PDF.name} to each through Graph")
    for way in ways:
        way.cloud_job = cloud.graph_submit(way.printer, PDF, name=f"demo {way.name}")
        row(way.name, f"cloud job {way.cloud_job}", way.title)


def prepare_out():
    """An empty folder for what is printed."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    if "SUDO_UID" in os.environ:
        os.chown(OUT, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def run(folder):
    """The whole demo."""
    bus = Bus(folder / "bus")
    try:
        with Bed(folder, bus) as bed:
            ways = set_up(bed)
            second = bed.start_up(up={"approve-after": 0})
            daemon = bed.daemon(clouds={"demo": {"uri": bed.cloud.base()}, "up": second.cloud()})
            row("daemon", "print-connectord", "as the user nobody")
            try:
                register(bed, daemon, ways)
                started = time.monotonic()
                submit(bed, ways)
                follow(bed.cloud, daemon, ways, started, "demo")
                show(daemon, ways, 1)
                ways = sign_in(bed, second, daemon, ways)
                started = time.monotonic()
                submit_up(second, ways)
                follow(second, daemon, ways, started, "up")
                show(daemon, ways, 2)
            except (Failed, AssertionError) as error:
                raise Failed(f"{error}\n\n{daemon.process.tail(20)}") from None
            title("All six completed. Stopping everything.")
    finally:
        bus.close()
        process.reap_orphans()


def main():
    """Exit status: 0 all completed, 1 not, 130 interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when started in the background
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    process.become_subreaper()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-demo-", dir="/tmp"))
    folder.chmod(0o755)
    prepare_out()
    try:
        run(folder)
    except KeyboardInterrupt:
        say("\ninterrupted; everything was stopped")
        return 130
    except BrokenPipeError:  # nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Failed, AssertionError, OSError) as error:
        say(f"\ndemo failed: {error}")
        return 1
    finally:
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
