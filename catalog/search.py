"""Search: which published works, creators and releases somebody means, in pages that stay put.

Words are met by the rows that `catalog/sql/search.sql` keeps. Where nothing meets all words, a mistyped one is taken
for the words nearest to it, and where that helps nothing either, any of the words will do. What is meant is told with
the answer, so that a page can say it.

A search ranks the newest thousand works that meet the words, and those of exactly that title however old they are: to
rank a million, each of them would have to be read. Its pages go on within what was published when the first was asked.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    Case,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)

from catalog import places
from catalog.finding_models import Finding
from catalog.models import Creator, Release, Work
from catalog.places import Page
from catalog.questions import Question, near
from members.problems import NotFound

WORDS_LENGTH_MOST = 200
RANKED_MOST = 1_000
SAME_TITLE_MOST = 200
# A title that is exactly what was asked stands above one that begins so, and both above any rank.
SAME_TITLE_SCORE, TITLE_BEGINS_SCORE, RANK_SCALE = 2_000_000, 1_000_000, 100_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What narrows a list of works; what is None narrows nothing. `words` are as somebody wrote them."""

    words: str = ""
    kind: str | None = None
    creator: str | None = None
    release: UUID | None = None
    tag: str | None = None
    licence: str | None = None
    lossless: bool | None = None
    free: bool | None = None


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
        return _ranked(question, wanted, as_of=place[0], place=place[1:])
    found = _ranked(question, wanted, as_of=now)
    for other in () if found.rows else near(words):
        found = _ranked(other, wanted, as_of=now)
        if found.rows:
            return found
    return found if found.rows else replace(found, question=question)


def _clean(words: str) -> str:
    """Return the words as PostgreSQL can take them."""
    return words.replace("\x00", " ").strip()[:WORDS_LENGTH_MOST]


def narrowed(asked: Asked, work: str = "") -> Q:
    """Return the filter on works; `work` is the way from the row that is filtered to the work."""
    narrowing: dict[str, Any] = {
        "kind": asked.kind,
        "creator__slug": asked.creator,
        "release_id": asked.release,
        "tags__contains": [asked.tag] if asked.tag is not None else None,
        "licence": asked.licence,
        "lossless": asked.lossless,
    }
    found = Q(**{f"{work}{column}": wanted for column, wanted in narrowing.items() if wanted is not None})
    if asked.free is not None:
        is_free = Q(**{f"{work}price_micros": 0})
        not_free = Q(**{f"{work}price_micros__gt": 0}) | Q(**{f"{work}price_micros": None})
        found &= is_free if asked.free else not_free
    return found


def _met(asked: Asked) -> Q:
    """Return the filter on rows of words.

    Where it looks at works it says that they are published, although all that have words are: the indexes of the
    filters hold published works alone, and without it every work there is would be read.
    """
    met = narrowed(replace(asked, kind=None), "work__")
    if met:
        met &= Q(work__state=Work.State.PUBLISHED)
    return met & Q(kind=asked.kind) if asked.kind is not None else met


def _ranked(question: Question, wanted: _Wanted, *, as_of: datetime, place: list[Any] | None = None) -> Found:
    """Return a page of the works that meet the question, as of a moment, after a place (score, moment, id)."""
    said = Func(Value(question.meant or question.words), function="catalog_search_text", output_field=TextField())
    met = Finding.objects.filter(_met(wanted.asked), published_at__lte=as_of)
    newest = met.filter(question.met_by(F("vector"))).order_by("-published_at", "-work_id")[:RANKED_MOST]
    same = met.filter(title=said).order_by("-published_at", "-work_id")[:SAME_TITLE_MOST]
    rank = Func(
        F("vector"),
        question.expression,
        template=f"(round(ts_rank('{{0.1,0.2,0.4,1.0}}', %(expressions)s)::numeric * {RANK_SCALE})::int)",
        output_field=IntegerField(),
    )
    ranked = Finding.objects.filter(work_id__in=newest.values("work_id").union(same.values("work_id"))).annotate(
        score=rank
        + Case(
            When(title=said, then=Value(SAME_TITLE_SCORE)),
            When(title__startswith=said, then=Value(TITLE_BEGINS_SCORE)),
            default=Value(0),
        )
    )
    if place:
        score, moment, last = place
        later = Q(published_at__lt=moment) | Q(published_at=moment, work_id__lt=last)
        ranked = ranked.filter(Q(score__lt=score) | (Q(score=score) & later))
    best = list(
        ranked.order_by("-score", "-published_at", "-work_id").values_list("score", "published_at", "work_id")[
            : wanted.limit + 1
        ]
    )
    shown, after = best[: wanted.limit], ""
    if len(best) > wanted.limit:
        after = places.write("search", as_of, *shown[-1], question.tsquery or "", question.meant)
    published = wanted.rows.filter(state=Work.State.PUBLISHED)
    return Found(rows=_in_order(published, [id_ for *_, id_ in shown]), after=after, question=question)


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
    listed = Creator.objects.filter(closed_at=None)
    if with_works:
        listed = listed.filter(Exists(Work.objects.filter(creator=OuterRef("pk"), state=Work.State.PUBLISHED)))
    if not _clean(words):
        page = places.newest(listed, by="created_at", listed="creators", after=after, limit=limit)
        return Found(rows=page.rows, after=page.after)
    found = _named(listed, "name", words, after=after, limit=limit, listed="creators", question=question)
    return replace(found, rows=_in_order(Creator.objects.all(), found.rows))


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
    listed = Release.objects.filter(Exists(Work.objects.filter(release=OuterRef("pk"), state=Work.State.PUBLISHED)))
    if creator is not None:
        listed = listed.filter(creator__slug=creator)
    if _clean(words):
        found = _named(listed, "title", words, after=after, limit=limit, listed="releases", question=question)
    else:
        page = places.newest(listed, by="created_at", listed="releases", after=after, limit=limit)
        found = Found(rows=[release.pk for release in page.rows], after=page.after)
    # What comes with a release may cost much, such as a count of its works: only those that are shown are asked for it.
    return replace(found, rows=_in_order(rows, found.rows))


def _named(
    listed_rows: QuerySet[Any],
    column: str,
    words: str,
    *,
    after: str,
    limit: int,
    listed: str,
    question: Question | None,
) -> Found:
    """Return the ids of rows whose name meets the words: first of those named exactly so, then of the others."""
    words = _clean(words)
    place = places.read(after, f"{listed} named", int, datetime.fromisoformat, UUID, str, str) if after else None
    if place:
        *place, tsquery, meant = place
        question = Question(words=words, tsquery=tsquery or None, meant=meant)
    asked = question or Question(words=words)
    for attempt in [asked] if after or question else _attempts(asked):
        found = _of_name(listed_rows, column, attempt, place, limit + 1)
        if found:
            shown, place_after = [id_ for *_, id_ in found[:limit]], ""
            if len(found) > limit:
                place_after = places.write(f"{listed} named", *found[limit - 1], attempt.tsquery or "", attempt.meant)
            return Found(rows=shown, after=place_after, question=attempt)
    return Found(rows=[], question=asked)


def _of_name(
    rows: QuerySet[Any], column: str, question: Question, place: list[Any] | None, most: int
) -> list[tuple[int, datetime, UUID]]:
    """Return (score, moment, id) of at most so many rows whose name meets the question, after a place. One query.

    Those of exactly that name are found by their own index, so that no other name has to be spelled for it.
    """
    kept = "to_tsvector('simple', catalog_search_text(%(expressions)s))"
    said = Func(Value(question.meant or question.words), function="catalog_search_text", output_field=TextField())
    spelled = Func(F(column), function="catalog_search_text", output_field=TextField())
    named_so = rows.model.objects.alias(spelled=spelled).filter(spelled=said)
    met = rows.filter(question.met_by(Func(F(column), template=kept, output_field=TextField())))
    # In an order that no index has: by one on the moment the planner would go through all rows for the few that meet.
    met = met.annotate(score=Case(When(id__in=named_so.values("id"), then=Value(1)), default=Value(0)))
    if place:
        score, moment, last = place
        later = Q(created_at__lt=moment) | Q(created_at=moment, id__lt=last)
        met = met.filter(Q(score__lt=score) | (Q(score=score) & later))
    return list(met.order_by("-score", "-created_at", "-id").values_list("score", "created_at", "id")[:most])


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
