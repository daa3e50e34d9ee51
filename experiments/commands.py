"""What the scripts of this folder are for, read from their docstrings without importing them, and so at once."""

import ast
from pathlib import Path

_FOLDER = Path(__file__).parent


def commands() -> dict[str, dict[str, str]]:
    """The first line of each script's docstring, by kind and name: systems, which run a recipe, and tools."""
    found: dict[str, dict[str, str]] = {"systems": {}, "tools": {}}
    for path in sorted(_FOLDER.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        kind = "systems" if "recipe" in defined else "tools" if "main" in defined else None
        if kind is not None:
            line = (ast.get_docstring(tree) or "").split("\n")[0]
            found[kind][path.stem] = line.split(": `python -m")[0].rstrip(".")
    return found


def listing() -> str:
    """All commands with a line each."""
    found = commands()
    width = max(len(name) for of_kind in found.values() for name in of_kind)
    parts = []
    for title, kind in (
        ("Systems: python -m experiments.NAME --machine=slide_rail | --data_dir=DIR", "systems"),
        ("Tools: python -m experiments.NAME", "tools"),
    ):
        parts.append("\n".join([title, *(f"  {name:{width}}  {line}" for name, line in found[kind].items())]))
    return "\n\n".join([*parts, "python -m experiments.NAME --help says more and lists every flag."])
