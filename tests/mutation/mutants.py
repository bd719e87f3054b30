"""Which mutants a module has, and how a running process takes one on."""

from __future__ import annotations

import ast
import copy
import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.MatMult: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Mutant:
    """One change of a module's source.

    Attributes:
        module: its dotted name.
        line: where it is.
        change: what becomes of what.
        number: which change of the module it is, counted as `mutants` finds them.
        function: the qualified name of the outermost function or method around it; None for a constant of the module.
        constant: the constant's name, where there is no function.
    """

    module: str
    line: int
    change: str
    number: int
    function: str | None
    constant: str | None

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function or self.constant}: {self.change}"


def mutants(module: str) -> list[Mutant]:
    """All mutants of a module: in the bodies of its functions, and its constants that are numbers."""
    return [
        Mutant(module, change.node.lineno, str(change), number, change.function, change.constant)
        for number, change in enumerate(_changes(_tree(module)))
    ]


def take_on(mutant: Mutant) -> None:
    """Makes this process behave as if the module had been written so.

    Raises:
        LookupError: nothing in the process runs the code that changed.
    """
    tree = _tree(mutant.module)
    list(_changes(tree))[mutant.number].apply()
    if mutant.function is not None:
        code = compile(tree, str(_path(mutant.module)), "exec")
        changed = [
            _exchange(function, new)
            for new in _codes(code)
            if new.co_qualname == mutant.function
            for function in _functions(mutant.module, new)
        ]
        if not changed:
            raise LookupError(mutant)
        return
    name = mutant.constant
    assert name is not None
    owner = sys.modules[mutant.module]
    old = getattr(owner, name)
    statement = next(each for each in tree.body if _constant(each) == name)
    assert isinstance(statement, ast.Assign)
    expression = ast.fix_missing_locations(ast.Expression(statement.value))
    new_value = eval(compile(expression, mutant.module, "eval"), dict(vars(owner)))
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("losscli") and vars(module).get(name) is old:
            setattr(module, name, new_value)


def _path(module: str) -> Path:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def _tree(module: str) -> ast.Module:
    return ast.parse(_path(module).read_text())


def _outermost(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _outermost(child, prefix + child.name + ".")


def _constant(statement: ast.stmt) -> str | None:
    """The name of a constant of the module that a statement sets."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


@dataclass(frozen=True)
class _Change:
    """New values for some attributes of a node."""

    node: Any
    attributes: dict[str, Any]
    function: str | None = None
    constant: str | None = None

    def apply(self) -> None:
        for name, value in self.attributes.items():
            setattr(self.node, name, value)

    def __str__(self) -> str:
        after = copy.copy(self.node)
        for name, value in self.attributes.items():
            setattr(after, name, value)
        return f"{ast.unparse(self.node)} -> {ast.unparse(after)}"


def _changes(tree: ast.Module) -> Iterator[_Change]:
    for statement in tree.body:
        if (name := _constant(statement)) is not None:
            for node, attributes in _in(statement):
                yield _Change(node, attributes, constant=name)
    for name, function in _outermost(tree, ""):
        for statement in function.body:
            for node, attributes in _in(statement):
                yield _Change(node, attributes, function=name)


def _in(root: ast.AST) -> Iterator[tuple[Any, dict[str, Any]]]:
    for node in _walk(root):
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not _is_text(node):
            yield node, {"op": ARITHMETIC[type(node.op)]()}
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
            yield node, {"ops": [COMPARISONS[type(node.ops[0])](), *node.ops[1:]]}
        elif isinstance(node, ast.BoolOp):
            yield node, {"op": ast.Or() if isinstance(node.op, ast.And) else ast.And()}
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield node, {"op": ast.UAdd()}
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, {"operand": ast.copy_location(ast.UnaryOp(ast.Not(), node.operand), node)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            yield node, {"value": _other(node.value)}


def _walk(root: ast.AST) -> Iterator[ast.AST]:
    """All nodes that compute: no annotations, no text of messages."""
    yield root
    for name, field in ast.iter_fields(root):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr | ast.Raise):
                yield from _walk(child)


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (node.left, node.right))


def _other(value: float) -> float:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value * 2 if value else 1.0


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _functions(module: str, code: CodeType) -> list[FunctionType]:
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, FunctionType)
        and each.__module__ == module
        and each.__code__.co_qualname == code.co_qualname
        and each.__code__.co_firstlineno == code.co_firstlineno
    ]


def _exchange(function: FunctionType, code: CodeType) -> None:
    function.__code__ = code
