"""The questions of a search as the database is asked them: which works, and which names, best first, after a place.

They are written in SQL: what a search asks is the same each time, and to put it together of querysets took longer than
to answer it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from catalog.questions import Question

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
class Place:
    """A row's place in an answer: by its score, then its moment, then its id, the largest first."""

    score: int
    moment: datetime
    id: UUID


# What a filter asks of a row of words (f) or of its work (w). A price that is null is the policy's default.
FILTERS = {
    "kind": "f.kind = %(kind)s",
    "creator": "w.creator_id = (SELECT id FROM catalog_creator WHERE slug = %(creator)s)",
    "release": "w.release_id = %(release)s",
    "tag": "w.tags @> ARRAY[%(tag)s]::varchar[]",
    "licence": "w.licence = %(licence)s",
    "lossless": "w.lossless = %(lossless)s",
}
FREE, NOT_FREE = "w.price_micros = 0", "w.price_micros IS DISTINCT FROM 0"
# All that have words are published. It is said all the same: the filters' indexes hold published works alone, and
# without it every work there is would be read.
WORK = "JOIN catalog_work w ON w.id = f.work_id AND w.state = 'published'"
SCORE = f"""
    round(ts_rank('{{{{0.1,0.2,0.4,1.0}}}}', vector, {{question}})::numeric * {RANK_SCALE})::int
    + CASE WHEN title = {{said}} THEN {SAME_TITLE_SCORE} WHEN starts_with(title, {{said}}) THEN {TITLE_BEGINS_SCORE}
           ELSE 0 END
"""
WORKS = """
    SELECT score, published_at, work_id
      FROM (SELECT {score} AS score, published_at, work_id
              FROM (SELECT f.* FROM catalog_finding f {work}
                     WHERE f.vector @@ {question} AND f.published_at <= %(as_of)s {narrowed}
                     ORDER BY f.published_at DESC, f.work_id DESC LIMIT %(ranked_most)s) newest
             UNION
            SELECT {score} AS score, published_at, work_id
              FROM (SELECT f.* FROM catalog_finding f {work}
                     WHERE f.title = {said} AND f.published_at <= %(as_of)s {narrowed}
                     ORDER BY f.published_at DESC, f.work_id DESC LIMIT %(same_title_most)s) same) ranked
     WHERE {later} ORDER BY score DESC, published_at DESC, work_id DESC LIMIT %(most)s
"""
# Who is called exactly so is found by an index of its own, so that no other name has to be spelled for it. The order is
# one that no index has: by one on the moment the planner would go through all rows for the few that meet.
NAMES = """
    SELECT score, created_at, id
      FROM (SELECT one.created_at, one.id, CASE WHEN one.id IN (
                       SELECT id FROM {table} WHERE catalog_search_text({column}) = {said}) THEN 1 ELSE 0 END AS score
              FROM {table} one
             WHERE to_tsvector('simple', catalog_search_text(one.{column})) @@ {question} AND {shown}) ranked
     WHERE {later} ORDER BY score DESC, created_at DESC, id DESC LIMIT %(most)s
"""
OPEN_PROFILE = "one.closed_at IS NULL"
HAS_WORKS = "EXISTS (SELECT 1 FROM catalog_work w WHERE w.creator_id = one.id AND w.state = 'published')"
RELEASE_HAS_WORKS = "EXISTS (SELECT 1 FROM catalog_work w WHERE w.release_id = one.id AND w.state = 'published')"
OF_CREATOR = "one.creator_id = (SELECT id FROM catalog_creator WHERE slug = %(creator)s)"


def works(*, question: Question, asked: Asked, as_of: datetime, after: Place | None, most: int) -> list[Place]:
    """Return at most so many published works that meet the question, the best first, as of a moment. One query.

    Ranked are the newest thousand that meet it, and of those with exactly that title the newest two hundred.
    """
    filters = asdict(asked)
    narrowed = [condition for name, condition in FILTERS.items() if filters[name] is not None]
    if asked.free is not None:
        narrowed.append(FREE if asked.free else NOT_FREE)
    parts = {
        "work": WORK if any("w." in condition for condition in narrowed) else "",
        "narrowed": "".join(f" AND {condition}" for condition in narrowed),
        "later": _later(after, "published_at", "work_id"),
    }
    limits = {"ranked_most": RANKED_MOST, "same_title_most": SAME_TITLE_MOST}
    return _best(WORKS, parts, {**filters, **limits, "as_of": as_of}, question=question, after=after, most=most)


def creators(*, question: Question, with_works: bool, after: Place | None, most: int) -> list[Place]:
    """Return at most so many open profiles whose name meets the question, those named exactly so first. One query."""
    shown = f"{OPEN_PROFILE} AND {HAS_WORKS}" if with_works else OPEN_PROFILE
    parts = {"table": "catalog_creator", "column": "name", "shown": shown, "later": _later(after, "created_at", "id")}
    return _best(NAMES, parts, {}, question=question, after=after, most=most)


def releases(*, question: Question, creator: str | None, after: Place | None, most: int) -> list[Place]:
    """Return at most so many releases with a published work whose title meets the question, as creators. One query."""
    shown = RELEASE_HAS_WORKS if creator is None else f"{RELEASE_HAS_WORKS} AND {OF_CREATOR}"
    parts = {"table": "catalog_release", "column": "title", "shown": shown, "later": _later(after, "created_at", "id")}
    return _best(NAMES, parts, {"creator": creator}, question=question, after=after, most=most)


def _later(after: Place | None, moment: str, id_: str) -> str:
    return f"(score, {moment}, {id_}) < (%(score)s, %(moment)s, %(id)s)" if after else "true"


def _best(
    statement: str,
    parts: dict[str, str],
    parameters: dict[str, Any],
    *,
    question: Question,
    after: Place | None,
    most: int,
) -> list[Place]:
    said = "catalog_search_text(%(said)s)"
    asked = "catalog_search_query(%(asked)s)" if question.tsquery is None else "%(asked)s::tsquery"
    values = {
        **parameters,
        **(asdict(after) if after else {}),
        "said": question.meant or question.words,
        "asked": question.words if question.tsquery is None else question.tsquery,
        "most": most,
    }
    score = SCORE.format(question=asked, said=said)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**parts, score=score, question=asked, said=said), values)
        return [Place(score=score, moment=moment, id=id_) for score, moment, id_ in cursor.fetchall()]
