"""Numbers for tokens, so that rows are tuples of small numbers. Equal numbers mean equal text and equal shape.

A token's shape is the depth at which it hangs and the kinds of all nodes that begin with it, outermost first, its own
last; the kind of a block is negative where it begins below the line of its head. Tokens of equal text and shape, in
the same order, are the same piece of program, however it is laid out.
"""

from __future__ import annotations

Token = tuple[bytes | int, ...]  # the text, then the shape
CONTINUED = -1  # the depth of what stands for a token that began in a row above


class Vocabulary(dict[Token, int]):
    """The number of each token; new ones get the next."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[Token] = []
        self.texts: list[bytes] = []
        self._relative: dict[tuple[int, int], int] = {}
        self._as: dict[tuple[int, bytes], int] = {}

    def __missing__(self, token: Token) -> int:
        number = len(self.tokens)
        text = token[0]
        if not isinstance(text, bytes):
            raise TypeError("a token begins with its text")
        self[token] = number
        self.tokens.append(token)
        self.texts.append(text)
        return number

    def relative(self, number: int, depth: int) -> int:
        """The token as it would be if what stands at `depth` stood at the top."""
        known = self._relative.get((number, depth))
        if known is None:
            known = self._relative[number, depth] = self[_raised(self.tokens[number], depth)]
        return known

    def renamed(self, number: int, text: bytes) -> int:
        """The token with another text."""
        known = self._as.get((number, text))
        if known is None:
            known = self._as[number, text] = self[(text, *self.tokens[number][1:])]
        return known

    def kind(self, number: int) -> int:
        """The kind of the leaf itself."""
        kind = self.tokens[number][-1]
        return kind if isinstance(kind, int) else 0

    def depth(self, number: int) -> int:
        """How deep the leaf stands; negative where it began above."""
        depth = self.tokens[number][1]
        if not isinstance(depth, int) or depth < 0:
            return CONTINUED
        return depth + len(self.tokens[number]) - 2


def _raised(token: Token, depth: int) -> Token:
    start = token[1]
    if not isinstance(start, int) or start < 0:
        return token
    above = depth - start
    return (token[0], 0, *token[2 + above :]) if above > 0 else (token[0], -above, *token[2:])
