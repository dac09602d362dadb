"""The code keeps to the two tables of docs/architecture.md: what may import what."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FUNCTIONS = ROOT / "lambdas" / "recommender"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    (section,) = re.findall(rf"(?ms)^## {heading}$(.*?)(?=^## )", PAGE)
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"(?m)^\|.*\|$", section)[2:]
    ]


def named(cell: str) -> list[str]:
    """Return what a cell names as code."""
    return re.findall(r"`([^`]+)`", cell)


def imported(path: Path) -> Iterator[str]:
    """Return the modules that a file imports, within functions, too; relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = ".".join((*package[: len(package) - level + 1], module or "")).strip(".")
                of = base if level else (module or "")
                yield from (f"{of}.{one.name}" for one in names)


ALLOWED = {named(folder)[0]: named(cell) for folder, _, cell in rows("The map")}
OURS = {name.removesuffix(".py") for name in ALLOWED}


def is_ours(module: str, path: Path) -> bool:
    """Return whether a file imports it from the repository's root, and not from beside itself."""
    name = module.split(".", maxsplit=1)[0]
    beside = path.parent != ROOT and (path.parent / name).is_dir()
    return name in OURS and not beside


def test_the_map_names_every_folder_with_code() -> None:
    ignored = set(re.findall(r"(?m)^/([\w.-]+)/?$", (ROOT / ".gitignore").read_text()))
    folders = {path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}

    assert {"cdk.out", "node_modules"} <= ignored
    assert [
        path.name
        for path in sorted(folders)
        if path.name not in ignored | OURS and any(path.rglob("*.py"))
    ] == []


@pytest.mark.parametrize("place", sorted(ALLOWED.keys() - {"tests"}))
def test_a_folder_imports_only_what_the_map_allows(place: str) -> None:
    whole = ROOT / place
    files = [whole] if whole.is_file() else sorted(whole.rglob("*.py"))
    allowed = (place.removesuffix(".py"), *ALLOWED[place])

    assert files
    assert [
        (str(path.relative_to(ROOT)), module)
        for path in files
        for module in imported(path)
        if is_ours(module, path)
        and not f"{module}.".startswith(tuple(f"{one}." for one in allowed))
    ] == []


def imports_of_the_functions() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the modules of the functions, each with one that it imports, as rooms and names."""
    prefix = ("lambdas", "recommender")
    for path in sorted(FUNCTIONS.rglob("*.py")):
        importing = path.relative_to(FUNCTIONS).with_suffix("").parts
        for full in imported(path):
            parts = tuple(full.split("."))
            if parts[:2] == prefix and len(parts) > len(prefix):
                yield importing, parts[2:]


def test_a_room_of_the_functions_imports_only_what_stands_above_it() -> None:
    order = [named(row[0]) for row in rows("Inside the functions")]
    level = {room: number for number, rooms in enumerate(order) for room in rooms}
    there = {path.stem for path in FUNCTIONS.iterdir() if path.suffix == ".py" or path.is_dir()}

    assert level.keys() == there - {"__init__", "__pycache__"}
    assert [
        (importing, module)
        for importing, module in imports_of_the_functions()
        if importing != ("__init__",)
        and importing[0] != module[0]
        and level[module[0]] >= level[importing[0]]
    ] == []


def test_no_modules_of_a_room_import_one_another_in_a_circle() -> None:
    within = {
        (importing, module[:2])
        for importing, module in imports_of_the_functions()
        if importing[0] == module[0] and len(importing) > 1
    }
    before: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for importing, module in within:
        before.setdefault(importing, set()).add(module)

    TopologicalSorter(before).prepare()


def test_no_modules_of_the_stacks_import_one_another_in_a_circle() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "stacks").rglob("*.py")
    }
    before = {
        name: {
            one
            for full in imported(path)
            for one in (full, full.rpartition(".")[0])
            if one in modules
        }
        for name, path in modules.items()
    }

    assert "stacks.properties" in before["stacks.recommender"]
    TopologicalSorter(before).prepare()


def test_every_folder_of_tests_is_run_by_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}

    assert {"unit", "e2e"} <= folders
    assert {folder for folder in folders if f"tests/{folder}" not in makefile} == set()
