"""The code keeps to docs/architecture.md: its tables of imports, and the modules it names."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FUNCTIONS = ROOT / "lambdas" / "recommender"
TABLES = {"Inside the functions": "lambdas/recommender", "Inside operations": "operations"}


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


def test_a_module_that_the_page_names_exists_and_has_the_name_after_it() -> None:
    """From the root, or from the functions' folder, as in "`model/request.py` (`desired`)"."""
    text = " ".join(PAGE.split())
    found = re.findall(r"`(\w+(?:/\w+)+\.py)`(?: \(`(\w+)`\))?", text)
    places = [
        (path, name, [one for one in (ROOT / path, FUNCTIONS / path) if one.exists()])
        for path, name in found
    ]

    assert ("resources/deletion.py", "RecommenderDeletion") in found
    assert [path for path, _, files in places if len(files) != 1] == []
    assert [(path, name) for path, name, files in places if name not in files[0].read_text()] == []


def imports_within(folder: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the modules of a folder, each with one that it imports of it, as rooms and names."""
    prefix = tuple(folder.split("/"))
    for path in sorted((ROOT / folder).rglob("*.py")):
        importing = path.relative_to(ROOT / folder).with_suffix("").parts
        for full in imported(path):
            parts = tuple(full.split("."))
            if parts[: len(prefix)] == prefix and len(parts) > len(prefix):
                yield importing, parts[len(prefix) :]


@pytest.mark.parametrize(("heading", "folder"), TABLES.items())
def test_room_imports_only_rooms_above_it(heading: str, folder: str) -> None:
    order = [named(row[0]) for row in rows(heading)]
    level = {room: number for number, rooms in enumerate(order) for room in rooms}
    actual = {path.stem for path in (ROOT / folder).iterdir() if path.suffix == ".py"} | {
        path.name for path in (ROOT / folder).iterdir() if any(path.glob("*.py"))
    }

    assert level.keys() == actual - {"__init__"}
    assert [
        (importing, module)
        for importing, module in imports_within(folder)
        if importing != ("__init__",)
        and importing[0] != module[0]
        and level[module[0]] >= level[importing[0]]
    ] == []


@pytest.mark.parametrize("folder", TABLES.values())
def test_modules_of_a_room_do_not_import_one_another_in_a_circle(folder: str) -> None:
    within = {
        (importing, module[:2])
        for importing, module in imports_within(folder)
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
