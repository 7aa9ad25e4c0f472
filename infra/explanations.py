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
    "not-on-the-roll": (
        "Who may vote is written down when a vote is announced, so that nobody can be let in or kept out for it.",
        "Errors on a roll are corrected until 24 hours before the vote opens. The next vote has a roll of its own.",
    ),
    "proposal-not-now": (
        "A proposal goes through its parts one after the other, and in each other things can be done.",
        "Its page says in which part it is, and what comes next.",
    ),
    "one-proposal-per-policy": (
        "A proposal is compared with what holds. If two about one policy passed, nobody had voted on what comes of it.",
        "Wait until the other one has ended, or suggest a change to it. Your draft stays.",
    ),
    "panel-over": (
        "Three members drawn by lot hear an appeal in days that are counted. Two who agree decide it, for good.",
        "Its page says what was decided, and why.",
    ),
    "objection-over": (
        "A voted rule objects to a work once, and the work has one appeal against it.",
        "The work's page says what was decided. Once it fits the rule, it can be published again.",
    ),
    "no-such-local-time": (
        "When clocks change, an hour is skipped or comes twice. A deadline in it would be none, or two.",
        "Take another hour of that day.",
    ),
    "voting-not-open": (
        "Every ballot is cast between two moments that were announced, by the co-op's own clock.",
        "Look when it opens. Once a vote has closed, its result is on its page.",
    ),
    "already-voted": (
        "One member, one ballot; and since nobody knows which is yours, nobody can take it out again.",
        "Nothing. Your first ballot counts. With its secret number you find it when the vote has closed.",
    ),
    "nonce-taken": (
        "Two ballots cannot lie in the urn under one tracker. Chance does not do that; a copied number does.",
        "Draw another number and vote again. Nothing was cast.",
    ),
    "cannot-announce": (
        "A vote needs its times in order, and a roll on which each person stands once, in a class that counts.",
        "Look at what the refusal names.",
    ),
    "board-size": (
        "A board of one or two is no board, and one of many decides nothing. So it has three to seven directors.",
        "Give the role to another person first, or take it from one.",
    ),
    "roll-fixed": (
        "In its last day before a vote nobody can be put on the roll or taken off it, for whatever reason.",
        "The next vote has a roll of its own.",
    ),
    "vote-not-closed": (
        "Who knew how a vote stands could vote, or stay away, by it. So nobody does until it has closed.",
        "The turnout is shown. The result follows when the vote has closed.",
    ),
    "already-a-member": (
        "One person has one membership and one vote.",
        "Your membership’s page says how it stands, and how to ask for a further class.",
    ),
    "not-a-member": (
        "Votes, shares, dues and hours belong to those who belong to the co-op.",
        "Apply on your membership’s page. The secretary looks at it, and your first dues make you a member.",
    ),
    "membership-stands": (
        "What was decided or paid stays as it is, so nobody decides a second time about what somebody else did.",
        "Look at the page again: it shows how it stands now. Nothing was done by this.",
    ),
    "instrument-taken": (
        "One card or account carries one membership, so that nobody votes twice by paying twice.",
        "Pay with a card or an account of your own. If it is yours alone, write to the secretary.",
    ),
    "dues-not-due": (
        "Dues are paid a year at a time, the next one from sixty days before the last one ends.",
        "Your membership’s page says until when they are paid.",
    ),
    "nothing-due": (
        "Royalties are paid from a least sum on that members vote on, and young ones wait a while for stolen cards.",
        "What is owed is carried forward to the micro and looked at again with the next month.",
    ),
    "batch-stands": (
        "Payouts are prepared by one and released by another, who looked at exactly these.",
        "Look at them as they are now. Nothing was paid by this.",
    ),
    "books-open": (
        "Money leaves when the month is sealed and its books agree with the bank, so that an error is found before.",
        "Enter the bank's balance at the month's end; another treasurer confirms it, and the books are locked.",
    ),
    "account-replaced": (
        "Royalties go to one account at a time.",
        "Look at the account that stands now, and enter yours again if it is another.",
    ),
    "bank-file-not-read": (
        "Files of a bank are read as a stranger's: only what they are sure to say is booked, all of it or nothing.",
        "Take pain.002, camt.053 or camt.054 as the bank sends it, or a table with booked_on and amount.",
    ),
    "entry-stands": (
        "An entry is entered by one and confirmed by another, once; what is booked is never changed.",
        "Look at the entry as it is now. One that was booked is corrected by a reversal.",
    ),
    "balance-differs": (
        "The books are locked when they say what the bank says, to the cent.",
        "Take in the bank's lines, explain those that nobody explained, and try again.",
    ),
    "month-not-over": (
        "A month is closed when nothing can be charged in it any more, so that it is divided once and for ever.",
        "Ask again when it has ended. By itself it closes on the third of the next month.",
    ),
    "earlier-month-open": (
        "Months are sealed in their order: what is held or carried forward goes from each to the next.",
        "Close the month that the refusal names first.",
    ),
    "periods-busy": (
        "A month closes between two charges, and none waits for it longer than a second.",
        "Try again. By itself it is tried every minute.",
    ),
    "offset-mismatch": (
        "A file that is sent in pieces has one end at any moment, and each piece begins there. Two programs sent it.",
        "Ask where the transfer stands and go on from there. Nothing of this piece was kept.",
    ),
    "transfer-over": (
        "A transfer takes pieces until the file is whole, and for a day after the last of them.",
        "Send the file anew. What became of this one is said at its address.",
    ),
    "checksum-mismatch": (
        "The piece is not what its checksum says, so it changed on its way and nothing of it was kept.",
        "Send the piece again.",
    ),
    "tus-version": (
        "Files are sent in pieces by version 1.0.0 of the tus protocol, and the request did not say so.",
        "Use a program that speaks it, or send the file in one piece.",
    ),
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
    "library-empty": (
        "A zip holds what is owned. What is on the way can be heard and gone on with, and is not kept yet.",
        "Own a work, or keep one that is free. The lists have what is on the way too.",
    ),
    "download-failed": (
        "A worker makes each file of what the creator sent, and this one could not be made; the reason stands there.",
        "Take another format, and tell us. The work is yours as before.",
    ),
    "no-signing-key": (
        "A certificate is worth nothing without a signature, and the key that signs is not here now.",
        "Ask again later. What is yours is yours without a certificate.",
    ),
    "profile-closed": (
        "An owner of the profile closed it for good. Its works are off; who owns one keeps it.",
        "Other profiles go on as before. A new one can be made in the studio.",
    ),
    "last-owner": (
        "A profile always has an owner, so that there is somebody who may decide about it.",
        "Make somebody else an owner first, or close the profile.",
    ),
    "invitation-over": (
        "An invitation is answered once, and who sent it may take it back before that.",
        "An owner of the profile may send another one.",
    ),
    "split-sheet-over": (
        "A split sheet ends when a payee declines it, or when a newer one takes its place before all have answered.",
        "Nothing was changed by it. Who runs the profile may propose another, and every payee is asked anew.",
    ),
    "cash-out-refused": (
        "Only credit you bought and did not spend goes back, in whole cents. Given credit is played, never paid out.",
        "Ask for no more than the page shows. Nothing was taken.",
    ),
    "plan-changed": (
        "A cash-out does exactly what you were shown. Meanwhile something was played, bought or added.",
        "Look at the new plan and confirm that, or keep your credit. Nothing was taken.",
    ),
    "transfer-replaced": (
        "Whoever releases a transfer pays the account they looked at, and no other.",
        "Look at the newest entry. Nothing was released.",
    ),
    "already-decided": (
        "Reports of a work are answered together, once, and a decision is never changed.",
        "Load the queue again; a new report brings the work back into it.",
    ),
    "not-suspended": ("An appeal is against a suspension that holds; this work has none.", ""),
    "appeal-filed": (
        "There is one appeal against a suspension, decided by somebody else than who suspended the work.",
        "Wait for the decision, which comes by mail. You may also go to a court.",
    ),
    "ledger-refused": (
        "The books take an entry once, between accounts of the chart, and in no month that was locked with the bank.",
        "Nothing was booked. A wrong entry is never changed: it is reversed, with a reason, and booked anew.",
    ),
    "year-open": (
        "A year’s surplus is divided by what its sealed months say, and they say it when nothing can change in them.",
        "Seal and lock the months up to December, and close the years before it. Nothing was done.",
    ),
    "year-stands": (
        "A year is drawn once, divided once when members said so, and its capital is paid once, the oldest year first.",
        "Look at the page again: it shows where the year is. Nothing was done by this.",
    ),
    "payout-file-lost": (
        "Nothing is paid twice: before payouts are prepared, those that the bank made and a backup lost are booked.",
        "Take in the bank's notification with every payment of that file, then prepare again.",
    ),
    "recovering": (
        "The database was restored from a backup, and until what it lost is taken in again no money moves.",
        "What you own plays, and everything can be read. Ask again in a while; what you paid meanwhile is not lost.",
    ),
    "erasure-runs": (
        "Somebody is erased once. It was asked for before.",
        "Your page “Leave for good” says until when you can stay.",
    ),
    "no-erasure": (
        "For seven days after it was asked for, an erasure can be taken back or its code drawn anew.",
        "Look at the page again: it shows how it stands.",
    ),
    "has-duties": (
        "Money, votes and the register are looked after by people who can be asked. So nobody leaves while they do.",
        "Hand your role over first. Then ask again.",
    ),
    "no-such-claim": (
        "What is owed to somebody who was erased is paid to whoever has the code they were told, and to nobody else.",
        "Look at the code letter by letter. Nothing was kept of what you typed.",
    ),
    "nothing-owed-yet": (
        "The bank pays whole cents. What is owed under this code is less.",
        "Shares may earn more; come again in some months, with the same code.",
    ),
    "payout-file-forgotten": (
        "The file held the account of somebody who was erased after it was paid. Accounts go with their people.",
        "The bank has the file, and the payouts’ references stand on the batch’s page.",
    ),
    "second-factor-needed": (
        "Votes and other people's money are moved only by who has just shown their second factor.",
        "Show it on your account's page; that holds for fifteen minutes. Who has none sets one up there first.",
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
