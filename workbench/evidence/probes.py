"""Probes: notes which lines of a few named files run, by a mark that is compiled into those files alone; no judge.

Tracing slows every line of every module; a mark slows only the lines that are asked about. Files are matched when
their source is compiled, whoever compiles it, so that byte code on disk is passed by. This file is copied beside the
run and loaded in whatever Python the project uses (3.8 or newer): it imports nothing but the standard library.

A mark is the statement `NAME[line] = 1` before a statement, where `NAME` is a list of this run alone. It is found among
the built-in names, and as a name of the module wherever the code is carried into another process. What statement a
mark stands before, coverage.py's notion of lines decides: the head of a compound statement is marked when it is
reached, an `except` or a `case` when it is tried. Of the lines that are named, the conditions of `if` and `while` are
marked as well, once for each way that they go.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import importlib.machinery
import os
import sys
from typing import Any

_INHERITED = 0
for _feature in __future__.all_feature_names:
    _INHERITED |= getattr(__future__, _feature).compiler_flag  # what `compile` takes over from the code that calls it
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_SCOPES, ast.ClassDef)
_OLD_INDEX = sys.version_info[:2] == (3, 8)
_LISTS = ("body", "orelse", "finalbody")  # of statements, in the order in which they stand


class Probes:
    """The marks of `files`: which were set, and which files could not be given any, with the reason."""

    def __init__(self, files: list[str], lines: dict[str, list[int]] | None = None) -> None:
        self._lines = {file: frozenset(numbers) for file, numbers in (lines or {}).items()}
        self._sizes: dict[str, int] = {}  # of the part of a list that holds lines; ways of conditions follow
        self._taken: dict[str, set[int]] = {}
        self._names = {os.path.basename(file) for file in files}  # noqa: PTH119
        self._files = {os.path.realpath(file): file for file in files}
        self._known: dict[str, str] = {}  # as a compiler names them, absolute, to the file or ""
        self._token = os.urandom(6).hex()
        self._marks: dict[str, list[int]] = {}
        self._problems: dict[str, str] = {}
        self._conditions: dict[str, set[int]] = {}
        self._places = {file: self._places_in(file) for file in files}

    def install(self) -> None:
        """From now on compile the files with marks; one that was imported before is a problem."""
        for file in self._imported():
            self._problems[file] = "it was imported before the measuring began"
        builtins.compile = _marking(builtins.compile, self)
        _without_cache(self)

    def places(self) -> dict[str, list[int]]:
        """By file the lines that can be marked."""
        return self._places

    def conditions(self) -> dict[str, list[int]]:
        """By file the lines whose conditions can be marked."""
        return {file: sorted(found) for file, found in self._conditions.items() if found}

    def taken(self) -> dict[str, list[int]]:
        """By file the lines that were marked since this was last asked."""
        fresh = {}
        for file, marks in self._marks.items():
            if 1 in marks:
                indexes = [index for index, hit in enumerate(marks) if hit]
                self._taken.setdefault(file, set()).update(indexes)
                for index in indexes:
                    marks[index] = 0
                fresh[file] = [index for index in indexes if index < self._sizes.get(file, 0)]
        return fresh

    def hits(self) -> dict[str, list[int]]:
        """By file the lines that were marked."""
        self.taken()
        found = self._taken
        return {file: sorted(i for i in found.get(file, ()) if i < self._sizes[file]) for file in self._places}

    def ways(self) -> dict[str, list[list[int]]]:
        """By file [line, 1 or 0] for each condition that was true, or false."""
        self.taken()
        return {file: self._ways_in(file, self._sizes[file]) for file in self._conditions}

    def _ways_in(self, file: str, size: int) -> list[list[int]]:
        return [list(divmod(index - size, 2)) for index in sorted(self._taken.get(file, ())) if index >= size]

    def problems(self) -> dict[str, str]:
        """The files of which nothing can be told, with the reason."""
        unseen = {file: "it was loaded past the measuring" for file in self._imported() if file not in self._marks}
        return {**unseen, **self._problems}

    def file_of(self, filename: Any) -> str:
        """The file that a compiler's name means, or "" if it is none of ours."""
        try:
            name = os.fsdecode(filename)
        except TypeError:
            return ""
        if os.path.basename(name) not in self._names:  # noqa: PTH119
            return ""
        absolute = os.path.abspath(name)  # noqa: PTH100
        if absolute not in self._known:
            self._known[absolute] = self._files.get(os.path.realpath(absolute), "")
        return self._known[absolute]

    def mark(self, file: str, tree: Any) -> Any:
        """The tree with marks, in place."""
        name = f"__wb_{self._token}_{list(self._places).index(file)}__"
        marks = self._marks.setdefault(file, [])
        setattr(builtins, name, marks)
        marker = _Marker(name, self._lines.get(file, frozenset()))
        try:
            marker.module(tree, self._sizes.get(file, 0))
        finally:
            self._sizes[file] = marker.size
            marks.extend([0] * (3 * marker.size - len(marks)))
        return tree

    def failed(self, file: str, reason: str) -> None:
        """Nothing can be told of `file`."""
        self._problems[file] = reason

    def _imported(self) -> list[str]:
        found = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        return sorted({self.file_of(file) for file in found} - {""})

    def _places_in(self, file: str) -> list[int]:
        try:
            with open(file, "rb") as source:
                marker = _Marker("_", self._lines.get(file, frozenset()))
                marker.module(ast.parse(source.read()))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return []  # it can be loaded as little, and says so then
        finally:
            self._sizes.setdefault(file, 0)
        self._sizes[file] = marker.size
        self._conditions[file] = marker.conditions
        return sorted(marker.lines)


def _marking(plain: Any, probes: Probes) -> Any:
    """`compile` with marks in the files; with the features that it takes over from the code that calls it."""

    def compile(
        source: Any,
        filename: Any,
        mode: str,
        flags: int = 0,
        dont_inherit: bool = False,
        optimize: int = -1,
        **more: Any,
    ) -> Any:
        if not dont_inherit:
            flags |= sys._getframe(1).f_code.co_flags & _INHERITED
        more.update(dont_inherit=True, optimize=optimize)
        file = probes.file_of(filename) if mode == "exec" and not flags & ast.PyCF_ONLY_AST else ""
        if not file:
            return plain(source, filename, mode, flags, **more)
        given = isinstance(source, ast.AST)
        tree = source if given else plain(source, filename, mode, flags | ast.PyCF_ONLY_AST, **more)
        try:
            return plain(probes.mark(file, tree), filename, mode, flags, **more)
        except SyntaxError:
            raise
        except Exception as error:  # noqa: BLE001  # what cannot take marks is still to be run
            probes.failed(file, f"it could not be marked: {type(error).__name__}: {error}"[:200])
            return plain(source, filename, mode, flags, **more)

    compile.__qualname__, compile.__module__, compile.__doc__ = "compile", "builtins", plain.__doc__
    return compile


def _without_cache(probes: Probes) -> None:
    """Let imports of the files pass by byte code on disk: none is read, and none with marks is left."""
    bases = importlib.machinery.SourceFileLoader.__mro__
    loader: Any = next(base for base in bases if "get_code" in vars(base))  # which all loaders of source share
    plain = loader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path) if probes.file_of(path) else plain(self, fullname)

    loader.get_code = get_code


class _Marker:
    """Puts marks before the statements of a tree, in place, and remembers their lines."""

    def __init__(self, name: str, wanted: frozenset[int] = frozenset()) -> None:
        self._name = name
        self._wanted = wanted
        self.lines: set[int] = set()
        self.conditions: set[int] = set()
        self.size = 0  # of the part of the list that holds lines

    def module(self, tree: Any, size: int = 0) -> None:
        """Mark a module; where the list is not known, as in another process, it makes one of its own."""
        self.size = max(size, 1 + max((getattr(node, "lineno", 0) for node in ast.walk(tree)), default=0))
        opening = _opening(tree.body)
        body = self._block(tree.body[opening:])
        for node in tree.body[_docstring(tree.body) : opening]:
            self.lines.add(node.lineno)
            body.insert(0, self._statement(node.lineno))
        if body:
            body[0:0] = self._own(body[0])
        tree.body[opening:] = body

    def _own(self, near: Any) -> list[Any]:
        name, length = self._name, 3 * self.size
        text = f"try:\n {name} = {name}\nexcept NameError:\n {name} = [0] * {length}\n"
        return [_placed(node, near) for node in ast.parse(text).body]

    def _block(self, body: list[Any], *, skipped: int = 0) -> list[Any]:
        marked = body[:skipped]
        for node in body[skipped:]:
            lines = _lines_of(node)
            self.lines.update(lines)
            marked += [self._statement(line) for line in lines]
            self._inside(node)
            marked.append(node)
        return marked

    def _inside(self, node: Any) -> None:
        for field in _LISTS:
            inner = getattr(node, field, None)
            if inner:
                skipped = _docstring(inner) if isinstance(node, _DEFINITIONS) else 0
                setattr(node, field, self._block(inner, skipped=skipped))
        for handler in getattr(node, "handlers", ()):
            self._handler(handler)
        if type(node).__name__ == "Match":
            self._cases(node)
        if isinstance(node, (ast.If, ast.While)) and node.lineno in self._wanted:
            self._condition(node)
        if isinstance(node, ast.ClassDef):  # its names may be looked up in a namespace that answers to any
            node.body.insert(_docstring(node.body), _placed(ast.Global(names=[self._name]), node))

    def _condition(self, node: Any) -> None:
        """`C` becomes `(mark or True) if C else (mark or False)`, which asks `C` once, as before."""
        test = node.test
        names = {part.id for part in ast.walk(test) if isinstance(part, ast.Name)}
        if not names - {"__name__", "TYPE_CHECKING"}:
            return
        self.conditions.add(node.lineno)
        ways = []
        for way in (1, 0):
            marked = self._nothing(test, self.size + 2 * node.lineno + way)
            value = _placed(ast.parse(str(bool(way)), mode="eval").body, test)
            ways.append(ast.copy_location(ast.BoolOp(op=ast.Or(), values=[marked, value]), test))
        node.test = ast.copy_location(ast.IfExp(test=test, body=ways[0], orelse=ways[1]), test)

    def _handler(self, handler: Any) -> None:
        self.lines.add(handler.lineno)
        self._inside(handler)
        if handler.type is None:
            handler.body.insert(0, self._statement(handler.lineno))
        else:
            values = [self._nothing(handler.type, handler.lineno), handler.type]
            handler.type = ast.copy_location(ast.BoolOp(op=ast.Or(), values=values), handler.type)

    def _cases(self, node: Any) -> None:
        new: Any = ast
        cases: list[Any] = []
        for case in node.cases:
            line = case.pattern.lineno
            self.lines.add(line)
            self._inside(case)
            pattern = new.MatchAs(pattern=None, name=None)
            never = new.match_case(pattern=pattern, guard=self._nothing(case.pattern, line), body=[ast.Pass()])
            cases += [_placed(never, case.pattern), case]
        node.cases = cases

    def _statement(self, line: int) -> Any:
        place = {"lineno": line, "col_offset": 0, "end_lineno": line, "end_col_offset": 0}
        index: Any = ast.Constant(value=line, kind=None, **place)
        if _OLD_INDEX:
            index = ast.Index(value=index)
        marks = ast.Name(id=self._name, ctx=ast.Load(), **place)
        target = ast.Subscript(value=marks, slice=index, ctx=ast.Store(), **place)
        return ast.Assign(targets=[target], value=ast.Constant(value=1, kind=None, **place), type_comment=None, **place)

    def _nothing(self, near: Any, line: int) -> Any:
        """An expression that marks and is None."""
        return _placed(ast.parse(f"{self._name}.__setitem__({line}, 1)", mode="eval").body, near)


def _placed(node: Any, near: Any) -> Any:
    """A new node, and all in it, where `near` begins."""
    line, column = near.lineno, near.col_offset
    for part in ast.walk(node):
        if "lineno" in part._attributes:
            part.lineno = part.end_lineno = line  # type: ignore[attr-defined]
            part.col_offset = part.end_col_offset = column  # type: ignore[attr-defined]
    return node


def _lines_of(node: Any) -> list[int]:
    """The lines that are reached when the statement is: those of its decorators, and its own."""
    decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", ())]
    return [] if isinstance(node, (ast.Global, ast.Nonlocal)) else sorted({*decorators, node.lineno})


def _opening(body: list[Any]) -> int:
    """How many statements must stay at the beginning of a module: its docstring, and imports from the future."""
    count = _docstring(body)
    while count < len(body) and isinstance(body[count], ast.ImportFrom) and body[count].module == "__future__":
        count += 1
    return count


def _docstring(body: list[Any]) -> int:
    value = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return int(isinstance(value, ast.Constant) and isinstance(value.value, str))
