"""python.py FILE...: does it compile, and is every import and local name used?"""

import ast
import sys


def unused(tree):
    """(line, text) of imports and assigned locals that nobody reads."""
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Load)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = (alias.asname or alias.name).split(".")[0]
                if name not in read:
                    yield node.lineno, f"{name} is imported and not used"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)
                      and isinstance(n.ctx, ast.Load)}
            outer = {name for n in ast.walk(node) if isinstance(n, (ast.Global, ast.Nonlocal))
                     for name in n.names}
            for one in ast.walk(node):
                if isinstance(one, ast.Assign) and len(one.targets) == 1 \
                        and isinstance(one.targets[0], ast.Name):
                    name = one.targets[0].id
                    if name not in inside | outer and not name.startswith("_"):
                        yield one.lineno, f"{name} is assigned and not used"


def breaches(path):
    """(line, text) of everything that is wrong with a file."""
    with open(path, encoding="utf-8") as source:
        text = source.read()
    try:
        tree = ast.parse(text, path)
    except SyntaxError as error:
        return [(error.lineno, error.msg)]
    found = list(unused(tree))
    if not ast.get_docstring(tree):
        found.append((1, "no docstring says what it is for"))
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 100:
            found.append((number, "longer than 100 columns"))
        if line != line.rstrip() or "\t" in line:
            found.append((number, "tab, or space at the end"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append((node.lineno, "a bare except hides everything"))
    return found


def main():
    """Exit status 1 when any file has a breach."""
    bad = False
    for path in sys.argv[1:]:
        for line, text in breaches(path):
            print(f"{path}:{line}: {text}")
            bad = True
    return bad


if __name__ == "__main__":
    sys.exit(main())
