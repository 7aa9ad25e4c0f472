"""The policy `content` held against a work: each rule, whether it refuses, and the version that a vote made of it."""

from dataclasses import dataclass
from datetime import datetime

from catalog.models import Upload, Work
from members import policies
from members.policies import Version
from members.problems import Problem


class CannotPublish(Problem):
    """A rule of the policy `content` refuses the work; `rule` names it and `policy` the version that a vote made."""

    slug, status, title = "cannot-publish", 409, "This work cannot be published yet"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule and one work. `refused` keeps it from the public; `wanted` is only wished for."""

    rule: str
    words: str
    refused: bool
    wanted: bool = False
    policy_version: int | None = None

    def refusal(self) -> CannotPublish:
        """Return the refusal that this finding is."""
        if self.policy_version is None:
            return CannotPublish(self.words, rule=self.rule)
        words = f"{self.words} (content version {self.policy_version})"
        policy = policies.citation("content", self.policy_version)
        return CannotPublish(words, rule=self.rule, policy_version=self.policy_version, policy=policy)


def findings(work: Work, *, now: datetime) -> list[Finding]:
    """Return what each rule in force says of the work as it stands, saved or not. One query."""
    return findings_under(work, policies.policy_at("content", now))


def findings_under(work: Work, content: Version) -> list[Finding]:
    """Return what each rule of a version says of the work, whenever that holds. One query."""
    upload = Upload.objects.filter(work_id=work.id, state=Upload.State.READY).order_by("-created_at").first()
    if upload is None:
        return [Finding(rule="file", words="Its file has not been taken in yet.", refused=True)]
    params, version = content.params, content.seq
    found = [
        Finding(
            rule="ai_generated",
            words="Works made by machines alone are not admitted."
            if params["ai_generated"] == "forbidden"
            else "How it was made is stated.",
            refused=work.origin == Work.Origin.AI_GENERATED and params["ai_generated"] == "forbidden",
            policy_version=version,
        )
    ]
    if work.kind == Work.Kind.PHOTO:
        edge = int(params["photo_edge_min"])
        found.append(
            Finding(
                rule="photo_edge_min",
                words=f"The longer edge of a photo has at least {edge} pixels.",
                refused=max(work.width or 0, work.height or 0) < edge,
                policy_version=version,
            )
        )
        found.append(
            Finding(
                rule="alternative-text",
                words="A photo says in words what is to be seen, for those who cannot see it.",
                refused=not work.alternative_text.strip(),
            )
        )
        return found
    sample_rate = int(params["sample_rate_min"])
    found.append(
        Finding(
            rule="lossless",
            words="A lossless original is required."
            if params["lossless"] == "required"
            else "A lossless original is better; a lossy one is badged.",
            refused=params["lossless"] == "required" and not work.lossless,
            wanted=params["lossless"] == "encouraged" and not work.lossless,
            policy_version=version,
        )
    )
    found.append(
        Finding(
            rule="sample_rate_min",
            words=f"Sound has at least {sample_rate} samples a second, unless marked historic.",
            refused=not work.historic and int(upload.found.get("sample_rate") or 0) < sample_rate,
            policy_version=version,
        )
    )
    return found


def check(work: Work, *, now: datetime, rules: frozenset[str] | None = None) -> None:
    """Raise CannotPublish for the first rule that refuses the work; with `rules`, only these are asked."""
    for finding in findings(work, now=now):
        if finding.refused and (rules is None or finding.rule in rules):
            raise finding.refusal()
