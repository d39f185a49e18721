"""make recording: every verb of print-connector as a person sees it, in 80 columns, on a bed like
that of make demo: prompts and what they print. Fails when a verb was not shown, or when one ended
otherwise than said here."""

import os
import pathlib
import pty
import re
import shutil
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "lib")]

from bed import BUILD, PDF, process
from bed.bed import Bed
from bed.daemon import reachable
from bed.ippeve import Bus

WIDTH = 80
CLEAR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WORDY = {"metrics": 14, "--help": 60}  # lines that are enough


class Recorder:
    """Types commands and writes down what a terminal showed."""

    def __init__(self, folder):
        self.path = folder
        self.daemon = None
        self.shown = set()
        self.failed = []

    def say(self, text=""):
        """What happens beside the commands."""
        print(text, flush=True)

    def title(self, text):
        """A part of the story."""
        self.say(f"\n# {text}")

    def type(self, *words, code=0, answer=None, until=None):
        """One command. answer is typed when it asks; until: Ctrl-C when that was drawn."""
        verb = next((word for word in words if word[0] != "-"), words[0])
        self.shown.add(verb)
        self.say(f"\n$ print-connector {' '.join(words)}")
        got, text = self._run(words, answer, until)
        lines = [line.rstrip("\r").rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        most = WORDY.get(verb, 200)
        self.say("\n".join(lines[:most] + (["…"] if len(lines) > most else [])))
        wide = [line for line in lines if len(line) > WIDTH]
        if verb != "metrics" and wide:
            self.failed.append(f"{verb}: wider than {WIDTH}: {wide[0]}")
        if got != code:
            self.failed.append(f"{' '.join(words)}: exit {got}, not {code}")
        if got:
            self.say(f"(exit {got})")

    def _run(self, words, answer, until):
        program = str(reachable(BUILD / "print-connector", self.daemon.dir))
        pid, terminal = pty.fork()
        if not pid:
            os.chdir("/")
            os.execve(program, [program, "--config", str(self.daemon.config), *words],
                      {"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1", "PATH": "/usr/bin",
                       "COLUMNS": str(WIDTH), "LINES": "24"})
        text = ""
        while True:
            try:
                more = os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
            text += more
            if answer and "[y/N]" in text:
                os.write(terminal, answer)
                answer = None
            if until and until in text:
                os.kill(pid, signal.SIGINT)
                until = None
        os.close(terminal)
        if "\x1b[?1049h" in text:  # a page of its own: as it was last drawn
            text = text.split("\x1b[H")[-1].split("\x1b[J")[0]
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), \
            CLEAR.sub("", text.replace("\r\n", "\n"))


def known_verbs(daemon):
    """As --help lists them."""
    text = daemon.cli("--help", as_json=False).stdout.split("Options:")[0]
    return set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))


def set_up(bed):
    """Two clouds, three queues, the daemon."""
    cloud = bed.start_cloud("laser", "office")
    bed.start_cups(options={"DirtyCleanInterval": "600"})
    eve = bed.ipp_printer("office", tls=True)
    bed.cups.add_pcl("laser", bed.socket_printer("laser").uri, "-D", "Second floor")
    bed.cups.add_fault("label", "wait=60")
    bed.cups.restart()
    microsoft = bed.start_up(up={"approve-after": 2})
    daemon = bed.make_daemon(clouds={"office": {"uri": cloud.base()},
                                     "microsoft": microsoft.cloud()})
    daemon.sections["log"] = {"level": "info", "names": "shown"}
    return cloud, microsoft, eve, daemon


def begin(r, cloud, eve):
    """From a fresh installation to printers."""
    r.title("A daemon that has no printers yet")
    r.type("--help")
    r.type("status")
    r.type("printers", "--available")
    r.type("explain", "laser")
    r.type("register", "laser", "--cloud", "office", "--dry-run",
           "--cloud-uri", cloud.uri("laser"))
    r.type("register", "laser", "--cloud", "office", "--cloud-uri", cloud.uri("laser"))
    r.type("register", eve.uri, "--cloud", "office", "--cloud-uri", cloud.uri("office"))
    r.title("Universal Print: one sign-in for all queues of CUPS")
    r.type("register", "--all", "--cloud", "microsoft", code=4)
    for queue in ("laser", eve.uri):
        r.daemon.wait_printer(queue)
    r.daemon.wait(lambda: all(p["state"] == "online" for p in r.daemon.printers()), "all online")
    r.type("printers")


def work(r, cloud, eve):
    """Jobs come and go."""
    r.title("A job that goes well")
    cloud.print_job(PDF, "laser", name="quarterly report")
    r.daemon.wait_jobs(1, outcome="completed")
    r.type("jobs", "--all")
    r.type("job", "1")
    r.title("A job that is printing, and is canceled")
    eve.mode = "hold"
    with eve.gate():
        cloud.print_job(PDF, "office", name="too long")
        r.daemon.wait_jobs(1, state="printing")
        r.type("jobs")
        r.type("status")
        r.type("watch", until="printing")
        r.type("cancel", "2")
    eve.mode = "ok"
    r.daemon.wait_jobs(1, outcome="canceled")
    r.type("job", "2")


def decide(r, bed, microsoft):
    """CUPS fails while a job prints: nobody knows whether it came out."""
    r.title("CUPS was killed while a job printed, and forgot it")
    printer = next(p for p in r.daemon.printers() if p["queue"] == "label")
    with bed.cups.fault_gate():
        microsoft.graph_submit(printer["cloud_printer"].removeprefix("urn:uuid:"), PDF,
                               name="labels")
        job = r.daemon.wait_jobs(1, state="printing")[-1]
        bed.cups.wait_job(job["local_job"], ["processing"])
        bed.cups.kill()
        bed.cups.start()
        r.daemon.wait_jobs(1, state="held", timeout=90)
    r.type("status")
    r.type("jobs")
    r.type("retry", "1", code=1)
    r.type("resolve", str(job["id"]), "--printed")
    r.daemon.wait_jobs(2, outcome="completed")
    r.type("job", str(job["id"]))


def mend(r, bed, eve):
    """What is wrong, and what helps."""
    r.title("Everything is well")
    r.daemon.wait(lambda: not r.daemon.verb("status", codes=(0, 4))["health"], "health entry")
    r.type("doctor")
    r.title("A queue is stopped, a printer was reset to another key")
    eve.lose_key()
    bed.cups.run("cupsdisable", "laser")
    r.daemon.wait(lambda: {"queue-stopped", "queue-untrusted"} <= {
        entry["code"] for entry in r.daemon.verb("status", codes=(0, 4))["health"]}, "both")
    r.type("status", code=4)
    r.type("printers")
    r.type("doctor", "laser", code=4)
    r.type("doctor", code=4)
    bed.cups.run("cupsenable", "laser")
    r.type("reset", eve.uri, "--trust-new-key")


def keep(r, bed, eve):
    """Maintenance."""
    r.title("Maintenance")
    r.type("pause", "label")
    r.type("resume", "label")
    r.type("drain")
    r.type("resume")
    other = bed.ipp_printer("copier")
    r.daemon.wait(lambda: r.daemon.printer(eve.uri)["state"] == "online", "online")
    r.type("rebind", eve.uri, other.uri)
    r.type("metrics")
    r.type("unregister", "laser", "--cloud", "microsoft", answer=b"y\n")
    r.type("unregister", "plotter", "--yes", code=1)
    secret = r.path / "passphrase"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)
    r.type("backup", str(r.path / "saved"), "--passphrase-file", str(secret))
    r.daemon.stop()
    r.title("The daemon does not run; its state is lost, and comes back")
    r.type("status", code=3)
    r.type("doctor", code=4)
    for path in r.daemon.state.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    r.type("restore", str(r.path / "saved"), "--passphrase-file", str(secret))
    r.title("Mistakes")
    r.type("statsu", code=2)
    r.type("jobs", "--pritner", "laser", code=2)
    r.type("resolve", "2", code=2)
    r.shown -= {"statsu"}


def run(folder):
    """Exit status."""
    bus = Bus(folder / "bus")
    try:
        with Bed(folder, bus) as bed:
            r = Recorder(folder)
            cloud, microsoft, eve, r.daemon = set_up(bed)
            r.daemon.start()
            begin(r, cloud, eve)
            work(r, cloud, eve)
            decide(r, bed, microsoft)
            mend(r, bed, eve)
            keep(r, bed, eve)
            missing = known_verbs(r.daemon) - r.shown
            for text in [*r.failed, *(f"{verb} was not shown" for verb in sorted(missing))]:
                print(f"recording: {text}", file=sys.stderr)
            return 1 if r.failed or missing else 0
    finally:
        bus.close()
        process.reap_orphans()


def main():
    """Exit status."""
    process.become_subreaper()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        return run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
