"""What an AppArmor profile allows of files, and what a process did with files: for machines whose
kernel cannot enforce one."""

import re
import subprocess

RULE = re.compile(r'^\s*(?:owner\s+)?"?([/@][^\s"]*)"?\s+([a-zA-Z]+),')
VARIABLE = re.compile(r"^\s*(@\{\w+\})\s*\+?=\s*(.*)$")
GLOB = re.compile(r"\*\*|\*|\?|\{|\}|,|\[[^]]*\]|.")


class Profile:
    """The rules for files, with everything that is included, as apparmor_parser sees them."""

    def __init__(self, path):
        text = subprocess.run(["apparmor_parser", "-p", str(path)], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60).stdout
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        self.variables = {}
        for line in lines:
            if found := VARIABLE.match(line):
                self.variables.setdefault(found[1], []).extend(
                    word.strip('"') for word in found[2].split())
        self.rules = [(self.regex(found[1]), found[2]) for line in lines
                      if (found := RULE.match(line))]
        assert len(self.rules) > 50, text

    def regex(self, glob):
        """Of a path as a profile writes it."""
        while found := re.search(r"(@\{\w+\})(/?)", glob):
            values = [value.rstrip("/") if found[2] else value
                      for value in self.variables[found[1]]]
            glob = glob.replace(found[0], "{" + ",".join(values) + "}" + found[2])
        words = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
        made = "".join(words.get(word, word if word[0] == "[" else re.escape(word))
                       for word in GLOB.findall(re.sub("//+", "/", glob)))
        return re.compile(made)

    def allows(self, path, letter):
        """Whether a rule does."""
        return any(letter in rights and regex.fullmatch(path) for regex, rights in self.rules)


TRACE = "--trace=%file,connect,bind,sendmsg"


def used(trace):
    """{(path, letter)} of what succeeded in the files of strace -ff -y TRACE: r to read, w to write
    or make, x to execute."""
    found = set()
    for line in trace.splitlines():
        call = re.match(r"(\w+)\((.*)\) = \d+(?:<(.*)>)?$", line)
        if not call:
            continue
        name, arguments, opened = call.groups()
        paths = re.findall(r'"(/[^"]*)"', arguments)
        paths += ["/".join(parts) for parts in re.findall(r'<(/[^>]*)>, "([^/"][^"]*)"',
                                                          arguments)]
        if name in ("open", "openat") and opened:
            opened += "/" if "O_DIRECTORY" in arguments else ""
            found |= {(opened, "w")} if re.search("O_(WRONLY|RDWR|CREAT)", arguments) else set()
            found |= set() if "O_WRONLY" in arguments else {(opened, "r")}
        elif re.match("(unlink|rename|chmod|fchmodat|link)", name):
            found |= {(path, "w") for path in paths}
        elif name.startswith("mkdir"):
            found |= {(f"{path}/", "w") for path in paths}
        elif name == "execve":
            found |= {(paths[0], "x")}
        elif "sun_path" in arguments:
            found |= {(path, "w") for path in re.findall(r'sun_path="(/[^"]*)"', arguments)}
    return found
