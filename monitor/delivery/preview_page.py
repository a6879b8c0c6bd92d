"""The page over a preview: every mail beside its other languages, as wide as on a phone, and whose template made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

SUFFIXES = {"html": "page", "txt": "text", "eml": "mail"}
"""What is written of each mail, and how the page calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A mail in one language. ``name`` of its files is without suffix."""

    language: str
    name: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A mail in all languages."""

    title: str  # "immediate, all facts"
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A kind of mail: its mails, and the file that made each part of them."""

    kind: str
    files: tuple[tuple[str, str], ...]  # ("body.html", "shipped" or a path)
    shown: tuple[Shown, ...]


def index_page(groups: Sequence[Group]) -> str:
    """A page that needs no script and nothing from elsewhere. Frames run no script of a template either."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_PAGE).render(groups=groups, suffixes=SUFFIXES) + "\n"


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Mails with made-up patients</title>
<style>
:root { --ink: #1a1a1a; --soft: #4a5560; --page: #eef1f4; --card: #ffffff; --line: #c9d1d9; --link: #0b4a8f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f3f5; --soft: #b4bfc9; --page: #14181c; --card: #1e242a; --line: #46525e; --link: #8fc1ff }
}
body { margin: 0 auto; max-width: 1240px; padding: 16px; background: var(--page); color: var(--ink);
  font: 16px/24px Arial, Helvetica, sans-serif }
a { color: var(--link) }
h1 { font-size: 26px; line-height: 32px; margin: 8px 0 }
h2 { font-size: 21px; line-height: 28px; margin: 32px 0 4px; border-top: 2px solid var(--line); padding-top: 16px }
h3 { font-size: 17px; margin: 20px 0 8px }
nav a { margin-right: 14px }
.soft { color: var(--soft) }
code { font: 14px/20px Consolas, Menlo, monospace; overflow-wrap: anywhere }
.mails { display: flex; flex-wrap: wrap; gap: 16px }
.mail { width: 392px; max-width: 100%; padding: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 6px }
.mail p { margin: 0 0 6px }
.subject { font-weight: bold; overflow-wrap: anywhere }
iframe { width: 100%; height: 700px; border: 1px solid var(--line); background: #ffffff }
</style>
</head>
<body>
<header>
<h1>Mails with made-up patients</h1>
<p>Every kind, urgency and language, as wide as on a phone. Each is also a page of its own, a text, and a mail to open in a mail
program.</p>
<nav aria-label="Kinds of mail">
{% for group in groups %}
<a href="#{{ group.kind }}">{{ group.kind }}</a>
{% endfor %}
</nav>
</header>
<main>
{% for group in groups %}
<section id="{{ group.kind }}" aria-labelledby="h-{{ group.kind }}">
<h2 id="h-{{ group.kind }}">{{ group.kind }}</h2>
<p class="soft">Made by:
{% for part, file in group.files %}
{{ part }} <code>{{ file }}</code>{{ "" if loop.last else "," }}
{% endfor %}
</p>
{% for mail in group.shown %}
<h3>{{ mail.title }}</h3>
<div class="mails">
{% for said in mail.said %}
<div class="mail">
<p class="subject" lang="{{ said.language }}">{{ said.subject }}</p>
<p><span class="soft">{{ said.language }}:</span>
{% for suffix, word in suffixes.items() %}
<a href="{{ said.name }}.{{ suffix }}">{{ word }}</a>{{ "" if loop.last else "," }}
{% endfor %}
</p>
<iframe sandbox="" loading="lazy" src="{{ said.name }}.html"
 title="{{ mail.title }}, {{ said.language }}: {{ said.subject }}"></iframe>
</div>
{% endfor %}
</div>
{% endfor %}
</section>
{% endfor %}
</main>
</body>
</html>"""
