"""A pack as one page for a browser, whole in itself: no script, no link, nothing that is fetched.

What it says comes from a pack's Markdown, in which outside text is inert, and from its impact, which is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from workbench.code.impact_model import Impact
from workbench.model.text import one_line

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
body {{ color: #1d2430; background: #fff; }}
table {{ border-collapse: collapse; margin: 0.5em 0; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid #d4d9e2; padding: 0.2em 0.6em; text-align: left; vertical-align: top; }}
blockquote {{ border-left: 3px solid #b9a3e3; margin: 0; padding-left: 1em; }}
.impact li {{ list-style: none; }} .impact .failed {{ font-weight: bold; color: #a61b2b; }}
.impact .alert {{ font-weight: bold; }} .impact small {{ color: #5b6475; }} svg {{ max-width: 100%; height: auto; }}
</style></head><body>
"""
_MARKS = {"failed": "✗ ", "alert": "! ", "unknown": "? ", "passed": "✓ "}
INDENT_EM = 1.4  # of each step down the tree


def page(markdown: str, *, title: str, impact: Impact | None, why_not: str = "") -> str:
    """The page. Without an impact it says why there is none."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["link", "image", "autolink", "html_block", "html_inline"])
    told = _impact(impact) if impact is not None else [f"<p>Not looked at: {escape(one_line(why_not))}</p>"]
    head = _HEAD.format(title=escape(one_line(title)))
    return "\n".join([head, reader.render(markdown), "<h2>Impact</h2>", *told, "</body></html>", ""])


def _impact(found: Impact) -> Iterator[str]:
    from workbench.ace.cli.picture import picture
    from workbench.core.views.impact import impact_lines, in_short

    yield f"<p>{escape(in_short(found))}</p>"
    yield picture(found)
    for group, lines in groupby(impact_lines(found), key=lambda each: each.group):
        yield f'<h3>{escape(group.capitalize())}</h3><ul class="impact">'
        for each in lines:
            fact = f" <small>{escape(one_line(each.fact))}</small>" if each.fact else ""
            words = escape(_MARKS.get(each.state, "") + one_line(each.words))
            yield f'<li style="margin-left:{each.depth * INDENT_EM:.1f}em" class="{each.state}">{words}{fact}</li>'
        yield "</ul>"
