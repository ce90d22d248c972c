"""Faults in tables, which mutmut leaves alone: rows lost or moved, one name taken for another.

Each operator has mutmut's form: a type of node, and a function from a node to the nodes
that may stand in its place. Those that need names take them from the module's own text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import libcst as cst
import libcst.matchers as m

Operators = Sequence[tuple[type[cst.CSTNode], Callable[..., Iterable[cst.CSTNode]]]]
_OPPOSITE = {"All": "Any", "Any": "All", "all": "any", "any": "all", "min": "max", "max": "min"}
# The parts of a condition may come in any order.
_ROW = m.Call(func=m.Name(m.MatchIfTrue(lambda name: name not in {"All", "Any", "Not"})))
_WRITTEN = cst.MaybeSentinel.DEFAULT
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")


def table_operators(module: cst.Module) -> Operators:
    """The operators for one module; the names that they exchange are the module's own."""
    constants = _names_of_constants(module)
    members = _members(module)

    def another_constant(node: cst.Arg | cst.Element) -> Iterator[cst.CSTNode]:
        if isinstance(node.value, cst.Name) and node.value.value in constants:
            other = _next(constants, node.value.value)
            yield node.with_changes(value=node.value.with_changes(value=other))

    def another_member(node: cst.Attribute) -> Iterator[cst.CSTNode]:
        if isinstance(node.value, cst.Name) and node.attr.value in members.get(node.value.value, []):
            other = _next(members[node.value.value], node.attr.value)
            yield node.with_changes(attr=node.attr.with_changes(value=other))

    return (
        (cst.Tuple, _one_element_less),
        (cst.List, _one_element_less),
        (cst.Set, _one_element_less),
        (cst.Tuple, _neighbours_exchanged),
        (cst.List, _neighbours_exchanged),
        (cst.Call, _opposite_function),
        (cst.Call, _negation_lost),
        (cst.CompFor, _filter_lost),
        (cst.If, _condition_negated),
        (cst.BooleanOperation, _one_side_only),
        (cst.Arg, another_constant),
        (cst.Element, another_constant),
        (cst.Attribute, another_member),
    )


def _one_element_less(node: cst.Tuple | cst.List | cst.Set) -> Iterator[cst.CSTNode]:
    if not node.lpar and isinstance(node, cst.Tuple):
        return  # the targets of an assignment: any change fails at once and tells nothing
    least = 2 if isinstance(node, cst.Set) else 1  # `{}` is no set
    if len(node.elements) >= least:
        for i in range(len(node.elements)):
            yield _with_elements(node, [*node.elements[:i], *node.elements[i + 1 :]])


def _neighbours_exchanged(node: cst.Tuple | cst.List) -> Iterator[cst.CSTNode]:
    for i, (first, second) in enumerate(zip(node.elements, node.elements[1:], strict=False)):
        if m.matches(first.value, _ROW) and m.matches(second.value, _ROW):
            exchanged = (first.with_changes(value=second.value), second.with_changes(value=first.value))
            yield _with_elements(node, [*node.elements[:i], *exchanged, *node.elements[i + 2 :]])


def _with_elements(node: cst.Tuple | cst.List | cst.Set, elements: Sequence[cst.BaseElement]) -> cst.CSTNode:
    # Only what stood last may lack its comma; libcst writes one where it is left to it.
    inner = [e if isinstance(e.comma, cst.Comma) else e.with_changes(comma=_WRITTEN) for e in elements[:-1]]
    return node.with_changes(elements=[*inner, *elements[-1:]])


def _opposite_function(node: cst.Call) -> Iterator[cst.CSTNode]:
    if isinstance(node.func, cst.Name) and node.func.value in _OPPOSITE:
        yield node.with_changes(func=cst.Name(_OPPOSITE[node.func.value]))


def _negation_lost(node: cst.Call) -> Iterator[cst.CSTNode]:
    if m.matches(node, m.Call(func=m.Name("Not"), args=[m.Arg()])):
        yield node.args[0].value


def _filter_lost(node: cst.CompFor) -> Iterator[cst.CSTNode]:
    if node.ifs:
        yield node.with_changes(ifs=())


def _condition_negated(node: cst.If) -> Iterator[cst.CSTNode]:
    inner = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    space = cst.SimpleWhitespace(" ")
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), inner), whitespace_before_test=space)


def _one_side_only(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    for side in (node.left, node.right):
        yield side.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]) if not side.lpar else side


def _names_of_constants(module: cst.Module) -> list[str]:
    """The constants that the module defines or imports, in the order of its text."""
    found: list[str] = []
    for statement in module.body:
        for target in m.findall(statement, m.AssignTarget(m.Name()) | m.AnnAssign(m.Name())):
            found.append(cst.ensure_type(target.target, cst.Name).value)  # type: ignore[attr-defined]
        for alias in m.findall(statement, m.ImportAlias(m.Name())):
            found.append(cst.ensure_type(cst.ensure_type(alias, cst.ImportAlias).name, cst.Name).value)
    return [name for name in dict.fromkeys(found) if _CONSTANT.fullmatch(name)]


def _members(module: cst.Module) -> dict[str, list[str]]:
    """Class -> the members in capitals that the module names; one alone has no other to be taken for."""
    found: dict[str, list[str]] = {}
    for node in m.findall(module, m.Attribute(m.Name(), m.Name())):
        attribute = cst.ensure_type(node, cst.Attribute)
        owner, member = cst.ensure_type(attribute.value, cst.Name).value, attribute.attr.value
        if owner[0].isupper() and _CONSTANT.fullmatch(member) and member not in found.setdefault(owner, []):
            found[owner].append(member)
    return {owner: members for owner, members in found.items() if len(members) > 1}


def _next(names: Sequence[str], name: str) -> str:
    return names[(names.index(name) + 1) % len(names)]
