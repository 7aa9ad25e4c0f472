"""How a guard is taken away: in the database, or in a function of Python, and put back afterwards."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
CHARGING_SQL = ROOT / "playback" / "sql" / "charging.sql"
RELEASES_SQL = ROOT / "playback" / "sql" / "releases.sql"
# Where the view of what moved money was written last.
FACTS_SQL = ROOT / "playback" / "sql" / "dues.sql"
BALLOTS_SQL = ROOT / "members" / "sql" / "ballots.sql"
MONTHS_SQL = ROOT / "members" / "sql" / "facts.sql"


def _functions(file: Path) -> dict[str, str]:
    """Return the functions of a file by name, as statements that replace what is there."""
    text = file.read_text()
    bodies = re.finditer(r"^CREATE (?:OR REPLACE )?FUNCTION (\w+)[^$]*\$\$.*?\$\$;", text, re.MULTILINE | re.DOTALL)
    return {body[1]: body[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1) for body in bodies}


@contextmanager
def sql_changed(file: Path, old: str | re.Pattern[str], new: str) -> Iterator[None]:
    """Replace a part of one function in the database, and put it back."""
    pattern = re.compile(re.escape(old)) if isinstance(old, str) else old
    (whole,) = [body for body in _functions(file).values() if pattern.search(body)]
    assert len(pattern.findall(whole)) == 1
    with connection.cursor() as cursor:
        cursor.execute(pattern.sub(lambda _: new, whole))
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(whole)


@contextmanager
def view_changed(file: Path, name: str, old: str, new: str) -> Iterator[None]:
    """Replace a part of a view in the database, and put it back."""
    body = re.search(rf"^CREATE (?:OR REPLACE )?VIEW {name} AS\n.*?;\n", file.read_text(), re.MULTILINE | re.DOTALL)
    assert body is not None
    whole = body[0].replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    assert whole.count(old) == 1
    with connection.cursor() as cursor:
        cursor.execute(whole.replace(old, new))
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(whole)


@contextmanager
def changed(function: FunctionType, old: str, new: str) -> Iterator[None]:
    """Compile a function anew with a part of its source replaced, and put it back."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {function.__qualname__}"
    module = sys.modules[function.__module__]
    names = dict(vars(module))
    exec(compile(source.replace(old, new), function.__module__, "exec"), names)  # noqa: S102  (our own source)
    owner_name = function.__qualname__.rpartition(".")[0]
    owner = getattr(module, owner_name) if owner_name else module
    made = names[function.__name__]
    made = FunctionType(made.__code__, vars(module), made.__name__, made.__defaults__, made.__closure__)
    made.__kwdefaults__ = names[function.__name__].__kwdefaults__
    setattr(owner, function.__name__, made)
    try:
        yield
    finally:
        setattr(owner, function.__name__, function)


def guard(name: str) -> re.Pattern[str]:
    """Return what finds a guard with its lines."""
    return re.compile(rf"^ *-- guard {re.escape(name)}\n(?:.*\n)*?^ *-- end\n", re.MULTILINE)
