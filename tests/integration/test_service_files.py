"""The files around the programs that nobody compiles: unit, message catalogue, sample settings."""

import re
import subprocess

import pytest

from bed import BUILD, ROOT

UNIT = ROOT / "systemd/print-connector.service"
SAMPLE = ROOT / "packaging/print-connector.conf"
MESSAGE = re.compile(r'X\((\w+), "([0-9a-f]{32})", "([^"]*)"\)')


def command(*argv, check=True):
    """Its output, both kinds."""
    done = subprocess.run([str(word) for word in argv], text=True, check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


def test_the_service_exposes_little():
    threshold = 15
    command("systemd-analyze", "security", "--offline=true", f"--threshold={threshold}", UNIT)


def test_systemd_understands_every_line_of_the_unit(bed_dir):
    program = bed_dir / "print-connectord"
    program.touch(mode=0o755)
    copy = bed_dir / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/sbin/print-connectord", str(program)))
    assert command("systemd-analyze", "verify", "--man=no", copy) == ""


def test_peers_of_the_control_socket_are_told_apart():
    text = UNIT.read_text()
    assert not re.search(r"^PrivateUsers=", text, re.MULTILINE)
    assert not re.search(r"^SupplementaryGroups=", text, re.MULTILINE)


def test_the_catalogue_explains_every_message():
    table = {number: (name, subject) for name, number, subject in
             MESSAGE.findall((ROOT / "common/messages.h").read_text())}
    assert len(table) > 10
    entries = {}
    for entry in re.split(r"^-- ", (ROOT / "systemd/print-connector.catalog").read_text(),
                          flags=re.MULTILINE)[1:]:
        head, _, body = entry.partition("\n\n")
        number, *fields = head.splitlines()
        entries[number] = dict(field.split(": ", 1) for field in fields), body.strip()
    assert entries.keys() == table.keys()
    for number, (fields, body) in entries.items():
        name, subject = table[number]
        assert fields["Subject"] == subject, name
        assert fields["Defined-By"] == "print-connector", name
        assert len(body) > 60, f"{name}: cause and remedy are missing"
        assert set(re.findall(r"@(\w+)@", body)) <= {
            "CONNECTOR_QUEUE", "CONNECTOR_CLOUD", "CONNECTOR_JOB"}, name


def test_the_sample_settings_are_those_of_the_program():
    assert SAMPLE.read_text() == command(BUILD / "print-connectord", "--sample-config"), \
        "run: make sample"
    assert max(map(len, SAMPLE.read_text().splitlines())) <= 100


def settings(bed_dir, text):
    """What --check-config says of it: (exit status, settings and complaints)."""
    path = bed_dir / "print-connector.conf"
    path.write_text(text)
    done = subprocess.run([BUILD / "print-connectord", "--config", path, "--check-config"],
                          capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_sample_changes_nothing(bed_dir):
    assert settings(bed_dir, SAMPLE.read_text()) == settings(bed_dir, "")


@pytest.mark.parametrize("section", ["connector", "printers", "jobs", "log"])
def test_what_the_sample_shows_is_the_default(bed_dir, section):
    text = SAMPLE.read_text()
    text = text[text.index(f"[{section}]"):]
    text = re.split(r"\n\n\n", text)[0]
    live = re.sub(r"^#([a-z-]+ =)", r"\1", text, flags=re.MULTILINE)
    assert live != text
    assert settings(bed_dir, live) == settings(bed_dir, "")
