"""Completion on the command line: what the program offers, and what each shell makes of it."""

import re
import shutil

import pytest

from bed import BUILD, PDF, ROOT
from bed.daemon import reachable
from bed.process import run
from bed.route import connect

FILES = ROOT / "packaging/completions"
KINDS = ["program", "bash", "zsh", "fish"]

BASH = r"""
source /usr/share/bash-completion/bash_completion
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_TYPE=9 COMP_KEY=9
COMP_POINT=${#COMP_LINE}
_print_connector
printf '%s\n' "${COMPREPLY[@]}"
"""

ZSH = r"""
_describe() { local entry; for entry in "${(@P)3}"; do print -r -- "${${entry%%:*}//\\/}"; done }
_files() { print -r -- FILES }
file=$1
shift
words=("$@") CURRENT=$#
source "$file"
"""


class Shell:
    """offered(words): what a shell offers for the last of them."""

    def __init__(self, kind, folder, daemon=None):
        self.kind = kind
        program = reachable(BUILD / "print-connector", folder)
        self.path = str(program)
        self.socket = ["--socket", daemon.socket] if daemon else []

    def offered(self, *words):
        """Without descriptions."""
        words = [str(word) for word in [*self.socket, *words]]
        if self.kind == "program":
            argv = [self.path, "--complete", *words]
        elif self.kind == "bash":
            argv = ["bash", "-c", BASH, "bash", FILES / "print-connector.bash", self.path, *words]
        elif self.kind == "zsh":
            argv = ["zsh", "-f", "-c", ZSH, "zsh", FILES / "print-connector.zsh", self.path, *words]
        else:
            line = " ".join([self.path, *words])
            argv = ["fish", "--no-config", "-c", f"source {FILES}/print-connector.fish; "
                                                 f"complete -C '{line}'"]
        lines = run(argv, cwd=ROOT, check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/"}).stdout
        return [line.split("\t")[0] for line in lines.splitlines() if line]


@pytest.fixture(name="daemon")
def fixture_daemon(bed):
    """A daemon with the queue laser, registered, a queue that is not, and a job that ended."""
    printer = bed.socket_printer()
    for name in ("laser", "later"):
        bed.cups.add_raw(name, printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "laser")
    route.ended(route.submit(PDF))
    return daemon


@pytest.fixture(name="shell", params=KINDS)
def fixture_shell(request, bed_dir, daemon):
    """Each of them, at the daemon."""
    if request.param != "program":
        assert shutil.which(request.param), f"{request.param} is not installed: make deps"
    return Shell(request.param, bed_dir, daemon)


def test_what_can_follow_is_offered_with_live_names(shell):
    assert shell.offered("unreg") == ["unregister"]
    assert shell.offered("jobs", "--pr") == ["--printer"]
    assert shell.offered("jobs", "--printer", "la") == ["laser"]
    assert shell.offered("unregister", "l") == ["laser"]
    assert shell.offered("register", "l") == ["later"]
    assert shell.offered("register", "l", "--cloud", "") == ["test"]
    assert shell.offered("job", "") == ["1"]
    assert shell.offered("cancel", "") == []  # it has ended
    assert shell.offered("doctor", "l") == ["laser"]
    assert shell.offered("resume", "l") == ["laser"]
    assert shell.offered("rebind", "l") == ["laser"]
    assert sorted(shell.offered("rebind", "laser", "l")) == ["laser", "later"]
    assert sorted(shell.offered("explain", "l")) == ["laser", "later"]
    assert shell.offered("doctor", "laser", "l") == []
    assert shell.offered("status", "") == []
    assert shell.offered("nonsense", "") == []


def test_files_are_left_to_the_shell(shell):
    expected = {"program": [":files"], "zsh": ["FILES"]}.get(shell.kind, ["README.md"])
    for words in (["metrics", "--write"], ["backup"], ["restore"], ["explain", "x", "--ticket"]):
        assert shell.offered(*words, "READ") == expected, words


def usage(*words):
    """(first words of the lines of --help that are indented by two)."""
    text = run([BUILD / "print-connector", *words, "--help"]).stdout
    return sorted(re.findall(r"^  (\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("kind", KINDS)
def test_every_verb_and_option_is_offered_and_nothing_else(bed_dir, kind):
    shell = Shell(kind, bed_dir)
    listed = usage()
    verbs = [word for word in listed if word[0] != "-"]
    assert {"status", "register", "resolve", "restore"} < set(verbs)
    assert sorted(shell.offered("")) == verbs
    assert sorted(shell.offered("--")) == [word for word in listed if word[0] == "-"]
    for verb in verbs:
        assert sorted(shell.offered(verb, "--")) == usage(verb), verb


def test_a_daemon_that_is_not_there_is_no_matter(bed_dir):
    for words in (["unregister", ""], ["job", ""], ["register", "--cloud", ""]):
        done = run([BUILD / "print-connector", "--complete", "--socket", bed_dir / "none", *words])
        assert done.stdout + done.stderr == ""


def test_the_files_are_valid():
    run(["bash", "-n", FILES / "print-connector.bash"])
    run(["zsh", "-n", FILES / "print-connector.zsh"])
    run(["fish", "--no-execute", FILES / "print-connector.fish"])
