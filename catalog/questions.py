"""What words ask of the catalogue, and what mistyped ones may mean: the known words that are a few letters apart."""

from dataclasses import dataclass

from django.db import connection

NEAR_WORDS_LOOKED_AT = 60
NEAR_WORDS_MOST = 5
NEAR_LETTERS_LEAST = 3


@dataclass(frozen=True, kw_only=True)
class Question:
    """Words as the database is asked them. Without `tsquery`, as they are; `meant` says what they became.

    With `is_any` one of them is enough.
    """

    words: str
    tsquery: str | None = None
    meant: str = ""
    is_any: bool = False


def near(words: str) -> list[Question]:
    """Return what mistyped words may mean, the likelier first: near words for each, then any of them. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, [words, NEAR_LETTERS_LEAST, NEAR_WORDS_LOOKED_AT])
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


# Each word as it is kept, whether some work has it, and where none has, the words most like it. A word that is known is
# looked up by its key and is nothing to look near: the planner guesses many words and would else read the whole list.
_NEAR = """
    SELECT said.n, said.word, known.word IS NOT NULL, other.word, other.likeness
      FROM unnest(regexp_split_to_array(catalog_search_text(%s), '\\s+')) WITH ORDINALITY said (word, n)
           LEFT JOIN LATERAL (SELECT w.word FROM catalog_word w WHERE w.word = said.word LIMIT 1) known ON true
           LEFT JOIN LATERAL catalog_near_words(
               CASE WHEN known.word IS NULL AND char_length(said.word) >= %s THEN said.word END, %s) other ON true
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
    # Most of two words that are like each other is their same beginning and end, which add nothing.
    same = _same_at_first(one, other)
    one, other = one[same:], other[same:]
    same = _same_at_first(one[::-1], other[::-1])
    one, other = one[: len(one) - same], other[: len(other) - same]
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


def _same_at_first(one: str, other: str) -> int:
    """Return with how many same letters both begin."""
    for place, (letter, wanted) in enumerate(zip(one, other, strict=False)):
        if letter != wanted:
            return place
    return min(len(one), len(other))


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
