"""What schemathesis puts into addresses and bodies beside its own inventions: ids that exist, Lena's and others'.

Loaded by the schemathesis program (SCHEMATHESIS_HOOKS); what is known comes in HOSTILE_KNOWN, as JSON.
"""

import json
import os
import random
import re
from typing import Any

import schemathesis

KNOWN: dict[str, list[Any]] = json.loads(os.environ["HOSTILE_KNOWN"])
# Every second value is one that exists: what is behind the 404 has to be met, too.
DRAW = random.Random(20261122)


def _known(name: str, value: Any) -> Any:
    return DRAW.choice(KNOWN[name]) if name in KNOWN and DRAW.random() < 0.5 else value


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Put ids that exist into the address."""
    if not path_parameters:
        return path_parameters
    return {name: _known(name, value) for name, value in path_parameters.items()}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Put what exists into the body, where a value of that kind stands already: what was made wrong stays wrong."""
    if isinstance(case.body, dict):
        case.body = {
            name: _known(name, value)
            if name in KNOWN and type(value) is type(KNOWN[name][0]) and _is_plain(value)
            else value
            for name, value in case.body.items()
        }


def _is_plain(value: object) -> bool:
    return isinstance(value, int) or re.fullmatch("[0-9a-f-]{36}|[a-z0-9-]+", str(value)) is not None
