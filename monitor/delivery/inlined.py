"""A page with its style sheet written into its elements, because many mail programs drop a style sheet."""

from __future__ import annotations

import re

DEEPEST = 500  # (J): far more than a mail has; a page of thousands would overflow the stack of the inliner

_KEPT = 'data-css-inline="keep"'
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_NEVER_CLOSED = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_LESS, _GREATER = "\ue000", "\ue001"  # no text uses them: they stand for &lt; and &gt;, which an attribute would lose


def inlined(page: str) -> str:
    """The page with the rules of its ``<style>`` in its elements. Deterministic; reads no file and no address.

    A page without classes stays as it is, and so does one that cannot be read: a mail looks plainer, and is not lost.
    Rules of a ``<style data-css-inline="keep">`` stay where they are, in any other only the ``@media`` and the like.
    """
    if "class=" not in page or "<style" not in page or _depth(page) > DEEPEST:
        return page
    from css_inline import CSSInliner

    inliner = CSSInliner(keep_at_rules=_KEPT not in page, load_remote_stylesheets=False, minify_css=True)
    try:
        found = inliner.inline(page.replace("&lt;", _LESS).replace("&gt;", _GREATER))
    except ValueError:  # what it raises for a page that it cannot read
        return page
    return found.replace(_LESS, "&lt;").replace(_GREATER, "&gt;")


def _depth(page: str) -> int:
    deepest = depth = 0
    for closes, name in _TAG.findall(page):
        if name.lower() not in _NEVER_CLOSED:
            depth += -1 if closes else 1
            deepest = max(deepest, depth)
    return deepest
