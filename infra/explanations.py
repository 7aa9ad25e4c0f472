"""What each refusal means to a person: why there is such a rule, and what to do now."""

from dataclasses import dataclass

from members.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A refusal in words. `now` says what to do."""

    slug: str
    status: int
    title: str
    why: str
    now: str = ""

    @classmethod
    def of(cls, problem: type[Problem]) -> "Explanation":
        """Return what the problem says of itself."""
        why, now = WORDS.get(problem.slug, (_first_line(problem), ""))
        return cls(slug=problem.slug, status=problem.status, title=problem.title, why=why, now=now)


WORDS = {
    "insufficient-funds": (
        "Plays are paid from credit you already hold, so nobody owes the co-op anything and nothing is charged later.",
        "Add credit in your wallet. The opening stays free, and what you own plays as before.",
    ),
    "spending-limit-reached": (
        "You set a limit for the day or the month, and this would go over it. Plays and purchases both count.",
        "A day ends at midnight, a month on its last. Lower ones hold at once, higher ones after a day.",
    ),
    "price-changed": (
        "Never more is charged than the price you saw. Meanwhile the work was played, given back or repriced.",
        "Look at the new price and decide anew. Nothing was charged.",
    ),
    "session-expired": (
        "A price holds for 15 minutes, so that nobody pays one they have forgotten.",
        "Press play again: the price is shown anew. Nothing was charged.",
    ),
    "work-unavailable": (
        "A creator may take a work off at any time, and a work is suspended while a report about it is looked into.",
        "Who owns it hears it as before. Who had begun it may go on or buy the rest for 90 days from then.",
    ),
    "wallet-frozen": (
        "A payment into this wallet is disputed. Until that is decided nothing may move in it.",
        "A treasurer decides. What you own still plays.",
    ),
    "own-work": (
        "Nobody pays for their own work: it plays free for those who run its profile or are on its split sheet.",
        "Press play. Nothing is charged.",
    ),
    "already-bought": (
        "A work is bought once. A play you had paid before buying it was given back to you, and plays pay it again.",
        "Press play. The last of the plays left makes it yours again, and together they cost what was given back.",
    ),
    "unavailable": (
        "The database did not answer in time. Nothing is ever half done: money moved with its receipt, or not at all.",
        "Try again in a moment. Whoever asks again for the same play gets the same answer and is charged once.",
    ),
    "key-reused": (
        "One Idempotency-Key stands for one intent, for ever; this one was used for something else.",
        "A program makes a new key for each new intent and repeats it only for the same request.",
    ),
    "cannot-publish": (
        "The policy “content” says what the catalogue admits; members vote on it. The refusal names rule and version.",
        "Mend what it names, for instance with a better master, and publish again.",
    ),
    "not-allowed": ("It is somebody else's to decide.", ""),
}


def _first_line(problem: type[Problem]) -> str:
    return (problem.__doc__ or "").strip().split("\n")[0]


def _known(root: type[Problem] = Problem) -> dict[str, type[Problem]]:
    found: dict[str, type[Problem]] = {}
    for one in root.__subclasses__():
        found.setdefault(one.slug, one)
        for slug, below in _known(one).items():
            found.setdefault(slug, below)
    return found


def explain(slug: str) -> Explanation | None:
    """Return what the slug means, or None for one that nothing here refuses with."""
    problem = _known().get(slug)
    return None if problem is None else Explanation.of(problem)


def all_explanations() -> list[Explanation]:
    """Return every refusal there is, by slug."""
    return [Explanation.of(problem) for _, problem in sorted(_known().items())]
