"""What schemathesis sends beside its own inventions: ids that exist, Lena's and others', and requests that are right.

Loaded by the schemathesis program (SCHEMATHESIS_HOOKS); what is known comes in HOSTILE_KNOWN and the right requests,
by their operations, in HOSTILE_RIGHT, both as JSON.
"""

import json
import os
import random
import re
from typing import Any

import schemathesis

KNOWN: dict[str, list[Any]] = json.loads(os.environ["HOSTILE_KNOWN"])
RIGHT: dict[str, list[dict[str, Any]]] = json.loads(os.environ["HOSTILE_RIGHT"])
_right: set[str] = set()
# Every second value is one that exists: what is behind the 404 has to be met, too.
DRAW = random.Random(20261122)


def _known(name: str, value: Any) -> Any:
    return DRAW.choice(KNOWN[name]) if name in KNOWN and DRAW.random() < 0.5 else value


@schemathesis.hook
def before_add_examples(context: Any, examples: list[Any]) -> None:
    """Send the requests that are right, as they are."""
    for one in RIGHT.get(context.operation.label, ()):
        examples.append(context.operation.Case(media_type="application/json" if "body" in one else None, **one))
        _right.add(examples[-1].id)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Put ids that exist into the address."""
    if not path_parameters:
        return path_parameters
    return {name: _known(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Put what exists into the body, where a value of that kind stands already: what was made wrong stays wrong."""
    if isinstance(case.body, dict) and case.id not in _right:
        case.body = {
            name: _known(name, value)
            if name in KNOWN and type(value) is type(KNOWN[name][0]) and _is_plain(value)
            else value
            for name, value in case.body.items()
        }


def _is_plain(value: object) -> bool:
    return isinstance(value, int) or re.fullmatch("[0-9a-f-]{36}|[a-z0-9-]+", str(value)) is not None
