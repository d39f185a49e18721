"""The manuals against the program: every setting, verb, option, metric, message id and health code
is in them, and nothing that does not exist."""

import re
import subprocess

import pytest

from bed import BUILD, ROOT
from manual import Page, words

CLI = BUILD / "print-connector"
DAEMON = BUILD / "print-connectord"
PAGES = ("print-connector.1", "print-connector.conf.5", "print-connector-mapping.5",
         "print-connector-troubleshooting.7", "print-connectord.8")


def output(*argv):
    """What a program prints."""
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=60,
                          check=True).stdout


def table(path, pattern):
    """Rows of a table in C, with strings that are continued on the next line in one piece."""
    text = re.sub(r"\\\n\s*", "", (ROOT / path).read_text())
    rows = re.findall(pattern, text)
    assert len(rows) > 10, path
    return rows


def settings():
    """{section: {key: (help, values, default)}} as the program tells them."""
    found, comment = {}, []
    for line in output(DAEMON, "--sample-config").splitlines():
        section = re.fullmatch(r"#?\[(.*)\]", line)
        key = re.fullmatch(r"#([a-z0-9-]+) =(.*)", line)
        if section:
            keys = found.setdefault(section[1], {})
        elif key:
            values = max(i for i, text in enumerate(comment) if text.startswith("("))
            keys[key[1]] = (" ".join(comment[:values]), " ".join(comment[values:])[1:-1],
                            key[2].strip())
        comment = comment + [line[2:]] if line.startswith("# ") else []
    assert len(found) > 5
    return found


def verbs():
    """{verb: topic}"""
    found, topic = {}, None
    for line in output(CLI, "--help").splitlines():
        if heading := re.fullmatch(r"(\S.*):", line):
            topic = heading[1]
        elif verb := re.match(r"  ([a-z]\S*)", line):
            found[verb[1]] = topic
    assert len(found) > 8
    return found


def options(text):
    """{option: its argument or ""} of a --help."""
    return dict(re.findall(r"^  --([a-z-]+)(?: ([A-Z]+))? ", text, re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_valid(name):
    done = subprocess.run(["mandoc", "-Tlint", ROOT / "man" / name], capture_output=True, text=True,
                          timeout=60, check=False)
    # whether other packages' pages are installed is not the page's fault
    assert [line for line in done.stdout.splitlines() if "referenced manual" not in line] == []


def test_pages_refer_to_pages_that_there_are():
    ours = {name.rpartition(".")[::2] for name in PAGES}
    assert {path.name for path in (ROOT / "man").iterdir()} == set(PAGES)
    for name in PAGES:
        assert {other for other in Page(name).references()
                if other[0].startswith("print-connector")} <= ours


def test_every_setting_is_explained_with_values_and_default():
    page = Page("print-connector.conf.5")
    sections = page.sections("SETTINGS")
    told = settings()
    assert [f"[{name}]" for name in told] == list(sections)
    for name, keys in told.items():
        items = page.items(sections[f"[{name}]"])
        assert list(items) == list(keys), f"[{name}]"
        for key, (text, values, default) in keys.items():
            entry = words(items[key])
            assert entry.startswith(words(text)), f"{key} in [{name}]: {text}"
            assert f"Value: {values}." in entry, f"{key} in [{name}]: {values}"
            assert entry.endswith(f"Default: {default}." if default else f"Value: {values}."), \
                f"{key} in [{name}]: {default}"


def test_every_option_of_mapping_files_is_listed():
    source = (ROOT / "common/mapping.c").read_text()
    rows = re.search(r"attributes\[\] = \{(.*?)\n\};", source, re.DOTALL)[1]
    names = re.findall(r'^\t\{ "([a-z-]+)",', rows, re.MULTILINE)
    section = Page("print-connector-mapping.5").section("DESCRIPTION")
    listed = re.search(r"^is one of those of IPP:\n((?:\.Cm .*\n|and\n)+)", section,
                       re.MULTILINE)[1]
    assert re.findall(r"[a-z]+(?:-[a-z]+)*", re.sub(r"^(\.Cm|and)", "", listed,
                                                   flags=re.MULTILINE)) == names


def test_every_verb_and_option_is_explained():
    page = Page("print-connector.1")
    topics = page.sections("VERBS")
    entries = {verb: (topic, item) for topic, section in topics.items()
               for verb, item in page.items(section).items()}
    assert {verb: topic for verb, (topic, _) in entries.items()} == verbs()
    general = options(output(CLI, "--help"))
    assert page.options(page.section("OPTIONS")) == general
    for verb, (_, item) in entries.items():
        told = output(CLI, verb, "--help")
        usage = told.splitlines()[0].removeprefix(f"Usage: print-connector {verb}")
        assert page.usage(item) == usage.replace(" ", ""), verb
        own = {name: argument for name, argument in options(told).items() if name not in general}
        assert page.options(item) == own, verb


def test_every_option_of_the_daemon_is_explained():
    page = Page("print-connectord.8")
    assert page.options(page.section("OPTIONS")) == options(output(DAEMON, "--help"))


def test_exit_codes_are_those_of_the_program():
    text = words(output(CLI, "--help").split("Exit codes: ")[1])
    told = dict(re.findall(r"(\d) ([^,.]+)", text))
    section = Page("print-connector.1").section("EXIT STATUS")
    listed = dict(re.findall(r"^\.It (\d)\n(.*)\.$", section, re.MULTILINE))
    assert {code: text.lower() for code, text in listed.items()} == told


def test_json_has_the_fields_of_the_interface():
    """In both directions, but for what the command itself adds."""
    source = (ROOT / "common/org.printconnector.Connector.varlink").read_text()
    source = re.sub(r"^#.*\n", "", source, flags=re.MULTILINE)
    answers = "\n".join(re.findall(r"^type [^)]*\)|^method \w+\([^)]*\) -> \([^)]*\)", source,
                                   re.MULTILINE))
    answers = re.sub(r"^method \w+\([^)]*\)", "", answers, flags=re.MULTILINE)
    fields = set(re.findall(r"(\w+):", answers)) | {"remedy"}
    listed = set()
    for block in Page("print-connector.1").blocks("JSON OUTPUT"):
        listed |= set(re.findall(r'"(\w+)"', block))
    assert listed - fields == OWN
    assert fields - listed == INNER


# what the command makes of answers and of what the daemon's other runs say; names of states
OWN = {"online", "unregistered", "steps", "findings", "keys", "open_jobs",
       "read_only", "held", "file"}
# of answers that the command shows in another form
INNER = {"job", "next", "open", "passed", "warned"}


def test_every_metric_is_listed_with_type_and_labels():
    rows = table("common/metrics.h",
                 r'X\([A-Z_]+, "(print_[a-z_]+)", ([A-Z]+), "([a-z_,]*)", *"([^"]*)"\)')
    section = Page("print-connector.1").section("METRICS")
    listed = re.findall(r"^\.It Cm (\S+) Pq (\w+)(?:: (.*))?\n([^.](?:.|\n)*?)(?=\n\.)", section,
                        re.MULTILINE)
    assert [(name, kind, labels, words(text)) for name, kind, labels, text in listed] == \
        [(name, kind.lower(), labels.replace(",", ", "), text) for name, kind, labels, text in rows]


def test_every_message_id_is_listed():
    rows = table("common/messages.h", r'X\(\w+, "([0-9a-f]{32})", "([^"]*)"\)')
    page = Page("print-connector-troubleshooting.7")
    items = page.items(page.section("MESSAGE IDS"))
    assert [(number, words(text)) for number, text in items.items()] == rows


def test_every_health_code_has_its_words_cause_and_remedy():
    rows = table("common/health.h", r'X\([A-Z_]+, "([a-z-]+)", ([A-Z]+), *'
                                    r'"((?:[^"\\]|\\.)*)", *"((?:[^"\\]|\\.)*)"\)')
    page = Page("print-connector-troubleshooting.7")
    items = page.items(page.section("HEALTH ENTRIES"))
    assert list(items) == [row[0] for row in rows]
    for code, severity, text, remedy in rows:
        entry = words(items[code])
        assert f".It Cm {code} Pq {severity.lower()}\n" in page.text, code
        text = text.replace("{}", "NAME")
        start = next((s for s in (f"{text} .", text) if entry.startswith(s)), None)
        assert start, f"{code} says: {text}"
        rest = entry[len(start):]
        end = f"Remedy: {remedy.replace('{}', 'NAME')}."
        assert rest.endswith(end), f"{code} says: {end}"
        assert len(rest) - len(end) > 30, f"{code}: the cause is missing"


def test_the_promise_is_the_same_everywhere():
    readme = (ROOT / "README.md").read_text()
    promise = words(readme.split("## What it promises")[1].split("\n\n")[1].replace("`", ""))
    assert words(Page("print-connectord.8").section("WHAT IT PROMISES")) == promise


def test_environment_variables_are_those_that_are_read():
    """Of those that a file asks for by name, and of those that libraries do for it."""
    read = {name for path in (ROOT / "common").glob("*.c")
            for name in re.findall(r'(?:getenv|from_environment|directory_default)\('
                                   r'(?:[^"();]*, )?"([A-Z_]+)"', path.read_text())}
    read |= {name for folder in ("cli", "base") for path in
             (ROOT / "connector" / folder).glob("*.c")
             for name in re.findall(r'(?:getenv|from_environment)\("([A-Z_]+)"', path.read_text())}
    listed = {name for page in PAGES for name in Page(page).environment()}
    assert read <= listed
    assert listed - read <= {"LC_ALL", "LC_CTYPE", "LANG", "NOTIFY_SOCKET", "WATCHDOG_USEC",
                             "https_proxy", "no_proxy"}
