"""Search: which published works, creators and releases somebody means, in pages that stay put.

Words are met by the rows that `catalog/sql/search.sql` keeps. Where nothing meets all words, a mistyped one is taken
for the words nearest to it, and where that helps nothing either, any of the words will do. What is meant is told with
the answer, so that a page can say it.

A search ranks the newest thousand works that meet the words, and those of exactly that title however old they are: to
rank a million, each of them would have to be read. Its pages go on within what was published when the first was asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    Exists,
    OuterRef,
    Q,
    QuerySet,
)

from catalog import places, ranking
from catalog.models import Creator, Release, Work
from catalog.places import Page
from catalog.questions import Question, near
from catalog.ranking import Asked
from members.problems import NotFound

WORDS_LENGTH_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Found(Page[Any]):
    """A page of rows, and the question that found them: None where there were no words."""

    question: Question | None = None


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    asked: Asked
    rows: QuerySet[Work]
    limit: int


def works(*, asked: Asked, rows: QuerySet[Work], after: str, limit: int, now: datetime) -> Found:
    """Return published works: newest first, or for words the best first. `rows` says what comes with each work.

    Two queries for words and one without; two to four more where nothing meets the words as they are. Raises Invalid
    for a place that is none.
    """
    words = _clean(asked.words)
    if not words:
        shown = rows.filter(narrowed(asked), state=Work.State.PUBLISHED)
        page = places.newest(shown, by="published_at", listed="works", after=after, limit=limit)
        return Found(rows=page.rows, after=page.after)
    question, wanted = Question(words=words), _Wanted(asked=asked, rows=rows, limit=limit)
    if after:
        *place, tsquery, meant = places.read(
            after, "search", datetime.fromisoformat, int, datetime.fromisoformat, UUID, str, str
        )
        question = replace(question, tsquery=tsquery or None, meant=meant)
        score, moment, last = place[1:]
        return _ranked(question, wanted, as_of=place[0], after=ranking.Place(score=score, moment=moment, id=last))
    found = _ranked(question, wanted, as_of=now)
    for other in () if found.rows else near(words):
        found = _ranked(other, wanted, as_of=now)
        if found.rows:
            return found
    return found if found.rows else replace(found, question=question)


def _clean(words: str) -> str:
    """Return the words as PostgreSQL can take them."""
    return words.replace("\x00", " ").strip()[:WORDS_LENGTH_MOST]


def narrowed(asked: Asked) -> Q:
    """Return the filter on works; `catalog.ranking` has the same in SQL."""
    narrowing: dict[str, Any] = {
        "kind": asked.kind,
        "creator__slug": asked.creator,
        "release_id": asked.release,
        "tags__contains": [asked.tag] if asked.tag is not None else None,
        "licence": asked.licence,
        "lossless": asked.lossless,
    }
    found = Q(**{column: wanted for column, wanted in narrowing.items() if wanted is not None})
    if asked.free is not None:
        found &= Q(price_micros=0) if asked.free else Q(price_micros__gt=0) | Q(price_micros=None)
    return found


def _ranked(question: Question, wanted: _Wanted, *, as_of: datetime, after: ranking.Place | None = None) -> Found:
    """Return a page of the works that meet the question, as of a moment, after a place."""
    best = ranking.works(question=question, asked=wanted.asked, as_of=as_of, after=after, most=wanted.limit + 1)
    shown, further = best[: wanted.limit], ""
    if len(best) > wanted.limit:
        further = places.write("search", as_of, *_values(shown[-1]), question.tsquery or "", question.meant)
    published = wanted.rows.filter(state=Work.State.PUBLISHED)
    return Found(rows=_in_order(published, [place.id for place in shown]), after=further, question=question)


def _values(place: ranking.Place) -> tuple[int, datetime, UUID]:
    return place.score, place.moment, place.id


def _in_order(rows: QuerySet[Any], ids: list[UUID]) -> list[Any]:
    """Return the rows of these ids in their order, those that are there. One query."""
    by_id = {row.pk: row for row in rows.filter(id__in=ids)}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def creators(
    *, words: str, after: str, limit: int, with_works: bool = False, question: Question | None = None
) -> Found:
    """Return open profiles, newest first; for words, those first that are named exactly so.

    `question` is what words were found to mean elsewhere. One query; for words two, and two more where a mistyped one
    is looked up.
    """
    if _clean(words):
        best = partial(ranking.creators, with_works=with_works)
        found = _named(best, words, after=after, limit=limit, listed="creators", question=question)
        return replace(found, rows=_in_order(Creator.objects.all(), found.rows))
    listed = Creator.objects.filter(closed_at=None)
    if with_works:
        listed = listed.filter(Exists(Work.objects.filter(creator=OuterRef("pk"), state=Work.State.PUBLISHED)))
    page = places.newest(listed, by="created_at", listed="creators", after=after, limit=limit)
    return Found(rows=page.rows, after=page.after)


def releases(
    *,
    words: str,
    creator: str | None,
    after: str,
    limit: int,
    rows: QuerySet[Release],
    question: Question | None = None,
) -> Found:
    """Return releases with at least one published work, newest first; for words, those first that are called so.

    `rows` says what comes with each. Two queries, and two more where a mistyped word is looked up.
    """
    if _clean(words):
        best = partial(ranking.releases, creator=creator)
        found = _named(best, words, after=after, limit=limit, listed="releases", question=question)
    else:
        listed = Release.objects.filter(Exists(Work.objects.filter(release=OuterRef("pk"), state=Work.State.PUBLISHED)))
        if creator is not None:
            listed = listed.filter(creator__slug=creator)
        page = places.newest(listed, by="created_at", listed="releases", after=after, limit=limit)
        found = Found(rows=[release.pk for release in page.rows], after=page.after)
    # What comes with a release may cost much, such as a count of its works: only those that are shown are asked for it.
    return replace(found, rows=_in_order(rows, found.rows))


def _named(
    best: Callable[..., list[ranking.Place]],
    words: str,
    *,
    after: str,
    limit: int,
    listed: str,
    question: Question | None,
) -> Found:
    """Return the ids of rows whose name meets the words: first of those named exactly so, then of the others."""
    words, place = _clean(words), None
    if after:
        score, moment, last, tsquery, meant = places.read(
            after, f"{listed} named", int, datetime.fromisoformat, UUID, str, str
        )
        place = ranking.Place(score=score, moment=moment, id=last)
        question = Question(words=words, tsquery=tsquery or None, meant=meant)
    asked = question or Question(words=words)
    for attempt in [asked] if question else _attempts(asked):
        found = best(question=attempt, after=place, most=limit + 1)
        if found:
            shown, further = found[:limit], ""
            if len(found) > limit:
                further = places.write(f"{listed} named", *_values(shown[-1]), attempt.tsquery or "", attempt.meant)
            return Found(rows=[place.id for place in shown], after=further, question=attempt)
    return Found(rows=[], question=asked)


def _attempts(asked: Question) -> Any:
    yield asked
    yield from near(asked.words)


def of_creators(*, creator_ids: list[UUID], rows: QuerySet[Work], after: str, limit: int) -> Page[Work]:
    """Return published works of these creators, newest first. Two queries; each creator's newest are read by index."""
    moment, last = places.read(after, "of creators", datetime.fromisoformat, UUID) if after else (None, None)
    with connection.cursor() as cursor:
        cursor.execute(_OF_CREATORS, {"creators": creator_ids, "moment": moment, "last": last, "limit": limit + 1})
        found = cursor.fetchall()
    shown = found[:limit]
    return Page(
        rows=_in_order(rows, [work_id for _, work_id in shown]),
        after=places.write("of creators", *shown[-1]) if len(found) > limit else "",
    )


_OF_CREATORS = """
    SELECT w.published_at, w.id
      FROM unnest(%(creators)s::uuid[]) one (id), LATERAL (
           SELECT id, published_at FROM catalog_work
            WHERE creator_id = one.id AND state = 'published'
              AND (%(moment)s::timestamptz IS NULL OR published_at <= %(moment)s::timestamptz
                   AND (published_at < %(moment)s::timestamptz OR id < %(last)s::uuid))
            ORDER BY published_at DESC, id DESC LIMIT %(limit)s) w
     ORDER BY w.published_at DESC, w.id DESC LIMIT %(limit)s
"""


def creator_of(slug: str) -> UUID:
    """Return the id of the open profile at an address. One query. Raises NotFound."""
    found = Creator.objects.filter(slug=slug, closed_at=None).values_list("id", flat=True).first()
    if found is None:
        raise NotFound("there is no such creator")
    return found


@dataclass(frozen=True, kw_only=True)
class Known:
    """What choosing among works looks at."""

    work_id: UUID
    kind: str
    creator_id: UUID


def published_among(work_ids: list[UUID]) -> list[Known]:
    """Return those of the works that are published, in the order given. One query."""
    rows = {
        row[0]: Known(work_id=row[0], kind=row[1], creator_id=row[2])
        for row in Work.objects.filter(id__in=work_ids, state=Work.State.PUBLISHED).values_list(
            "id", "kind", "creator_id"
        )
    }
    return [rows[work_id] for work_id in work_ids if work_id in rows]


def drawn(*, kind: str, start: UUID, most: int) -> list[Known]:
    """Return published works of a kind whose ids come next after `start`, beginning anew at the end of all ids.

    Ids are random, so a random start makes it a fair draw; it reads a few rows of an index. Two queries.
    """
    works = Work.objects.filter(kind=kind, state=Work.State.PUBLISHED).order_by("id")
    found = [*works.filter(id__gte=start)[:most], *works.filter(id__lt=start)[:most]]
    return [Known(work_id=one.id, kind=one.kind, creator_id=one.creator_id) for one in found[:most]]


__all__ = [
    "WORDS_LENGTH_MOST",
    "Asked",
    "Found",
    "Known",
    "creator_of",
    "creators",
    "drawn",
    "narrowed",
    "of_creators",
    "published_among",
    "releases",
    "works",
]
