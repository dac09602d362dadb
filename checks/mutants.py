"""`make mutants`: the mutation score, and whether docs/internals/mutants.md names each survivor.

mutmut changes one thing at a time in the modules that `[tool.mutmut]` of pyproject.toml names, all
that decide or talk, and runs the unit tests that reach it. Nothing is taken over from an earlier
run.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

LIST: Final = Path("docs/internals/mutants.md")
COPY: Final = Path("mutants")
PACKAGE: Final = Path("lambdas/recommender")
MIN_SCORE: Final = 0.9
UNCHANGED: Final = ("clients", "decision.verdict", "handler", "observer_handler", "vocabulary")
"""Modules that only connect, or only say: words, and data without behaviour."""
NEVER: Final = ("model.identity.Owner.", "model.identity.NamePattern.", "model.identity._stack_of")
"""The code that decides who owns a recommender: no reason excuses a survivor in it."""

Change = tuple[str, ...]
"""The function, and the lines taken out and put in, as docs/internals/mutants.md has them."""


@dataclass(frozen=True)
class Mutant:
    """One change, and whether a test noticed it; one that never ends is noticed, too."""

    module: str
    change: Change
    killed: bool


def made() -> Iterator[Mutant]:
    """Yield the mutants of the last run."""
    for results in sorted((COPY / PACKAGE).rglob("*.meta")):
        path = results.relative_to(COPY).with_suffix("")
        module = module_of(path)
        for name, code in json.loads(results.read_text())["exit_code_by_key"].items():
            function, owner = orig_function_and_class_names_from_key(name)
            diff = get_diff_for_mutant(name, path=path).splitlines()[2:]
            changed = [_bare(line) for line in diff if line.startswith(("-", "+"))]
            where = ".".join(filter(None, (module, owner, function)))
            killed = status_by_exit_code[code] in ("killed", "timeout")
            yield Mutant(module, (f"@ {where}", *changed), killed)


def modules() -> list[str]:
    """Return the modules that are to be changed, as pyproject.toml has them."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    return [module_of(Path(one)) for one in settings["tool"]["mutmut"]["only_mutate"]]


def module_of(path: Path) -> str:
    """Return the name of a module inside the package, such as ``decision.plan``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def named() -> set[Change]:
    """Return the changes in the diff blocks of the list: `@ function`, then lines."""
    found: list[list[str]] = []
    inside = False
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```diff"
        elif inside and line.startswith("@"):
            found.append([line])
        elif inside:
            found[-1].append(_bare(line))
    return {tuple(change) for change in found}


def wrong_with(mutants: Collection[Mutant]) -> Iterator[str]:
    """Yield a problem for each mutant with another outcome than listed, and for a low score."""
    for module in sorted(set(modules()) - {mutant.module for mutant in mutants}):
        yield f"nothing is changed in {module}, which pyproject.toml names"
    listed, survivors = named(), {mutant.change for mutant in mutants if not mutant.killed}
    for change in sorted(survivors | listed):
        if change not in listed:
            yield f"survives, and {LIST} does not name it:"
        elif change not in survivors:
            yield f"does not survive, but {LIST} names it:"
        elif change[0].removeprefix("@ ").startswith(NEVER):
            yield "must not survive:"
        else:
            continue
        yield "\n".join(change)
    if sum(mutant.killed for mutant in mutants) < MIN_SCORE * len(mutants):
        yield f"fewer than {MIN_SCORE:.0%} are killed"


def main() -> None:
    """Try all mutants, print the score, and exit with the problems, if there are any."""
    shutil.rmtree(COPY, ignore_errors=True)
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", "2"], check=True)  # noqa: S603
    mutants = list(made())
    for module in modules():
        print(_score(module, [mutant for mutant in mutants if mutant.module == module]))
    print(_score("mutants", mutants))
    sys.exit("\n".join(wrong_with(mutants)) or None)


def _bare(line: str) -> str:
    return f"{line[:1]} {line[1:].strip()}"


def _score(what: str, mutants: Collection[Mutant]) -> str:
    killed = sum(mutant.killed for mutant in mutants)
    return f"{what} {killed}/{len(mutants)} killed ({killed / max(1, len(mutants)):.1%})"


if __name__ == "__main__":
    main()
