"""Reads one expression or call as a check: what it asserts and how much it demands; it knows no statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

TRIVIAL, LOOSE, FAIR, STRONG, EXACT = 0, 1, 3, 4, 6
BROAD_EXCEPTIONS = frozenset({"Exception", "BaseException"})
ANYTHING = frozenset({"ANY", "mock.ANY", "unittest.mock.ANY"})
APPROX_RELATIVE = 1e-6  # pytest.approx's own default
ISCLOSE_RELATIVE = 1e-9  # math.isclose's own default
_MOST = 1e300  # what is taken for no bound at all
_BOUNDLESS = frozenset({"float('inf')", "float('Infinity')", "math.inf", "inf", "np.inf", "numpy.inf"})
PLACES = 7  # assertAlmostEqual's own default

_COMPARISONS: dict[type[ast.cmpop], tuple[str, int]] = {
    ast.Eq: ("eq", EXACT), ast.Is: ("is", EXACT), ast.NotEq: ("ne", 2), ast.IsNot: ("isnot", LOOSE),
    ast.In: ("in", STRONG), ast.NotIn: ("notin", FAIR), ast.Lt: ("lt", STRONG), ast.LtE: ("le", STRONG),
    ast.Gt: ("gt", STRONG), ast.GtE: ("ge", STRONG),
}  # fmt: skip
_UNITTEST: dict[str, tuple[str, int]] = {
    "assertEqual": ("eq", EXACT), "assertEquals": ("eq", EXACT), "assertListEqual": ("eq", EXACT),
    "assertDictEqual": ("eq", EXACT), "assertSetEqual": ("eq", EXACT), "assertTupleEqual": ("eq", EXACT),
    "assertMultiLineEqual": ("eq", EXACT), "assertSequenceEqual": ("eq", EXACT), "assertCountEqual": ("sameitems", 5),
    "assertNotEqual": ("ne", 2), "assertIs": ("is", EXACT), "assertIsNot": ("isnot", LOOSE),
    "assertTrue": ("truthy", FAIR), "assertFalse": ("falsy", FAIR), "assertIsNone": ("isnone", EXACT),
    "assertIsNotNone": ("isnotnone", LOOSE), "assertIn": ("in", STRONG), "assertNotIn": ("notin", FAIR),
    "assertLess": ("lt", STRONG), "assertLessEqual": ("le", STRONG), "assertGreater": ("gt", STRONG),
    "assertGreaterEqual": ("ge", STRONG), "assertIsInstance": ("isinstance", FAIR), "assertRegex": ("regex", STRONG),
    "assertAlmostEqual": ("approx", 5), "assertNotAlmostEqual": ("ne", 2),
}  # fmt: skip
UNITTEST_CHECKS = frozenset(_UNITTEST)
RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "warns", "assertWarns", "assertWarnsRegex"})
CALL_PREFIXES = ("assert", "check_", "verify_", "expect_", "ensure_")


@dataclass(frozen=True)
class Check:
    """One check. `subject` and `value` are normalised source; `guards` counts the conditions it stands under."""

    op: str
    subject: str
    value: str
    strength: int
    line: int
    guards: int = 0
    swallowed: bool = False
    tolerance: float = 0.0

    @property
    def form(self) -> tuple[str, str, str, float]:
        """What makes two checks the same check."""
        return self.op, self.subject, self.value, self.tolerance

    @property
    def leaves(self) -> frozenset[str]:
        """The names and literals that the check is about."""
        return _leaves(f"({self.subject}, {self.value or None})")

    def __str__(self) -> str:
        return f"{self.op} {self.subject} {self.value}".strip()


def _leaves(source: str) -> frozenset[str]:
    try:
        nodes = list(ast.walk(ast.parse(source, mode="eval")))
    except SyntaxError:
        return frozenset(source.split())
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    literals = {repr(n.value) for n in nodes if isinstance(n, ast.Constant) and n.value is not None}
    return frozenset(names | attributes | literals)


def expression_checks(test: ast.expr, line: int) -> Iterator[Check]:
    """The checks in an asserted expression: one for each part of a conjunction."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            yield from expression_checks(value, line)
        return
    yield _one_check(test, line)


def _one_check(test: ast.expr, line: int) -> Check:
    if is_trivial(test):
        return Check("trivial", ast.unparse(test), "", TRIVIAL, line)
    match test:
        case ast.BoolOp():
            return Check("or", ast.unparse(test), "", LOOSE, line)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Compare() | ast.UnaryOp() as inner):
            return _negated(_one_check(inner, line))
        case ast.UnaryOp(op=ast.Not()):
            return Check("falsy", ast.unparse(test.operand), "", FAIR, line)
        case ast.Compare(ops=[op], comparators=[right]):
            return _comparison(test.left, op, right, line=line)
        case ast.Compare():
            return Check("chain", ast.unparse(test), "", STRONG, line)
        case ast.Call():
            return _truthy_call(test, line)
        case _:
            strength = 2 if isinstance(test, ast.Name | ast.Attribute) else FAIR
            return Check("truthy", ast.unparse(test), "", strength, line)


OPPOSITE = {"eq": "ne", "is": "isnot", "in": "notin", "truthy": "falsy", "lt": "ge", "gt": "le", "isnone": "isnotnone"}
OPPOSITE |= {value: key for key, value in OPPOSITE.items()}
_STRENGTH_OF = {"eq": EXACT, "is": EXACT, "ne": 2, "isnot": LOOSE, "isnone": EXACT, "isnotnone": LOOSE}


def _negated(check: Check) -> Check:
    opposite = OPPOSITE.get(check.op, f"not {check.op}")
    return replace(check, op=opposite, strength=_STRENGTH_OF.get(opposite, FAIR))


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, *, line: int) -> Check:
    name, strength = _COMPARISONS[type(op)]
    if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant) and name in ("eq", "ne", "is", "isnot"):
        left, right = right, left
    if name in ("eq", "is", "in") and isinstance(left, ast.Call) and last_name(left.func) == "type" and left.args:
        return Check("isinstance", ast.unparse(left.args[0]), ast.unparse(right), FAIR, line)
    if isinstance(right, ast.Constant) and (right.value is None or isinstance(right.value, bool)):
        return _against_constant(left, name, right.value, line=line)
    for one, other in ((left, right), (right, left)):
        if name == "eq" and isinstance(one, ast.Call) and last_name(one.func) == "approx" and one.args:
            expected, actual = ast.unparse(one.args[0]), ast.unparse(other)
            return Check("approx", actual, expected, 5, line, tolerance=_tolerance(one, APPROX_RELATIVE))
    if ast.unparse(right) in ANYTHING or ast.unparse(left) in ANYTHING:
        return Check("any", ast.unparse(left), ast.unparse(right), TRIVIAL, line)
    if name in ("lt", "le") and (limit := _number(right)) is not None and _is_distance(left):
        return Check("approx", ast.unparse(left), "", 5, line, tolerance=limit)
    return Check(name, ast.unparse(left), ast.unparse(right), strength, line)


def _against_constant(left: ast.expr, name: str, value: bool | None, *, line: int) -> Check:
    positive = name in ("eq", "is")
    if value is None:
        op, strength = ("isnone", EXACT) if positive else ("isnotnone", LOOSE)
        return Check(op, ast.unparse(left), "", strength, line)
    return Check("truthy" if positive == value else "falsy", ast.unparse(left), "", FAIR, line)


def _truthy_call(call: ast.Call, line: int) -> Check:
    name, arguments = last_name(call.func), call.args
    if name == "isinstance" and len(arguments) == 2:
        return Check("isinstance", ast.unparse(arguments[0]), ast.unparse(arguments[1]), FAIR, line)
    if name == "isclose" and len(arguments) >= 2:
        left, right = ast.unparse(arguments[0]), ast.unparse(arguments[1])
        return Check("approx", left, right, 5, line, tolerance=_tolerance(call, ISCLOSE_RELATIVE))
    strength = LOOSE if name in ("any", "hasattr", "callable", "len", "bool") else FAIR
    return Check("truthy", ast.unparse(call), "", strength, line)


def _is_distance(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "abs"


def is_trivial(test: ast.expr) -> bool:
    """Whether the expression is true whatever the program does."""
    if not any(isinstance(node, ast.Name) for node in ast.walk(test)):
        return True
    match test:
        case ast.Tuple(elts=elements):
            return bool(elements)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(constant_truth(value) is True or is_trivial(value) for value in values)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is() | ast.LtE() | ast.GtE()], comparators=[right]):
            same = ast.unparse(right) in _sources(left) or ast.unparse(left) in _sources(right)
            length = isinstance(left, ast.Call) and last_name(left.func) == "len" and isinstance(test.ops[0], ast.GtE)
            return same or (length and _number(right) == 0)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
        case ast.Lambda():
            return True
        case _:
            return False


def _sources(node: ast.expr) -> tuple[str, ...]:
    """An expression as source; where it gives itself a name, also that name and what is named."""
    named = (ast.unparse(node.target), ast.unparse(node.value)) if isinstance(node, ast.NamedExpr) else ()
    return ast.unparse(node), *named


def constant_truth(test: ast.expr) -> bool | None:
    """The truth of an expression that names nothing; None when it depends on something."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.List | ast.Tuple | ast.Dict | ast.Set) and not ast.dump(test).count("elts=[A"):
        return bool(getattr(test, "elts", None) or getattr(test, "keys", None))
    if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = constant_truth(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.IfExp):
        truth = constant_truth(test.body)
        return truth if truth is constant_truth(test.orelse) else None
    return None


# --- calls ----------------------------------------------------------------------------------------------


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`, of `c` and of `c(...)`; empty for other shapes."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


_ENDING_NAMES = frozenset({"skip", "skipTest", "xfail", "exit", "_exit", "quit", "abort"})


def ending_call(call: ast.Call) -> str | None:
    """`skip`, `xfail` or `exit` for a call that ends the test on the spot."""
    if last_name(call.func) not in _ENDING_NAMES:
        return None
    dotted = ast.unparse(call.func)
    if dotted in ("pytest.skip", "self.skipTest", "skip", "unittest.skip"):
        return "skip"
    if dotted in ("pytest.xfail", "xfail"):
        return "xfail"
    ends = ("sys.exit", "os._exit", "exit", "quit", "pytest.exit", "os.abort", "_exit")
    return "exit" if dotted in ends else None


def is_check_call(node: ast.AST) -> bool:
    """Whether the node calls something that checks, judged by its name."""
    if not isinstance(node, ast.Call):
        return False
    name = last_name(node.func)
    return name.startswith(CALL_PREFIXES) or name in RAISES


def call_checks(call: ast.Call, line: int) -> Iterator[Check]:
    """The check that a call statement makes, if any."""
    name = last_name(call.func)
    arguments = [ast.unparse(argument) for argument in call.args]
    if name in RAISES:
        yield raises_check(call, line)
    elif name in _UNITTEST and arguments:
        yield _unittest_check(call, name, line=line)
    elif name.startswith(CALL_PREFIXES):
        op, joined = f"call:{name}", ", ".join(arguments)
        yield Check(op, ast.unparse(call.func), joined, 5, line, tolerance=_call_tolerance(call))


def _call_tolerance(call: ast.Call) -> float:
    return sum(_keyword(call, name) or 0.0 for name in ("rtol", "atol", "rel", "abs", "rel_tol", "abs_tol"))


def _unittest_check(call: ast.Call, name: str, *, line: int) -> Check:
    op, strength = _UNITTEST[name]
    if op in ("truthy", "falsy"):
        inner = _one_check(call.args[0], line)
        return inner if op == "truthy" else _negated(inner) if inner.op != "trivial" else inner
    arguments = list(call.args)
    if len(arguments) < 2:
        return Check(op, ast.unparse(arguments[0]), "", strength, line)
    left, right = arguments[0], arguments[1]
    comparisons = {value[0]: key for key, value in _COMPARISONS.items()}
    if op in comparisons:
        compare = ast.Compare(left=left, ops=[comparisons[op]()], comparators=[right])
        return _one_check(compare, line)
    tolerance = _almost(call) if op == "approx" else 0.0
    return Check(op, ast.unparse(left), ast.unparse(right), strength, line, tolerance=tolerance)


def _almost(call: ast.Call) -> float:
    delta = _keyword(call, "delta")
    if delta is not None:
        return delta
    places = _keyword(call, "places")
    if places is None and len(call.args) > 2:
        places = _number(call.args[2])
    return float(10.0 ** -(PLACES if places is None else max(-300.0, min(300.0, places))))


def _tolerance(call: ast.Call, default: float) -> float:
    given = [_keyword(call, name) for name in ("rel", "abs", "rel_tol", "abs_tol")]
    numbers = [number for number in given if number is not None]
    return max(numbers) if numbers else default


def _keyword(call: ast.Call, name: str) -> float | None:
    return next((_number(keyword.value) for keyword in call.keywords if keyword.arg == name), None)


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if ast.unparse(node) in _BOUNDLESS:
        return _MOST
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(min(max(node.value, -_MOST), _MOST))
    return None


_FITS_ALL = frozenset(repr(pattern) for pattern in ("", ".*", ".+", "^", "^.*$", ".", "(?s).*", r"[\s\S]*"))


def raises_check(call: ast.Call, line: int) -> Check:
    """The check that an exception or a warning occurs."""
    first = call.args[0] if call.args else None
    kinds = [] if first is None else list(first.elts) if isinstance(first, ast.Tuple) else [first]
    names = sorted(ast.unparse(kind) for kind in kinds)
    broad = not kinds or any(last_name(kind) in BROAD_EXCEPTIONS for kind in kinds)
    match = next((ast.unparse(k.value) for k in call.keywords if k.arg in ("match", "expected_regex")), "")
    if not match and last_name(call.func).endswith("Regex") and len(call.args) > 1:
        match = ast.unparse(call.args[1])
    if match in _FITS_ALL:
        match = ""
    strength = LOOSE if broad else (EXACT if match else 5) - (len(kinds) - 1)
    asked = match if match else ", ".join(ast.unparse(argument) for argument in call.args[1:])
    return Check("raises", ", ".join(names), asked, max(strength, LOOSE), line)
