"""Facts into words by templates, the clinic's own first, in a sandbox that is told everything and may do nothing."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Literal, get_args

import jinja2
from jinja2.exceptions import SecurityError

from monitor.delivery import facts as facts_module
from monitor.delivery.builtin import builtin
from monitor.delivery.facts import KINDS, Kind, MailFacts
from monitor.delivery.inlined import inlined
from monitor.delivery.language import LANGUAGES, Language, in_language
from monitor.delivery.rendered import LONGEST_SUBJECT, Rendered
from monitor.delivery.sandbox import MISSING, environment_for, one_line_each
from monitor.errors import MonitorError

Part = Literal["subject.txt", "body.txt", "body.html"]
PARTS: tuple[Part, ...] = get_args(Part)
LARGEST_PART = 100_000  # characters; mail programs cut a longer page off (Gmail at 102 kB)

_NO_SUCH_FIELD = re.compile(r"has no attribute '(\w+)'")


class TemplateBroken(MonitorError):  # noqa: N818  # said of a template
    """A template that cannot be rendered. The text holds no value of a fact."""

    def __init__(self, kind: Kind, part: Part, file: str, line: int | None, problem: str) -> None:
        super().__init__(f"{file}:{line or 1}: {problem}")
        self.kind, self.part, self.file, self.line, self.problem = kind, part, file, line, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProblem:
    """One mistake in a template file, found by rendering it with made-up facts."""

    file: str
    line: int
    problem: str


def render(kind: Kind, facts: MailFacts, *, folder: Path | None = None, language: Language = "en") -> Rendered:
    """The mail of ``kind`` in a language. A file in the clinic's ``folder`` wins over the shipped one of the same name.

    Raises TemplateBroken. Deterministic: the same facts and templates make the same text.
    """
    environment = environment_for(folder, language)
    seen = one_line_each(in_language(facts, language))
    subject, text, html = (_part(environment, kind, part, seen) for part in PARTS)
    subject = " ".join(subject.split())
    return Rendered(subject=subject[:LONGEST_SUBJECT], text=text.strip() + "\n", html=_small(inlined(html), html).strip() + "\n")


def render_or_builtin(
    kind: Kind, facts: MailFacts, *, folder: Path | None = None, language: Language = "en"
) -> tuple[Rendered, TemplateBroken | None]:
    """The mail, and what was wrong if the built-in text had to stand in: a mail is never empty and never unsent."""
    try:
        return render(kind, facts, folder=folder, language=language), None
    except TemplateBroken as problem:
        broken = problem
    except Exception as error:  # of what stands around the templates, such as what writes the styles into a page
        broken = TemplateBroken(kind, "body.html", f"{kind}/body.html", None, f"cannot be rendered ({type(error).__name__})")
    return builtin(one_line_each(in_language(facts, language)), language), broken


def check_templates(folder: Path | None, samples: dict[Kind, tuple[MailFacts, ...]]) -> Iterator[TemplateProblem]:
    """Every mistake of every template with every sample, each told once. Files no mail uses are told too."""
    told: set[tuple[str, int, str]] = set()
    if folder is not None:
        yield from _strangers(folder)
    for language, kind, seen, part in _everything(samples):
        try:
            _part(environment_for(folder, language), kind, part, seen)
        except TemplateBroken as broken:
            line = broken.line or 1
            if (key := (broken.file, line, broken.problem)) not in told:
                told.add(key)
                only = "" if language == LANGUAGES[0] else f' (only where language is "{language}")'
                yield TemplateProblem(file=broken.file, line=line, problem=broken.problem + only)


def file_of(kind: Kind, part: Part, folder: Path | None) -> Path:
    """The file that makes a part of the mail: the clinic's where there is one."""
    return Path(_file(environment_for(folder), f"{kind}/{part}"))


def _small(page: str, before: str) -> str:
    """The page; as it was before its styles were written into it where only that makes it too long."""
    return page if len(page) <= LARGEST_PART else before


def _everything(samples: dict[Kind, tuple[MailFacts, ...]]) -> Iterator[tuple[Language, Kind, MailFacts, Part]]:
    for language in LANGUAGES:
        for kind, several in samples.items():
            for sample in several:
                seen = one_line_each(in_language(sample, language))
                for part in PARTS:
                    yield language, kind, seen, part


def _part(environment: jinja2.Environment, kind: Kind, part: Part, seen: MailFacts) -> str:
    name = f"{kind}/{part}"
    pieces: list[str] = []
    length = 0
    try:
        for piece in environment.get_template(name).generate(mail=seen):
            pieces.append(piece)
            length += len(piece)
            if length > LARGEST_PART:
                raise TemplateBroken(
                    kind, part, _file(environment, name), None, f"renders to more than {LARGEST_PART} characters"
                )
    except jinja2.TemplateSyntaxError as error:
        raise TemplateBroken(kind, part, str(error.filename or name), error.lineno, error.message or "syntax error") from None
    except TemplateBroken:
        raise
    except Exception as error:  # a template may fail in any way; none may stop the mail
        file, line = _place(environment, error, name)
        raise TemplateBroken(kind, part, file, line, _problem(error, file)) from None
    whole = "".join(pieces)
    if not whole.strip():
        raise TemplateBroken(kind, part, _file(environment, name), None, "renders to nothing")
    return whole


def _place(environment: jinja2.Environment, error: Exception, name: str) -> tuple[str, int | None]:
    """The innermost template line of a traceback. Jinja writes the templates' own lines into it."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).name in PARTS or frame.filename.endswith((".txt", ".html")):
            return frame.filename, frame.lineno
    return _file(environment, name), None


def _file(environment: jinja2.Environment, name: str) -> str:
    """The path of the file that is taken for a template name, readable or not; the name itself where there is none."""
    loaders = environment.loader.loaders if isinstance(environment.loader, jinja2.ChoiceLoader) else ()
    folders = (folder for each in loaders if isinstance(each, jinja2.FileSystemLoader) for folder in each.searchpath)
    return next((str(path) for folder in folders if (path := Path(folder, name)).is_file()), name)


def _problem(error: Exception, file: str) -> str:
    """What is wrong, from the words of the template in ``file`` alone: an exception's own text may hold a value."""
    if isinstance(error, jinja2.TemplateNotFound):
        return "is missing from the templates"
    if isinstance(error, UnicodeDecodeError):
        return "is not written in UTF-8"
    if isinstance(error, jinja2.UndefinedError):
        message = str(error)
        if message == MISSING:
            return message
        if (found := _NO_SUCH_FIELD.search(message)) and _is_written_in(file, found[1]):
            close = difflib.get_close_matches(found[1], _ALL_FIELDS, n=1)
            hint = f"; did you mean {close[0]}?" if close and close[0] != found[1] else ""  # the name of a field elsewhere
            return f"there is no {found[1]} here{hint}"
        return "a name that does not exist; the facts are under mail" + _name_in(message)
    if isinstance(error, SecurityError):
        return "does what a template may not do"
    return f"cannot be rendered ({type(error).__name__})"


def _is_written_in(file: str, word: str) -> bool:
    """Whether a template has the word itself: one that was looked up by a value may be a patient's."""
    try:
        return re.search(rf"\b{re.escape(word)}\b", Path(file).read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _name_in(message: str) -> str:
    found = re.fullmatch(r"'(\w{1,40})' is undefined", message)
    return f": {found[1]}" if found else ""


def _strangers(folder: Path) -> Iterator[TemplateProblem]:
    if not folder.is_dir():
        yield TemplateProblem(file=str(folder), line=1, problem="this folder does not exist")
        return
    known = {f"{kind}/{part}" for kind in KINDS for part in PARTS}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.suffix in (".txt", ".html") and name.count("/") == 1 and name not in known:
            close = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield TemplateProblem(file=str(path), line=1, problem=f"no mail uses this file{hint}")


_ALL_FIELDS = sorted(
    {
        field.name
        for each in vars(facts_module).values()
        if isinstance(each, type) and is_dataclass(each)
        for field in fields(each)
    }
)
