"""Lists: a library as text that other programs read: an M3U8 list, and signed addresses to fetch all files by.

The names are those of the zip (`packing.names`), so that files fetched by the addresses fit the list.
"""

from datetime import datetime
from uuid import UUID

from catalog import facts
from catalog.copies import kept
from catalog.copies.kept import Kept
from catalog.facts import Facts
from playback import library, packing

CHUNK = 500


def playlist_of(*, person_id: UUID, format: str) -> str:  # noqa: A002
    """Return the tracks that the person owns and whose files are made, as an M3U8 list of relative names."""
    works, _, names = _files(person_id, format)
    lacking = [work for work in works if work.work_id not in names and not work.is_photo]
    notes = [f"# {work.creator} - {work.title}: its file is not made yet\n" for work in lacking]
    found = [(work, names[work.work_id]) for work in works if work.work_id in names]
    return packing.playlist(found) + "".join(notes)


def addresses_of(*, person_id: UUID, format: str, now: datetime) -> str:  # noqa: A002
    """Return an address for each file of the person's library, with its name and SHA-256 under it.

    The shape is the input list of aria2; a program that knows only addresses passes over the lines beneath them.
    """
    works, files, names = _files(person_id, format)
    lines = [f"# {len(names)} of {len(works)} files; the addresses hold for an hour.\n"]
    for work in works:
        if work.work_id in names:
            file = files[work.work_id]
            lines.append(f"{file.url(now)}\n  out={names[work.work_id]}\n  checksum=sha-256={file.sha256}\n")
        else:
            lines.append(f"# {work.creator} - {work.title}: its file is not made yet\n")
    return "".join(lines)


def _files(person_id: UUID, format: str) -> tuple[list[Facts], dict[UUID, Kept], dict[UUID, str]]:  # noqa: A002
    """Return the works that the person owns, the files of those that are made, and their names."""
    work_ids = library.owned_ids(person_id=person_id)
    works: list[Facts] = []
    files: dict[UUID, Kept] = {}
    for start in range(0, len(work_ids), CHUNK):
        some = work_ids[start : start + CHUNK]
        told, made = facts.of(some), kept.of(some)
        chosen = kept.choose(some, wanted=format)
        works += [told[work_id] for work_id in some]
        files |= {
            work_id: made[work_id][chosen[work_id]] for work_id in some if chosen[work_id] in made.get(work_id, {})
        }
    return works, files, packing.names(works, files)
