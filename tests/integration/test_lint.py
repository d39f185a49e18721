"""The lint scripts catch what they are for, and nothing else, in small trees of one breach each."""

import pathlib
import subprocess

import pytest

LINT = pathlib.Path(__file__).resolve().parents[1] / "lint"


def lint(script, root, files):
    """(exit status, output) of a script over a tree of files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([LINT / script, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(name="root")
def fixture_root(bed_dir):
    """An empty tree with the folders that the scripts expect."""
    for name in ("common", "connector/base", "tests", "packaging", ".ci"):
        (bed_dir / "tree" / name).mkdir(parents=True)
    for name in ("build-depends", "test-depends"):
        (bed_dir / "tree/packaging" / name).write_text("# packages\na\nb\n")
    return bed_dir / "tree"


@pytest.mark.parametrize("place, include", [
    ("connector/base/http.c", "<curl/curl.h>"),
    ("connector/base/http_watch.c", "<curl/curl.h>"),
    ("connector/core/job.c", '"connector/store/store.h"'),
    ("connector/control/control.c", "<uv.h>"),
    ("connector/main.c", "<uv.h>"),
    ("connector/cloud/gunzip.c", "<zlib.h>"),
    ("connector/base/ipp_client.h", "<cups/cups.h>"),
    ("connector/cli/cli.c", '"common/err.h"'),
    ("tests/emulator/main.c", '"tests/emulator/jobs.h"'),
    ("connector/control/idl.c", '"varlink_idl.inc"'),
])
def test_layers_allow_what_the_design_does(root, place, include):
    assert lint("layers.sh", root, {place: f"#include {include}\n"}) == (0, "")


@pytest.mark.parametrize("place, include", [
    ("common/err.c", '"connector/base/http.h"'),
    ("connector/base/http.c", '"connector/core/job.h"'),
    ("connector/cloud/infra.c", '"connector/store/store.h"'),
    ("connector/printer/queue.h", '"connector/cloud/cloud.h"'),
    ("connector/cli/cli.c", '"connector/base/http.h"'),
    ("connector/core/job.c", "<uv.h>"),
    ("connector/core/job.c", "<cups/cups.h>"),
    ("connector/core/job.c", "<sqlite3.h>"),
    ("connector/base/loop.c", "<curl/curl.h>"),
    ("connector/base/journal.c", "<openssl/evp.h>"),
    ("connector/cloud/infra.c", "<zlib.h>"),
    ("connector/store/store.c", "<cups/cups.h>"),
    ("connector/base/http.c", '"loop.h"'),
    ("connector/other/x.c", "<stdio.h>"),
    ("tests/emulator/main.c", '"common/err.h"'),
])
def test_layers_refuse_what_the_design_does(root, place, include):
    code, text = lint("layers.sh", root, {place: f"#include {include}\n"})
    assert code == 1
    assert text.startswith(f"{place}:1: ")


@pytest.mark.parametrize("place, line", [
    ("common/a.c", "\tstrcpy(a, b);"),
    ("common/a.c", "\tn = atoi(text);"),
    ("connector/base/a.c", "\thttp = httpConnect2(host);"),
    ("tests/unit/test_a.c", "\tsleep(1);"),
    ("tests/unit/test_a.c", "\tusleep (1000);"),
    ("tests/integration/test_a.py", "time." "sleep(1)"),
    ("tests/integration/test_a.py", "from time imp" "ort sleep"),
    ("tests/a.sh", "\tsleep 1"),
    ("tests/a.sh", "true; sleep 0.1"),
    ("common/a.c", "\t/* TODO: later */"),
])
def test_banned_calls_are_found(root, place, line):
    code, text = lint("banned.sh", root, {place: f"first\n{line}\n"})
    assert code == 1
    assert text.startswith(f"{place}:2:")


@pytest.mark.parametrize("place, line", [
    ("common/a.c", "\tbuf_strcpy(a); /* not strcpy(a, b) */"),
    ("common/a.c", '\tlog("system(3) failed, sleep(1)");'),
    ("common/a.c", "\top->system(op);"),
    ("common/a.c", "\t/* many\n lines, system(3) in one\n */"),
    ("common/a.c", "\tsnprintf(a, sizeof(a), \"x\");"),
    ("tests/a.sh", "# sleep 1"),
])
def test_banned_calls_are_not_seen_where_there_are_none(root, place, line):
    assert lint("banned.sh", root, {place: line + "\n"}) == (0, "")


@pytest.mark.parametrize("files, word", [
    ({"common/a.h": "#ifndef A_H\n", "tests/b.py": "\n" * 9}, "include guard"),
    ({"common/a.c": "\n" * 1000, "tests/b.py": "\n" * 999, "tests/c.py": "\n" * 9}, "limit"),
    ({"tests/unit/test_nothing.c": "\n"}, "no module it could"),
    ({"tests/fuzz/fuzz_x.c": "\n"}, "corpus/x is empty"),
    ({"common/a.c": "\n" * 5}, "lines of tests"),
    ({"packaging/test-depends": "b\na\n"}, "not sorted"),
    ({"common/a.c": "\n", "ARCHITECTURE.md": "* `b`: another\n"}, "no line for a"),
    ({"ARCHITECTURE.md": "* `b`: another\n"}, "there is no b"),
])
def test_the_structure_is_kept(root, files, word):
    code, text = lint("structure.sh", root, files)
    assert code == 1
    assert word in text


def test_a_proper_tree_passes(root):
    files = {"common/a.h": "#ifndef COMMON_A_H\n#define COMMON_A_H\n#endif\n", "common/a.c": "\n",
             "tests/unit/test_a.c": "\n" * 9, "ARCHITECTURE.md": "* `a`: the first letter\n"}
    assert lint("structure.sh", root, files) == (0, "")
    assert lint("banned.sh", root, {}) == (0, "")


@pytest.mark.parametrize("text, word", [
    ('"""Doc."""\nimport os\n', "os is imported and not used"),
    ('"""Doc."""\ndef f(:\n', ""),
    ('x = 1\n', "no docstring"),
    ('"""Doc."""\ndef f():\n    unused = 1\n', "unused is assigned"),
    ('"""Doc."""\ntry:\n    pass\nexcept:\n    pass\n', "bare except"),
])
def test_python_is_checked(root, text, word):
    path = root / "a.py"
    path.write_text(text)
    done = subprocess.run(["/usr/bin/python3", LINT / "python.py", path], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert word in done.stdout
