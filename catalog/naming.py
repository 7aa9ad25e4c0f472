"""Names that people and files bring with them, made safe to show: every script, no control characters, no tricks.

Used by the process that reads tags, which knows nothing of Django; so neither does this.
"""

import re
import unicodedata

# Two of the invisible characters belong to the spelling of Persian, Hindi and many others (and join emoji): kept.
JOINERS = "\u200c\u200d"
BLANKS = re.compile(r"\s+")


def clean(text: str, *, most: int) -> str:
    """Return `text` in NFC on one line, at most `most` long, without control, direction and invisible characters."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in ("Zl", "Zp", "Zs") or character in "\t\r\n\v\f\x1c\x1d\x1e\x1f\x85":
            kept.append(" ")
        elif category in ("Cc", "Cs", "Co", "Cn") or (category == "Cf" and character not in JOINERS):
            continue
        else:
            kept.append(character)
    line = BLANKS.sub(" ", "".join(kept)).strip(" " + JOINERS)
    # Cutting may leave a joiner or a blank at the end.
    return line[:most].strip(" " + JOINERS)


def file_name(name: str, *, most: int = 255) -> str:
    """Return the last part of `name`, clean and at most `most` characters long, its ending kept; never empty."""
    last = clean(re.split(r"[/\\]", name)[-1], most=10_000).lstrip(".")
    stem, dot, ending = last.rpartition(".")
    if dot and stem and 0 < len(ending) <= 8:
        stem = stem[: most - len(ending) - 1].rstrip()
        return f"{stem}.{ending}"
    return last[:most].strip() or "recording"


def title_of_file(name: str, *, most: int = 300) -> str:
    """Return what a work is called whose tags say nothing: its file's name without the ending."""
    last = file_name(name)
    stem, dot, ending = last.rpartition(".")
    if dot and stem and len(ending) <= 8:
        last = stem
    return clean(last.replace("_", " "), most=most) or "Untitled"
