"""Submitting documents the way people do: ipptool and lp."""

import hashlib
import re
import pathlib

from . import DATA
from .process import run

TYPES = {".pdf": "application/pdf", ".jpg": "image/jpeg", ".png": "image/png",
         ".pwg": "image/pwg-raster", ".urf": "image/urf"}


def sha256(path):
    """Of a file."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def ipptool(uri, document, name="test", mime=None, env=None, timeout=60):
    """Print-Job; the job's number."""
    mime = mime or TYPES[pathlib.Path(document).suffix]
    done = run(["ipptool", "-tv", "-T", timeout, "-f", document, "-d", f"format={mime}",
                "-d", f"name={name}", uri, DATA / "print-job.test"], timeout + 5, env=env)
    return int(re.search(r"job-id \(integer\) = (\d+)", done.stdout).group(1))


def lp(server, queue, document, *options, env=None):
    """lp -h SERVER -d QUEUE; what it prints, which is "request id is QUEUE-N"."""
    return run(["lp", "-h", server, "-d", queue, *options, document], env=env).stdout
