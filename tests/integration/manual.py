"""A manual page in mdoc, as far as tests look at it: sections, list items, options, examples."""

import re

from bed import ROOT

# macros whose arguments are text, and those that are gone without a trace
TEXT = re.compile(r"^\.(?:Cm|Fl|Ar|Ql|Dq|Pq|Em|Pa|Li|Ev|Nm|Xr|Sx|Lk|Dv) ?", re.MULTILINE)
GONE = re.compile(r"^\.(?:Pp|br|Do|Dc(?: \.)?|Bl.*|El|Bd.*|Ed)$\n?", re.MULTILINE)


def words(text):
    """As one line, without macros."""
    text = GONE.sub("", text)
    # punctuation behind a macro's argument stands at it
    text = re.sub(r"^(\.[A-Z][a-z] .*) ([,.;:])$", r"\1\2", text, flags=re.MULTILINE)
    text = TEXT.sub("", text).replace("\\&", "").replace("\\e", "\\")
    return " ".join(text.split())


class Page:
    """man/NAME."""

    def __init__(self, name):
        self.text = (ROOT / "man" / name).read_text()

    def section(self, name):
        """What is below a heading, to the next one of its kind."""
        return self._below("Sh", self.text)[name]

    def sections(self, name):
        """{subheading: what is below it}"""
        return self._below("Ss", self.section(name))

    @staticmethod
    def _below(macro, text):
        parts = re.split(rf"^\.{macro} (.*)\n", text, flags=re.MULTILINE)
        return {name.strip('"').replace("\\&", ""): body for name, body in
                zip(parts[1::2], parts[2::2])}

    @staticmethod
    def items(section):
        """{first word of an outermost item: the rest of its line and what follows}"""
        found, depth, name = {}, 0, None
        for line in section.splitlines(keepends=True):
            item = re.match(r"\.It Cm (\S+) ?(.*)", line)
            if line.startswith(".Bl"):
                depth += 1
            elif line.startswith(".El"):
                depth -= 1
            if depth == 1 and item:
                name = item[1]
                found[name] = "" if item[2].startswith("Pq ") else item[2] and f".It {item[2]}\n"
            elif depth > 1 or (depth == 1 and name and not line.startswith(".Bl")):
                found[name] += line
        return found

    @staticmethod
    def usage(item):
        """Arguments of a verb as --help writes them, without spaces."""
        line = item.split("\n", 1)[0] if item.startswith(".It ") else ""
        shown, closing = "", ""
        for word in line.split()[1:]:
            if word == "Op":  # to the end of the line
                shown, closing = shown + "[", closing + "]"
            elif word in ("Oo", "Oc"):
                shown += "[" if word == "Oo" else "]"
            elif word not in ("Ar", "Fl", "Cm", "Ns", "No"):
                shown += f"-{word}" if word.startswith("-") else word
        return shown + closing

    @staticmethod
    def options(section):
        """{option: its argument or ""} of items, an item's own line left out."""
        return dict(re.findall(r"^\.It Fl -([a-z-]+)(?: Ar ([A-Z]+))?$",
                               section.split("\n", 1)[1] if section.startswith(".It ") else section,
                               re.MULTILINE))

    def references(self):
        """(name, section) of other pages."""
        return set(re.findall(r"^\.Xr (\S+) (\d)", self.text, re.MULTILINE))

    def environment(self):
        """Variables that are listed."""
        return {name for line in re.findall(r"^\.It Ev (.*)$", self.text, re.MULTILINE)
                for name in line.split(" , ")}

    def blocks(self, name):
        """What stands in literal displays of a section."""
        return [text.replace("\\e", "\\").replace("\\&", "") for text in
                re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", self.section(name),
                           re.MULTILINE)]
