"""The test bed: cloud, CUPS, printers and the daemon, each on loopback in a temporary folder."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")
SANITIZED = "asan" in BUILD.name  # it has its own idea of memory, time and libraries
LIB = ROOT / "tests/lib"
DATA = ROOT / "tests/data"
PDF = DATA / "two-pages.pdf"
