"""What a creator says of a work, read exactly: each field is cleaned or refused with the reason a person understands.

Nothing here looks at a row. `publishing.change` asks `checked` for everything at once, so that a form can show every
mistake beside its field.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from stdnum import exceptions as number_faults
from stdnum import isrc as isrc_numbers

from catalog import naming
from catalog.models import Work
from catalog.rules import LICENCES
from members.problems import Invalid

TITLE_MOST = 300
TAGS_MOST, TAG_MOST = 12, 40
CREDITS_MOST, CREDIT_ROLE_MOST, CREDIT_NAME_MOST = 40, 60, 500
ALTERNATIVE_TEXT_MOST = 1_000
ISRC_LENGTH = 12
POSITION_MOST = 9_999
LANGUAGE_MOST = 12
# BCP 47 as far as works need it: a language, perhaps its script and its region or a variant (de, zh-Hant, pt-BR).
LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?(?:-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))?")
UUID_INSIDE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def title(value: Any) -> str:
    """Return the title on one line. Raises Invalid."""
    cleaned = naming.clean(str(value), most=TITLE_MOST + 1)
    if not cleaned:
        raise Invalid("A work needs a title.")
    if len(cleaned) > TITLE_MOST:
        raise Invalid(f"A title has at most {TITLE_MOST} characters.")
    return cleaned


def licence(value: Any) -> str:
    """Return the licence. Raises Invalid."""
    if value not in LICENCES:
        raise Invalid(f"The licence is one of {', '.join(LICENCES)}.")
    return str(value)


def origin(value: Any) -> str:
    """Return how the work was made. Raises Invalid."""
    if value not in Work.Origin.values:
        raise Invalid(f"The origin is one of {', '.join(Work.Origin.values)}.")
    return str(value)


def isrc(value: Any) -> str:
    """Return the recording's code without hyphens, or nothing. Raises Invalid."""
    if not str(value).strip():
        return ""
    compact: str = isrc_numbers.compact(str(value))
    try:
        return str(isrc_numbers.validate(compact)).upper()
    except number_faults.InvalidLength:
        raise Invalid(
            f"Not an ISRC: it has {len(compact)} characters after the hyphens are taken out, an ISRC has {ISRC_LENGTH}."
        ) from None
    except number_faults.InvalidComponent:
        raise Invalid("Not an ISRC: its first two letters name no country or agency.") from None
    except number_faults.ValidationError:
        raise Invalid("Not an ISRC: two letters, three letters or digits, then seven digits.") from None


def language(value: Any) -> str:
    """Return a language tag in its usual letters, or nothing. Raises Invalid."""
    said = str(value).strip().replace("_", "-").lower()
    if not said:
        return ""
    found = LANGUAGE.fullmatch(said)
    if found is None or len(said) > LANGUAGE_MOST:
        raise Invalid("Not a language tag: write one like de, pt-BR or zh-Hant (BCP 47); zxx for none.")
    spoken, script, region, variant = found.groups()
    parts = [spoken, script.title() if script else None, region.upper() if region else None, variant]
    return "-".join(part for part in parts if part)


def tags(value: Any) -> list[str]:
    """Return the tags, cleaned, each once, in their order. Raises Invalid."""
    cleaned = [naming.clean(str(tag).lstrip("# "), most=TAG_MOST + 1).lower() for tag in value]
    kept = list(dict.fromkeys(tag for tag in cleaned if tag))
    if long := next((tag for tag in kept if len(tag) > TAG_MOST), ""):
        raise Invalid(f"A tag has at most {TAG_MOST} characters: “{long[:TAG_MOST]}…” has more.")
    if len(kept) > TAGS_MOST:
        raise Invalid(f"A work has at most {TAGS_MOST} tags; these are {len(kept)}.")
    return kept


def people(value: Any) -> list[dict[str, str]]:
    """Return the credits: each a name, perhaps with a role. Raises Invalid."""
    credited = []
    for one in value:
        name = naming.clean(str(one.get("name", "")), most=CREDIT_NAME_MOST)
        role = naming.clean(str(one.get("role", "")), most=CREDIT_ROLE_MOST)
        if role and not name:
            raise Invalid(f"Who is credited for “{role}”? A credit needs a name.")
        if name:
            credited.append({"role": role, "name": name})
    if len(credited) > CREDITS_MOST:
        raise Invalid(f"A work has at most {CREDITS_MOST} credits.")
    return credited


def alternative_text(value: Any) -> str:
    """Return what a photo shows, in words. Raises Invalid."""
    cleaned = naming.clean(str(value), most=ALTERNATIVE_TEXT_MOST + 1)
    if len(cleaned) > ALTERNATIVE_TEXT_MOST:
        raise Invalid(f"An alternative text has at most {ALTERNATIVE_TEXT_MOST} characters.")
    return cleaned


def musicbrainz(value: Any) -> UUID | None:
    """Return the recording's id at MusicBrainz, also out of its address there, or None. Raises Invalid."""
    said = str(value or "").strip().lower()
    if not said:
        return None
    found = UUID_INSIDE.search(said)
    if found is None:
        raise Invalid("Not a MusicBrainz id: it is written like 8f3471b5-7e6a-48da-86a9-c1c07a0f47ae.")
    return UUID(found.group(0))


def position(value: Any) -> int | None:
    """Return a place in a release, or None. Raises Invalid."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= POSITION_MOST:
        raise Invalid(f"A position is a whole number from 1 to {POSITION_MOST}.")
    return value


def _as_it_is(value: Any) -> Any:
    return value


FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "title": title,
    "price_micros": _as_it_is,
    "licence": licence,
    "origin": origin,
    "explicit": bool,
    "historic": bool,
    "credits": people,
    "isrc": isrc,
    "language": language,
    "tags": tags,
    "alternative_text": alternative_text,
    "musicbrainz_recording": musicbrainz,
    "release_id": _as_it_is,
    "position": position,
}


def checked(changes: Mapping[str, Any], *further: tuple[str, Callable[[], object]]) -> dict[str, Any]:
    """Return the changes as they are kept. Raises Invalid, naming every field that is wrong and why.

    What further checks name beside their words, like the version of a policy, is named too.

    `further` are checks that need more than the value: a field's name, and what raises Invalid for it.
    """
    kept: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    named: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            kept[name] = FIELDS[name](value)
        except Invalid as refusal:
            wrong[name] = [refusal.detail]
    for name, check in further:
        try:
            check()
        except Invalid as refusal:
            wrong.setdefault(name, []).append(refusal.detail)
            named |= refusal.extra
    if wrong:
        raise Invalid(" ".join(words for said in wrong.values() for words in said), fields=wrong, **named)
    return kept
