"""What the functions can say to CloudFormation, read from their source.

A message is an f-string or a string that reaches a ``Fail``, a ``PermanentError``, the answer of a
failure or a wait that ends after the grace period, be it by way of a variable or of a function of
the package. What is filled in when it is said is `...`.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parents[2] / "lambdas" / "recommender"

_SAYS: Final = {"Fail", "PermanentError", "NoServiceError", "failure", "_failed", "_unexpected"}
_LETTERS: Final = 10
"""A template with fewer letters of its own says nothing that could be looked up."""

Scope = dict[str, list[ast.expr]]


def templates() -> set[str]:
    """Return all messages that the functions can answer."""
    modules = [ast.parse(path.read_text()) for path in sorted(SOURCES.rglob("*.py"))]
    returned: Scope = {}
    for function in _functions(modules):
        returned.setdefault(function.name, []).extend(
            node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value
        )
    found: set[str] = set()
    for module in modules:
        constants = _assigned(module.body)
        for scope in (module, *_functions([module])):
            names = {**constants, **_assigned(ast.walk(scope))}
            for said in _said(scope):
                found |= set(_templates(said, returned | names, frozenset()))
    return {text for text in found if _is_message(text)}


def _is_message(text: str) -> bool:
    """Whether it is one, not a name, nor a part of one that begins with a comma."""
    return " " in text and text[0].strip(",; ") != "" and sum(map(str.isalpha, text)) >= _LETTERS


def _functions(modules: Iterable[ast.AST]) -> Iterator[ast.FunctionDef]:
    for module in modules:
        yield from (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def _assigned(nodes: Iterable[ast.AST]) -> Scope:
    scope: Scope = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                scope.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                scope.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                scope.setdefault(name, []).append(value)
    return scope


def _said(scope: ast.AST) -> Iterator[ast.expr]:
    """Return what is said in a function, as an argument of what says it."""
    for node in ast.walk(scope):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name in _SAYS:
                yield from args
            case ast.Call(func=ast.Name(id="Wait"), args=args, keywords=keywords):
                if any(one.arg == "grace" for one in keywords):
                    yield from args
            case ast.Call(
                func=ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super"))),
                args=args,
            ):
                yield from args
            case ast.FunctionDef(name="out_of_time" | "with_hint"):
                yield from (
                    one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value
                )


def _templates(node: ast.expr, scope: Scope, seen: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts
            )
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    yield from _templates(part.value, scope, seen)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _templates(body, scope, seen)
            yield from _templates(orelse, scope, seen)
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
            name in scope and name not in seen
        ):
            for value in scope[name]:
                yield from _templates(value, scope, seen | {name})
