"""What an election says of itself in JSON: its rules, its notice, its roll's leaves, its checkpoints, its result.

Fractions are pairs of whole numbers. Everything here is signed, or follows from what is; recount.py reads it all.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.conf import settings

from members import seals
from members.voting import tally
from members.voting.tally import Bar, Kind, Rules, Tally, Votes

NOTICE, CHECKPOINT = "refrain-election/1", "refrain-checkpoint/1"
# They vote by their heads alone, and in no class.
HEADS_ONLY = "supporter"
_SHARES = ("heads_share", "class_share")
_WHOLE = ("heads_least", "heads_most", "class_least", "class_most")


def moment(of: datetime) -> str:
    """Return a moment as documents write it, in UTC."""
    return of.astimezone(UTC).isoformat(timespec="microseconds" if of.microsecond else "seconds")


def rules_said(rules: Rules) -> dict[str, Any]:
    """Return the rules of a tally in JSON."""
    bars = {
        kind.value: {
            "support": _pair(bar.support),
            "support_exceeded": bar.support_exceeded,
            "heads": _pair(bar.heads),
            "heads_exceeded": bar.heads_exceeded,
        }
        for kind, bar in rules.bars.items()
    }
    return {
        "weights_ppm": dict(rules.weights_ppm),
        "bars": bars,
        **{name: _pair(getattr(rules, name)) for name in _SHARES},
        **{name: getattr(rules, name) for name in _WHOLE},
    }


def rules_read(said: Mapping[str, Any]) -> Rules:
    """Return the rules that `rules_said` wrote down."""
    bars = {
        Kind(kind): Bar(
            support=Fraction(*bar["support"]),
            support_exceeded=bar["support_exceeded"],
            heads=Fraction(*bar["heads"]),
            heads_exceeded=bar["heads_exceeded"],
        )
        for kind, bar in said["bars"].items()
    }
    return Rules(
        weights_ppm=dict(sorted(said["weights_ppm"].items())),
        bars=bars,
        heads_share=Fraction(*said["heads_share"]),
        class_share=Fraction(*said["class_share"]),
        **{name: said[name] for name in _WHOLE},
    )


def notice_said(
    *,
    election_id: UUID,
    question_sha256: str,
    kind: Kind,
    rules: Rules,
    opens_at: datetime,
    closes_at: datetime,
    is_second_call: bool,
    public_key: str,
    roll_root: str,
    roll_members: Mapping[str, int],
) -> dict[str, Any]:
    """Return what the notice of an election says."""
    return {
        "format": NOTICE,
        "issuer": settings.BASE_URL,
        "election": str(election_id),
        "question_sha256": question_sha256,
        "kind": kind.value,
        "is_second_call": is_second_call,
        "opens_at": moment(opens_at),
        "closes_at": moment(closes_at),
        "public_key": public_key,
        "rules": rules_said(rules),
        "roll": {"root": roll_root, "members": dict(roll_members)},
    }


def roll_leaf(election_id: UUID, name: str, class_name: str) -> bytes:
    """Return a leaf of a roll's tree: the canonical JSON of its three words, which need no escape."""
    return f'{{"class":"{class_name}","election":"{election_id}","name":"{name}"}}'.encode()


def roll_root(election_id: UUID, lines: Iterable[tuple[str, str]]) -> str:
    """Return the root over a roll's (name, class) in the names' order (RFC 6962), in hexadecimal."""
    tree = seals.Tree()
    for name, class_name in sorted(lines):
        tree.add(seals.leaf_hash(roll_leaf(election_id, name, class_name)))
    return tree.root().hex()


def checkpoint_said(
    *, election_id: UUID, number: int, made_at: datetime, trackers: list[bytes], previous: str | None
) -> dict[str, Any]:
    """Return what a checkpoint says over all sorted `trackers` it contains; `previous` is the SHA-256 of the last."""
    tree = seals.Tree()
    for one in trackers:
        tree.add(seals.leaf_hash(one))
    return {
        "format": CHECKPOINT,
        "election": str(election_id),
        "number": number,
        "made_at": moment(made_at),
        "count": len(trackers),
        "root": tree.root().hex(),
        "previous": previous,
    }


def votes_read(said: Mapping[str, Mapping[str, int]]) -> tuple[dict[str, Votes], Votes | None]:
    """Return the votes by class, and of those who vote by head alone, from an election's row."""
    votes = {
        name: Votes(members=one["members"], yes=one["yes"], no=one["no"], abstained=one["abstained"])
        for name, one in said.items()
    }
    return {name: one for name, one in votes.items() if name != HEADS_ONLY}, votes.get(HEADS_ONLY)


def counted(*, kind: str, is_second_call: bool, rules: Mapping[str, Any], votes: Mapping[str, Any]) -> Tally:
    """Return the tally that follows from an election's row."""
    by_class, heads_only = votes_read(votes)
    return tally.count(
        Kind(kind), by_class, rules=rules_read(rules), heads_only=heads_only, is_second_call=is_second_call
    )


def result_said(found: Tally, votes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tally in JSON, beside the votes that it was counted from."""
    return {
        "votes": {name: dict(one) for name, one in votes.items()},
        "verdict": found.verdict.value,
        "turnout": found.turnout,
        "head_quorum": found.head_quorum,
        "support": _pair(found.support),
        "heads": None if found.heads is None else _pair(found.heads),
        "classes": [
            {
                "name": one.name,
                "weight_ppm": _pair(one.weight_ppm),
                "quorum": one.quorum,
                "empty_chairs": one.empty_chairs,
                "support": _pair(one.support),
                "objects": one.objects,
                "consents": one.consents,
            }
            for one in sorted(found.classes, key=lambda one: one.name)
        ],
        "conditions": [
            {
                "name": one.name,
                "needed": _figure(one.needed),
                "exceeded": one.exceeded,
                "reached": _figure(one.reached),
                "holds": one.holds,
                "classes": sorted(one.classes),
            }
            for one in found.conditions
        ],
    }


def _pair(number: Fraction) -> list[int]:
    return [number.numerator, number.denominator]


def _figure(number: Fraction | int | None) -> list[int] | int | None:
    return _pair(number) if isinstance(number, Fraction) else number
