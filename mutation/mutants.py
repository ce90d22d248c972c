"""The faults of one module: its text with one small change each, as mutmut would make it."""

import ast
from collections.abc import Iterator

import attrs
import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from mutation.tables import table_operators


@attrs.frozen
class Mutant:
    """One fault: the module's whole text with it, and the first line that it changes.

    `before` and `after` are that line without its indentation, so that they name the
    fault whatever is written above it; `after` is empty where the line is lost.
    `function` is the outermost function with the fault in its body, as its code's
    qualified name and first line; None where something else changes.
    """

    line: int
    before: str
    after: str
    function: tuple[str, int] | None
    text: str = attrs.field(repr=False)


def mutants_of(text: str) -> tuple[Mutant, ...]:
    """Every fault of a module that still compiles and differs from the others, in the order of lines."""
    out = []
    for before, statement, faulty in _faulty_statements(text):
        above = text.count("\n", 0, before)
        found = {ast.dump(ast.parse(statement))}
        for changed in faulty:
            try:
                dump = ast.dump(ast.parse(changed))
            except SyntaxError:
                continue
            if dump not in found:
                found.add(dump)
                function = _changed_function(statement, changed)
                place = (function[0], function[1] + above) if function else None
                out.append(_mutant(text, text[:before] + changed + text[before + len(statement) :], place))
    return tuple(sorted(out, key=lambda mutant: mutant.line))


def _changed_function(real: str, faulty: str) -> tuple[str, int] | None:
    """The outermost function whose body is all that differs, if there is one."""
    mine, theirs = dict(_bodies(ast.parse(real))), dict(_bodies(ast.parse(faulty)))
    if mine.keys() != theirs.keys() or _skeleton(real) != _skeleton(faulty):
        return None
    changed = [place for place in mine if mine[place] != theirs[place]]
    return changed[0] if len(changed) == 1 else None


def _bodies(tree: ast.AST, prefix: str = "") -> Iterator[tuple[tuple[str, int], str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _bodies(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            # A function's code begins where its decorators do.
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield (f"{prefix}{node.name}", first), "\n".join(map(ast.dump, node.body))


def _skeleton(text: str) -> str:
    """The tree of a text without the bodies of its functions."""
    return ast.dump(_Hollow().visit(ast.parse(text)))


class _Hollow(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Pass()]
        return node


def _faulty_statements(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(characters before it, its text, its faulty texts) of each statement at the module's own level.

    A fault changes one of them. Writing and parsing that one alone costs a tenth of the whole module.
    """
    wrapper = MetadataWrapper(cst.parse_module(text))
    operators = (*mutation_operators, *table_operators(wrapper.module))
    visitor = _Visitor(operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    at = sum(len(module.code_for_node(line)) for line in module.header)
    changes = iter(visitor.mutations)
    change = next(changes, None)
    for statement in module.body:
        written = module.code_for_node(statement)
        faulty = []
        inside = _nodes(statement)
        while change and change.original_node in inside:
            node = deep_replace(statement, change.original_node, change.mutated_node)
            faulty.append(module.code_for_node(node) if isinstance(node, cst.CSTNode) else "")
            change = next(changes, None)
        yield at, written, faulty
        at += len(written)
    assert change is None


def _nodes(tree: cst.CSTNode) -> set[cst.CSTNode]:
    return {tree}.union(*map(_nodes, tree.children))


class _Visitor(MutationVisitor):
    """mutmut's, but into decorated functions and defaults too: nothing is switched at run time here."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Assign | cst.AnnAssign) and _names_a_type(node):
            return True
        return isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom)


def _names_a_type(node: cst.Assign | cst.AnnAssign) -> bool:
    """Whether it is an alias such as `Names = Mapping[str, str]`, which only type checkers read."""
    target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
    return isinstance(target, cst.Name) and target.value[0].isupper() and not target.value.isupper()


def _mutant(text: str, changed: str, function: tuple[str, int] | None) -> Mutant:
    old, new = text.splitlines(), changed.splitlines()
    first = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    lost = new[first:] and old[first + len(old) - len(new) :] == new[first:]
    after = new[first] if first < len(new) and not (lost and len(new) < len(old)) else ""
    return Mutant(first + 1, old[first].strip(), after.strip(), function, changed)
