"""What members ask each other to decide, from the draft to what came of it."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import members.voting.tally

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0009_elections"),
    ]

    operations = [
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(null=True, unique=True)),
                ("key", models.CharField(blank=True, max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ordinary", "ordinary"),
                            ("special", "special"),
                            ("constitutional", "constitutional"),
                            ("advisory", "advisory"),
                            ("statutory", "statutory"),
                        ],
                        max_length=16,
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("reasons", models.TextField()),
                ("params", models.JSONField(null=True)),
                ("base_seq", models.PositiveIntegerField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("params_version", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sponsoring", "Sponsoring"),
                            ("deliberation", "Deliberation"),
                            ("notice", "Notice"),
                            ("voting", "Voting"),
                            ("counting", "Counting"),
                            ("contest", "Contest"),
                            ("queued", "Queued"),
                            ("enacted", "Enacted"),
                            ("retracted", "Retracted"),
                            ("lapsed", "Lapsed"),
                            ("defeated", "Defeated"),
                            ("inquorate", "Inquorate"),
                            ("voided", "Voided"),
                            ("failed", "Failed"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("frozen_sha256", models.CharField(blank=True, max_length=64)),
                ("governance_seq", models.PositiveIntegerField(null=True)),
                ("is_second_call", models.BooleanField(default=False)),
                ("reruns", models.PositiveSmallIntegerField(default=0)),
                ("effective_from", models.DateTimeField(null=True)),
                ("made_seq", models.PositiveIntegerField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("why", models.CharField(blank=True, max_length=500)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "election",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.election"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sponsoring", "Sponsoring"),
                            ("deliberation", "Deliberation"),
                            ("notice", "Notice"),
                            ("voting", "Voting"),
                            ("counting", "Counting"),
                            ("contest", "Contest"),
                            ("queued", "Queued"),
                            ("enacted", "Enacted"),
                            ("retracted", "Retracted"),
                            ("lapsed", "Lapsed"),
                            ("defeated", "Defeated"),
                            ("inquorate", "Inquorate"),
                            ("voided", "Voided"),
                            ("failed", "Failed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("words", models.CharField(blank=True, max_length=500)),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="members.proposal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("grounds", models.TextField()),
                ("filed_at", models.DateTimeField()),
                ("decide_until", models.DateTimeField()),
                (
                    "ruling",
                    models.CharField(
                        blank=True,
                        choices=[("upheld", "Upheld"), ("recounted", "Recounted"), ("voided", "Voided")],
                        max_length=9,
                    ),
                ),
                ("ruled_at", models.DateTimeField(null=True)),
                (
                    "election",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.election"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contests", to="members.proposal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProposalVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(max_length=120)),
                ("reasons", models.TextField()),
                ("params", models.JSONField(null=True)),
                ("written_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("declined_at", models.DateTimeField(null=True)),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="members.proposal"
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("said_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="remarks", to="members.proposal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sponsorship",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("class_name", models.CharField(db_column="class", max_length=16)),
                ("version", models.PositiveIntegerField()),
                ("given_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sponsorships", to="members.proposal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Panelist",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ruling",
                    models.CharField(
                        blank=True,
                        choices=[("upheld", "Upheld"), ("recounted", "Recounted"), ("voided", "Voided")],
                        max_length=9,
                    ),
                ),
                ("reasons", models.TextField(blank=True)),
                ("ruled_at", models.DateTimeField(null=True)),
                (
                    "contest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="panel", to="members.contest"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("contest", "person"), name="panelist_once_per_contest"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ruled_at", None), ("ruling", "")),
                            models.Q(
                                models.Q(("ruling", ""), _negated=True),
                                models.Q(("reasons", ""), _negated=True),
                                ("ruled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="panelist_gives_reasons",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(fields=["state", "ends_at"], name="proposal_by_state"),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(fields=["-submitted_at", "-id"], name="proposal_by_time"),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued"]),
                    models.Q(("key", ""), _negated=True),
                ),
                fields=("key",),
                name="proposal_one_live_per_policy",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("base_seq", None),
                        ("key", ""),
                        ("kind", members.voting.tally.Kind["ADVISORY"]),
                        ("params", None),
                    ),
                    models.Q(
                        models.Q(("key", ""), _negated=True),
                        ("base_seq__isnull", False),
                        ("params__isnull", False),
                        models.Q(("kind", members.voting.tally.Kind["ADVISORY"]), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="proposal_has_figures_unless_advisory",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number", None), ("state", "draft"), ("submitted_at", None)),
                    models.Q(
                        models.Q(("state", "draft"), _negated=True),
                        ("number__isnull", False),
                        ("submitted_at__isnull", False),
                    ),
                    ("state", "retracted"),
                    _connector="OR",
                ),
                name="proposal_submitted_has_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("state__in", ["notice", "voting", "counting", "contest", "queued", "enacted"]), _negated=True
                    ),
                    models.Q(
                        models.Q(("frozen_sha256", ""), _negated=True),
                        ("election__isnull", False),
                        ("governance_seq__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="proposal_voted_on_is_frozen",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["queued"]), _negated=True),
                    ("effective_from__isnull", False),
                    _connector="OR",
                ),
                name="proposal_queued_has_a_date",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at", None),
                        (
                            "state__in",
                            [
                                "draft",
                                "sponsoring",
                                "deliberation",
                                "notice",
                                "voting",
                                "counting",
                                "contest",
                                "queued",
                            ],
                        ),
                    ),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("state__in", ["enacted", "retracted", "lapsed", "defeated", "inquorate", "voided", "failed"]),
                    ),
                    _connector="OR",
                ),
                name="proposal_ended_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("params_version__lte", models.F("version"))), name="proposal_figures_are_older"
            ),
        ),
        migrations.AddIndex(
            model_name="part",
            index=models.Index(fields=["proposal", "began_at", "id"], name="proposal_part_by_time"),
        ),
        migrations.AddConstraint(
            model_name="contest",
            constraint=models.UniqueConstraint(fields=("election", "person"), name="contest_once_per_member"),
        ),
        migrations.AddConstraint(
            model_name="contest",
            constraint=models.CheckConstraint(
                condition=models.Q(("grounds", ""), _negated=True), name="contest_has_grounds"
            ),
        ),
        migrations.AddConstraint(
            model_name="contest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ruled_at", None), ("ruling", "")),
                    models.Q(models.Q(("ruling", ""), _negated=True), ("ruled_at__isnull", False)),
                    _connector="OR",
                ),
                name="contest_ruling_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposalversion",
            constraint=models.UniqueConstraint(fields=("proposal", "number"), name="proposal_version_number_is_unique"),
        ),
        migrations.AddConstraint(
            model_name="proposalversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted_at", None), ("declined_at", None), _connector="OR"),
                name="proposal_version_accepted_or_declined",
            ),
        ),
        migrations.AddIndex(
            model_name="remark",
            index=models.Index(fields=["proposal", "said_at", "id"], name="remark_by_time"),
        ),
        migrations.AddConstraint(
            model_name="remark",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="remark_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="sponsorship",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)),
                fields=("proposal", "person", "version"),
                name="sponsorship_once",
            ),
        ),
        migrations.RunSQL((SQL / "proposals.sql").read_text(), (SQL / "proposals_away.sql").read_text()),
    ]
