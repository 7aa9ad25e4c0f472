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
    BooleanField,
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
from django.db.models.functions import Cast

from catalog import places
from catalog.finding_models import Finding
from catalog.models import Creator, Release, Work
from catalog.places import Page
from members.problems import NotFound

WORDS_LENGTH_MOST = 200
RANKED_MOST = 1_000
SAME_TITLE_MOST = 200
NEAR_WORDS_LOOKED_AT = 60
NEAR_WORDS_MOST = 5
NEAR_LETTERS_LEAST = 3
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
class Question:
    """Words as the database is asked them. Without `tsquery`, as they are; `meant` says what they became.

    With `is_any` one of them is enough.
    """

    words: str
    tsquery: str | None = None
    meant: str = ""
    is_any: bool = False

    @property
    def expression(self) -> Func | Cast:
        """The question in SQL."""
        if self.tsquery is None:
            return Func(Value(self.words), function="catalog_search_query", output_field=TextField())
        return Cast(Value(self.tsquery), output_field=_TsQuery())

    def met_by(self, vector: Any) -> Func:
        """Return the condition that a column of words meets the question."""
        return Func(
            vector, self.expression, template="(%(expressions)s)", arg_joiner=" @@ ", output_field=BooleanField()
        )


@dataclass(frozen=True, kw_only=True)
class Found(Page[Any]):
    """A page of rows, and the question that found them: None where there were no words."""

    question: Question | None = None


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    asked: Asked
    rows: QuerySet[Work]
    limit: int


class _TsQuery(TextField):
    def db_type(self, connection: Any) -> str:  # noqa: ARG002  (Django's signature)
        return "tsquery"


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


def near(words: str) -> list[Question]:
    """Return what mistyped words may mean, the likelier first: near words for each, then any of them. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, [words, NEAR_WORDS_LOOKED_AT, NEAR_LETTERS_LEAST])
        said: dict[int, tuple[str, bool, list[tuple[str, float]]]] = {}
        for number, word, known, other, likeness in cursor.fetchall():
            said.setdefault(number, (word, known, []))
            if other is not None:
                said[number][2].append((other, likeness))
    choices = [[word] if known else _nearest(word, others) for word, known, others in said.values()]
    meant = [words_like for words_like in choices if words_like]
    if not meant:
        return []
    told = " ".join(one[0] for one in meant)
    of_each = [" | ".join(map(_quoted, one)) for one in meant]
    questions = [Question(words=words, tsquery=" & ".join(f"({one})" for one in of_each), meant=told)]
    if len(meant) > 1:
        told = " or ".join(one[0] for one in meant)
        questions.append(Question(words=words, tsquery=" | ".join(of_each), meant=told, is_any=True))
    return questions


# Each word as it is kept, whether some work has it, and where none has, the words most like it.
_NEAR = """
    SELECT said.n, said.word, known.is, other.word, other.likeness
      FROM unnest(regexp_split_to_array(catalog_search_text(%s), '\\s+')) WITH ORDINALITY said (word, n)
           CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM catalog_word w WHERE w.word = said.word) AS is) known
           LEFT JOIN LATERAL catalog_near_words(said.word, %s) other ON NOT known.is AND char_length(said.word) >= %s
     WHERE said.word <> '' AND said.n <= 12
     ORDER BY said.n, other.likeness DESC, other.word
"""


def _nearest(word: str, others: list[tuple[str, float]]) -> list[str]:
    """Return the words that `word` may be a mistake for, the likeliest first: few letters apart, by how long it is."""
    most = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    apart = sorted((letters_apart(word, other), -likeness, other) for other, likeness in others)
    return [other for letters, _, other in apart if letters <= most][:NEAR_WORDS_MOST]


def letters_apart(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or swapped with a neighbour to make one the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


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


def _ranked(question: Question, wanted: _Wanted, *, as_of: datetime, place: list[Any] | None = None) -> Found:
    """Return a page of the works that meet the question, as of a moment, after a place (score, moment, id)."""
    said = Func(Value(question.meant or question.words), function="catalog_search_text", output_field=TextField())
    met = Finding.objects.filter(narrowed(wanted.asked, "work__"), published_at__lte=as_of)
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
    by_id = {
        work.id: work for work in wanted.rows.filter(id__in=[id_ for *_, id_ in shown], state=Work.State.PUBLISHED)
    }
    return Found(rows=[by_id[id_] for *_, id_ in shown if id_ in by_id], after=after, question=question)


def creators(
    *, words: str, after: str, limit: int, with_works: bool = False, question: Question | None = None
) -> Found:
    """Return open profiles, newest first; for words, those first that are named exactly so.

    `question` is what words were found to mean elsewhere. One query, two where a mistyped word is looked up.
    """
    shown = Creator.objects.filter(closed_at=None)
    if with_works:
        shown = shown.filter(Exists(Work.objects.filter(creator=OuterRef("pk"), state=Work.State.PUBLISHED)))
    return _named(shown, "name", words, after=after, limit=limit, listed="creators", question=question)


def releases(
    *,
    words: str,
    creator: str | None,
    after: str,
    limit: int,
    rows: QuerySet[Release],
    question: Question | None = None,
) -> Found:
    """Return releases with at least one published work, newest first; for words, those first that are called so."""
    published = Work.objects.filter(release=OuterRef("pk"), state=Work.State.PUBLISHED)
    shown = rows.filter(Exists(published))
    if creator is not None:
        shown = shown.filter(creator__slug=creator)
    return _named(shown, "title", words, after=after, limit=limit, listed="releases", question=question)


def _named(
    rows: QuerySet[Any], column: str, words: str, *, after: str, limit: int, listed: str, question: Question | None
) -> Found:
    words = _clean(words)
    if not words:
        page = places.newest(rows, by="created_at", listed=listed, after=after, limit=limit)
        return Found(rows=page.rows, after=page.after)
    kept = "to_tsvector('simple', catalog_search_text(%(expressions)s))"
    vector = Func(F(column), template=kept, output_field=TextField())
    spelled = Func(F(column), function="catalog_search_text", output_field=TextField())
    place = places.read(after, f"{listed} named", int, datetime.fromisoformat, UUID, str, str) if after else None
    if place:
        *place, tsquery, meant = place
        question = Question(words=words, tsquery=tsquery or None, meant=meant)
    asked = question or Question(words=words)
    for attempt in [asked] if after or question else _attempts(asked):
        said = Func(Value(attempt.meant or words), function="catalog_search_text", output_field=TextField())
        met = rows.filter(attempt.met_by(vector)).annotate(
            spelled=spelled, score=Case(When(spelled=said, then=Value(1)), default=Value(0))
        )
        if place:
            score, moment, last = place
            later = Q(created_at__lt=moment) | Q(created_at=moment, id__lt=last)
            met = met.filter(Q(score__lt=score) | (Q(score=score) & later))
        found = list(met.order_by("-score", "-created_at", "-id")[: limit + 1])
        if found:
            shown, place_after = found[:limit], ""
            if len(found) > limit:
                last_row, meant = shown[-1], (attempt.tsquery or "", attempt.meant)
                place_after = places.write(f"{listed} named", last_row.score, last_row.created_at, last_row.id, *meant)
            return Found(rows=shown, after=place_after, question=attempt)
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
    by_id = {work.id: work for work in rows.filter(id__in=[work_id for _, work_id in shown])}
    return Page(
        rows=[by_id[work_id] for _, work_id in shown if work_id in by_id],
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
