"""Templates can be read: a line fits a screen, what is opened is closed, and stands above where it is closed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in ROOT.glob("*/templates/**/*.html"))
WIDTH = 120
# The tags of Django that end, and the elements that do not.
BLOCKS = {"autoescape", "block", "element", "filter", "for", "if", "ifchanged", "setvar", "slot", "spaceless", "with"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
DJANGO = r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"
# What is not read is matched first; a tag's attributes may hold tags of Django, and these quotes of their own.
PARTS = re.compile(
    r"\{% comment %\}.*?\{% endcomment %\}|\{\{.*?\}\}|\{#.*?#\}|<!.*?>"
    r"|\{%\s*(?P<ends>end)?(?P<block>\w+).*?%\}"
    r"|</(?P<closed>[a-zA-Z][\w-]*)\s*>"
    rf"""|<(?P<opened>[a-zA-Z][\w-]*)(?:{DJANGO}|"(?:{DJANGO}|[^"])*"|'(?:{DJANGO}|[^'])*'|[^>"'])*>""",
    re.DOTALL,
)


def faults(text: str) -> Iterator[str]:
    """Yield what is wrong with a template, each with its line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > WIDTH:
            yield f"{number}: {len(line)} characters"
        if line != line.rstrip() or "\t" in line:
            yield f"{number}: ends in a space, or has a tab"
    yield from misplaced(text)


def misplaced(text: str) -> Iterator[str]:
    """Yield what is closed and was not opened, is never closed, or begins a line elsewhere than what it closes."""
    opened: list[tuple[str, int]] = []
    for part in PARTS.finditer(text):
        before = text[: part.start()].split("\n")
        number = len(before)
        if part["ends"] or part["closed"]:
            name = f"{{% {part['block']} %}}" if part["ends"] else f"<{part['closed']}>"
            if not opened or opened[-1][0] != name:
                yield f"{number}: {part[0]} closes {opened[-1] if opened else 'nothing'}"
                return
            _, above = opened.pop()
            begins_line = above != number and not before[-1].strip()
            if begins_line and indent(before[above - 1]) != len(before[-1]):
                yield f"{number}: {part[0]} does not stand under line {above}, which it closes"
        elif part["block"] in BLOCKS:
            opened.append((f"{{% {part['block']} %}}", number))
        elif part["opened"] and part["opened"] not in VOID and not part[0].endswith("/>"):
            opened.append((f"<{part['opened']}>", number))
    if opened:
        yield f"{opened[-1][1]}: {opened[-1][0]} is never closed"


def indent(line: str) -> int:
    """Return how many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def test_every_template_can_be_read():
    found = {str(path.relative_to(ROOT)): list(faults(path.read_text())) for path in TEMPLATES}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("<p>" + "x" * 114 + "</p>\n", "1: 121 characters"),
        ("<p>one</p> \n", "1: ends in a space, or has a tab"),
        ("<ul>\n  <li>one</li>\n  </ul>\n", "3: </ul> does not stand under line 1, which it closes"),
        ("{% if a %}\n<p>one</p>\n {% endif %}\n", "3: {% endif %} does not stand under line 1, which it closes"),
        ("<p>{% if a %}one</p>{% endif %}\n", "1: </p> closes ('{% if %}', 1)"),
        ('<a href="{% url "one" %}">one</p>\n', "1: </p> closes ('<a>', 1)"),
        ("<div>\n<p>one</p>\n", "1: <div> is never closed"),
    ],
)
def test_a_template_that_cannot_be_read_is_told(text, wrong):
    assert list(faults(text)) == [wrong]
