"""What a file offers to others is read the same way in every language, or not at all."""

from __future__ import annotations

import pytest

from workbench.code.interface import KEPT, public_names

BASES = {
    "a.py": b"import os\n\nLIMIT = 1\n\n\nclass A(Base):\n    def f(self, a: int, *, b=1): ...\n"
    b"    def _g(self): ...\n",
    "a.js": b"export function f(a) {\n  return a\n}\nfunction g() {}\n",
    "a.ts": b"export interface T { a: number }\nexport class A { f(a: number): void {} private g() {} }\n",
    "a.go": b"package p\n\ntype T struct {\n\tA int\n}\n\nfunc F(a int) int {\n\treturn a\n}\n\nfunc g() {}\n",
    "a.rs": b"pub struct T { pub a: u8 }\n\npub fn f(a: u8) -> u8 { a }\n\nfn g() {}\n",
}
KEEPING = {  # what nobody notices from outside
    "a.py": [
        (b"a: int", b"a: str"),
        (b"_g(self)", b"_h(self, x)"),
        (b"LIMIT = 1", b"LIMIT = 2"),
        (b", b=1", b",  b=1"),
    ],
    "a.js": [(b"return a", b"return -a"), (b"function g() {}", b"")],
    "a.ts": [(b"private g() {}", b""), (b"void {}", b"void { return }")],
    "a.go": [(b"return a", b"return -a"), (b"func g() {}", b"")],
    "a.rs": [(b"{ a }", b"{ a + 1 }"), (b"fn g() {}", b"")],
}
ALTERING = {
    "a.py": [(b"b=1", b"b=2"), (b"*, b", b"b"), (b"(Base)", b"()"), (b"    def f", b"    @property\n    def f")],
    "a.js": [(b"f(a)", b"f(a, b)"), (b"export function", b"function")],
    "a.ts": [(b"{ a: number }", b"{ b: number }"), (b"f(a: number)", b"f(a: string)")],
    "a.go": [(b"A int", b"A string"), (b"F(a int)", b"F(a, b int)")],
    "a.rs": [(b"pub a: u8", b"a: u8"), (b"-> u8", b"-> u16")],
}


@pytest.mark.parametrize("path", BASES)
def test_a_surface_changes_only_with_what_others_see(path: str) -> None:
    """Bodies and private names leave it as it is; what callers say or get alters it (the control)."""
    before = public_names(BASES[path], path)
    assert before
    for was, became in KEEPING[path]:
        assert was in BASES[path]
        assert public_names(BASES[path].replace(was, became), path) == before, became
    for was, became in ALTERING[path]:
        assert was in BASES[path]
        assert public_names(BASES[path].replace(was, became), path) != before, became


def test_names_of_python_are_those_that_it_lists() -> None:
    """With `__all__` the listed names count, imported ones as kept; without it what has no underscore."""
    listed = b'from b import (\n    c,\n    d as e,\n)\nimport f\n\n__all__ = ["c", "e", "g"]\n\ng, h = 1, 2\n'
    assert public_names(listed, "a.py") == {"c": KEPT, "e": KEPT, "g": "="}
    assert public_names(b"x, _y = 1, 2\nif x:\n    def f(a='1'): ...\nelse:\n    def f(a): ...\n", "a.py") == {
        "x": "=",
        "f": '(a) or (a="1")',
    }


UNREAD = {
    "a.js": [
        b"module.exports = f\n",
        b"exports.f = 1\n",
        b"export * from 'b'\n",
        b"export default x\n",
        b"function (\n",
    ],
    "a.ts": [b"export { a as b }\n", b"export { a } from 'b'\n", b"export = f\n"],
    "a.py": [b"__all__ = b.__all__\n", b"__all__ = [*b.__all__]\n", b"def f(:\n", b"def __getattr__(name): ...\n"],
    "a.rs": [b"#[macro_export]\nmacro_rules! m { () => {} }\n", b"fn (\n"],
    "a.go": [b"func (\n", b"\0"],
    "a.txt": [b"names\n"],
}


@pytest.mark.parametrize("path", UNREAD)
def test_a_file_that_offers_more_than_is_read_has_no_answer(path: str) -> None:
    """What is passed on, computed or torn is not taken for nothing."""
    assert [text for text in UNREAD[path] if public_names(text, path) is not None] == []


def test_a_file_of_endless_lists_is_not_looked_through() -> None:
    """So many lists that each could be looked through to the end have no answer; a few have one (the control)."""
    for path, line in (("a.py", b"__all__ = ['f']\n"), ("a.ts", b"export { f }\n")):
        assert public_names(line * 200, path) is None
        assert public_names(line * 2, path) is not None
