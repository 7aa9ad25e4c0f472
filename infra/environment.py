"""Typed readers of the environment. Each stops the start at nonsense and says which variable was wrong."""

import json
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def load_running_stack() -> None:
    """Take the addresses of the stack running in REFRAIN_DATA, without overriding what is set already."""
    folder = os.environ.get("REFRAIN_DATA")
    if not folder:
        return
    file = Path(folder) / "stack.json"
    if not file.exists():
        raise ImproperlyConfigured(f"REFRAIN_DATA={folder}: no stack.json there; is the demo running on this folder?")
    for name, value in json.loads(file.read_text()).items():
        os.environ.setdefault(name, value)


def text(name: str, default: str | None = None) -> str:
    """Return the variable, or the default; with neither, stop."""
    value = os.environ.get(name, default)
    if value is None or value == "":
        if default is not None:
            return default
        raise ImproperlyConfigured(f"{name} is not set")
    return value


def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    """Return the variable if it is one of `allowed`, else stop."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
    return value


def number(name: str, default: int) -> int:
    """Return the variable as a whole number, else stop."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number") from None


def flag(name: str) -> bool:
    """Return True for 1, False for 0 or nothing; anything else stops."""
    return choice(name, ("0", "1"), "0") == "1"


def secret_from_file(name: str) -> bytes | None:
    """Return the stripped content of the file that the variable names, or None when the variable is not set.

    The file must be readable by its owner alone: a secret that others can read is no secret.
    """
    path = os.environ.get(name)
    if not path:
        return None
    file = Path(path)
    if not file.is_file():
        raise ImproperlyConfigured(f"{name}: {path} is not a file")
    if file.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"{name}: {path} can be read by others; its mode must be 0600")
    content = file.read_bytes().strip()
    if len(content) < 32:
        raise ImproperlyConfigured(f"{name}: {path} holds fewer than 32 characters")
    return content
