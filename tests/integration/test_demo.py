"""make demo keeps its word: six jobs completed, and nothing left of it, also on Ctrl-C."""

import os
import re
import signal

import pytest

from bed import BUILD, ROOT
from bed.process import Process, run
from bed.watch import wait_until


@pytest.fixture(name="demo")
def fixture_demo(bed_dir):
    """The demo, running."""
    return Process("demo", ["/usr/bin/python3", "-u", "-B", ROOT / "tests/demo/demo.py"],
                   bed_dir / "demo.log", {"BUILD": str(BUILD), "OUT": str(bed_dir / "out")})


def _folder(demo):
    return demo.wait_for_line(r"in (/tmp/pc-demo-\S+)", 30).group(1)


def _left(folder):
    """Command lines of processes that speak of the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                words = line.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in words:
            found.append(words)
    return found


def test_six_documents_are_printed_and_shown(demo):
    folder = _folder(demo)
    assert demo.wait(240) == 0, demo.tail(60)
    text = demo.text()
    assert text.count("printed: ") == 6
    assert "All six completed" in text
    # both clouds, the second with a sign-in: code, QR code, who approves it, what came of it
    assert "approves the code by itself" in text and "█" in text
    assert re.search(r"Code +[A-Z0-9]{9}", text)
    assert text.count(": registered as printer ") == 3
    assert "to each through Graph" in text
    assert max(map(len, re.sub("\033\\[.*?m", "", text).splitlines())) < 80
    assert not os.path.exists(folder)
    assert _left(folder) == []


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_nothing(demo, number, code):
    folder = _folder(demo)
    wait_until(lambda: _left(folder), "something started", 20, [demo.log], [demo])
    demo.signal(number)
    assert demo.wait(30) == code, demo.tail(60)
    assert not os.path.exists(folder)
    assert _left(folder) == []


def test_the_recording_shows_every_verb_in_80_columns(bed_dir):
    text = run(["/usr/bin/python3", "-B", ROOT / "tests/demo/recording.py"], 150,
               env={**os.environ, "BUILD": str(BUILD)}).stdout
    assert "$ print-connector reset ipps://" in text
    assert not re.search(r"\b1 (jobs|printers|keys|things|days|steps|impressions)\b", text)
    bed_dir.joinpath("recording.txt").write_text(text)
