"""The commands of README.md and of the manuals' examples, run as they stand there: only the names
of clouds' printers, of files and the number of the job are those of the bed. What needs an
installed system (sudo, apt, systemctl, make) is checked for what it names instead."""

import os
import re
import shlex
import shutil

import pytest

from bed import BUILD, PDF, ROOT
from bed.daemon import reachable
from bed.process import run
from manual import Page

OFFICE = "ipps://cloud.example.com/ipp/print"
PAGES = ("print-connector.1", "print-connector-mapping.5", "print-connector-troubleshooting.7",
         "print-connectord.8")
FIELDS = {"MESSAGE_ID", "CONNECTOR_JOB", "CONNECTOR_QUEUE", "CONNECTOR_CLOUD"}


class Host:
    """A daemon with queues, a standard cloud and, when asked for, Universal Print."""

    def __init__(self, bed, text):
        self.bed = bed
        self.paper = bed.socket_printer()
        bed.start_cups(options={"DirtyCleanInterval": "600"})
        for name in ("laser", "laser2", "office"):
            bed.cups.add_pcl(name, self.paper.uri)
        bed.cups.restart()  # which writes down the queues, as nothing else does for long
        bed.start_cloud("laser")
        clouds = {"office": {"uri": bed.cloud.base()}}
        if "--cloud microsoft" in text:
            up = bed.start_up(up={"approve-after": 0})
            clouds["microsoft"] = up.cloud()
        self.daemon = bed.daemon(clouds=clouds)
        if "register laser" not in text:
            self.daemon.register("laser", bed.cloud.uri("laser"), cloud="office")
        self.files = {"/srv/printers.backup": "backup", "/root/passphrase": "passphrase",
                      "/tmp/print-connector.prom": "print-connector.prom"}
        passphrase = self.daemon.dir / "passphrase"
        passphrase.write_text("correct horse battery\n")
        passphrase.chmod(0o600)
        self.ran = set()

    def job(self, state):
        """The number of a job that has ended, prints without end, or is held."""
        def look():
            return next((job for job in self.daemon.jobs("--all") if job["state"] == state), None)
        self.daemon.wait_printer("laser")
        if look():
            return look()["id"]
        self.paper.mode = "ok" if state == "done" else "hang"
        if state == "held":
            job = self.daemon.job(self.job("printing"))
            self.bed.cups.wait_job(job["local_job"], ["processing"])
            self.bed.cups.kill()  # it forgets the job
            self.bed.cups.start()
        else:
            self.bed.cloud.submit(PDF, "laser")
        return self.daemon.wait(look, f"a job that is {state}", 60)["id"]

    def here(self, word, verb):
        """A word of a command as it is on this bed."""
        if word in ("17", "18"):
            state = "held" if word == "18" else "printing" if verb == "cancel" else "done"
            return str(self.job(state))
        if word in self.files:
            return str(self.daemon.dir / self.files[word])
        return word.replace(OFFICE, self.bed.cloud.base())

    def run(self, argv, folder):
        """A command; its name is checked when it belongs to an installed system."""
        name, *rest = argv
        rest = rest if name != "sudo" else rest[1:]
        name = name if name != "sudo" else argv[1]
        self.ran.add(name)
        if name == "print-connector":
            self.verb(rest, folder)
        elif name == "print-connectord":
            self.daemon.write_config()
            run([BUILD / name, "--config", self.daemon.config, *rest])
        elif name == "systemctl" and rest[0] in ("stop", "start"):
            self.on_another_host() if rest[0] == "stop" else self.daemon.start()
        else:
            CHECKS[name](rest)

    def on_another_host(self):
        """Where no printer was ever registered."""
        assert self.daemon.stop() == 0
        owner = self.daemon.state.stat()
        shutil.rmtree(self.daemon.state)
        self.daemon.state.mkdir(mode=0o700)
        os.chown(self.daemon.state, owner.st_uid, owner.st_gid)

    def verb(self, words, folder):
        """It ends well, or says that something needs attention."""
        words = [self.here(word, words[0]) for word in words]
        program = reachable(BUILD / "print-connector", self.daemon.dir)
        reachable(BUILD / "print-connectord", self.daemon.dir)
        done = run([program, "--config", self.daemon.config, "--socket", self.daemon.socket,
                    *words], 120, check=False, cwd=folder)
        assert done.returncode in (0, 4), f"{words}: exit {done.returncode}\n{done.stdout}" \
                                          f"{done.stderr}\n{self.daemon.process.tail(20)}"
        if words[0] in ("cancel", "resolve"):
            self.paper.mode = "ok"
            self.daemon.wait(lambda: not self.daemon.jobs(), "no open job", 60)


def check_make(words):
    """Each target is one, as `make help` shows; what it does is for the target's own test."""
    targets = run(["make", "-C", ROOT, "help"]).stdout
    for word in words:
        assert re.search(rf"^{word} ", targets, re.MULTILINE), word


def check_systemctl(words):
    """On our units only."""
    assert words[0] in ("restart", "reload", "status", "enable")
    for unit in words[1:]:
        if unit == "--now":
            continue
        unit = unit if "." in unit else f"{unit}.service"
        assert (ROOT / "systemd" / unit).exists(), unit


def check_journalctl(words):
    """Fields and ids that the connector writes."""
    journal = "".join((ROOT / path).read_text() for path in
                      ("connector/base/journal.h", "common/messages.h"))
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            assert name in FIELDS and name in journal
            assert value == "17" or value in journal, word


def check_apt(words):
    """A package that make deb makes."""
    version = re.search(r"^VERSION +:= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert words == ["install", f"./build/deb/print-connector_{version}_*.deb"]


def check_file(words):
    """A file that is installed, or one of the demo's."""
    for word in words:
        assert word in ("ticket",) or word == "/etc/print-connector/print-connector.conf", word


CHECKS = {"make": check_make, "systemctl": check_systemctl, "journalctl": check_journalctl,
          "apt": check_apt, "sudoedit": check_file, "cat": check_file}


def commands(text, prompt):
    """[(words, lines that follow)] of the lines that begin with the prompt, continued ones in one
    piece."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith(prompt):
            for part in re.split(r" +&& +", line[len(prompt):].split("  #")[0].split(" # ")[0]):
                found.append((shlex.split(part), []))
        elif found:
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page_do_what_they_say(bed, name):
    blocks = Page(name).blocks("EXAMPLES")
    host = Host(bed, " ".join(blocks))
    folder = bed.dir / "here"
    folder.mkdir()
    for words, lines in [command for block in blocks for command in commands(block, "$ ")]:
        if words[0] == "cat":
            (folder / words[1]).write_text("\n".join(lines) + "\n")
        host.run(words, folder)
    assert host.ran


def test_the_commands_of_the_readme_do_what_they_say(bed):
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(),
                        re.MULTILINE | re.DOTALL)
    host = Host(bed, " ".join(blocks))
    for words, _ in [command for block in blocks if not block.startswith("[")
                     for command in commands(block, "")]:
        host.run(words, bed.dir)
    assert {"make", "print-connector", "print-connectord"} <= host.ran


@pytest.mark.parametrize("name", ["print-connector.conf.5", "print-connectord.8"])
def test_the_command_lines_in_the_text_of_a_page_do_what_they_say(bed, name):
    lines = [line.replace("\\e", "\\").replace("\\ ", " ")
             for line in re.findall(r"^\.Dl (.*)$", Page(name).text, re.MULTILINE)]
    found = commands("".join(f"{'' if line[0] == ' ' else '$ '}{line}\n" for line in lines), "$ ")
    host = Host(bed, "\n".join(lines))
    for words, _ in found:
        host.run(words, bed.dir)
    assert len(found) == 2


PROSE = {"runs", "command", "again", "ended"}  # what else follows the name


def spoken():
    """(place, words) of each print-connector command that a page or the program speaks of."""
    for path in sorted((ROOT / "man").iterdir()):
        for line in re.findall(r"^\.(?:Ql|Dl|Li) print-connector (\S.*)$", path.read_text(),
                               re.MULTILINE):
            yield path.name, line.split(" \\e")[0].replace("\\&", "")
    for path in [*(ROOT / "connector").rglob("*.c"), *(ROOT / "common").glob("*.[ch]"),
                 ROOT / "packaging/debian/postrm"]:
        text = re.sub(r'"\s*\\?\s*"', "", path.read_text())  # strings in parts
        for line in re.findall(r"print-connector ((?:[a-z]+|--json)\b[^;\"\n\\()]*)", text):
            yield path.name, line


def test_commands_that_are_spoken_of_exist():
    text = run([BUILD / "print-connector", "--help"]).stdout
    listed = set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))
    options = {verb: set(re.findall(r"^  (--[a-z-]+)", run([BUILD / "print-connector", verb,
                                                           "--help"]).stdout, re.MULTILINE))
               for verb in listed}
    seen = set()
    for place, line in spoken():
        words = re.sub(r"[,:.]( |$)", " ", line).split()
        verb = next((word for word in words if word[0] != "-"), None)
        if verb in PROSE:
            continue
        assert verb in listed, f"{place}: {line}"
        seen.add(verb)
        wrong = {word for word in words if re.fullmatch(r"--[a-z-]+", word)} - options[verb]
        assert not wrong, f"{place}: {line}: {wrong}"
    assert len(seen) > 12, seen


@pytest.mark.parametrize("source", ["README.md", "print-connector.conf.5", "print-connectord.8"])
def test_example_settings_are_right(bed_dir, source):
    if source == "README.md":
        blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / source).read_text(),
                            re.MULTILINE | re.DOTALL)
    else:
        page = Page(source)
        blocks = page.blocks("EXAMPLES" if source.endswith("5") else "QUICK START")
    blocks = [block for block in blocks if block.startswith("[")]
    assert blocks
    for number, block in enumerate(blocks):
        path = bed_dir / f"{number}.conf"
        path.write_text(block)
        run([BUILD / "print-connectord", "--config", path, "--check-config"],
            env={**os.environ, "CREDENTIALS_DIRECTORY": str(bed_dir)})


def test_example_mapping_files_are_right(bed_dir):
    blocks = [block for block in Page("print-connector-mapping.5").blocks("EXAMPLES")
              if block.startswith("[")]
    assert blocks
    (bed_dir / "mapping.d").mkdir()
    config = bed_dir / "print-connector.conf"
    config.touch()
    for number, block in enumerate(blocks):
        (bed_dir / f"mapping.d/{number}.conf").write_text(block)
    run([BUILD / "print-connectord", "--config", config, "--check-config"])
