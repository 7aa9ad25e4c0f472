"""Who belongs, in which classes and with which voice; dues, shares, hours, expulsions."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0007_governance"),
    ]

    operations = [
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("approved", "Approved"),
                            ("joined", "Joined"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("left", "Left"),
                            ("expelled", "Expelled"),
                        ],
                        default="applied",
                        max_length=9,
                    ),
                ),
                ("number", models.PositiveIntegerField(null=True, unique=True)),
                ("legal_name", models.CharField(max_length=120)),
                ("postal_address", models.CharField(max_length=400)),
                ("applied_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("words", models.CharField(blank=True, max_length=1000)),
                ("joined_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=64)),
                ("noted_at", models.DateTimeField()),
                ("freed_at", models.DateTimeField(null=True)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="instruments", to="members.membership"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Expulsion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reasons", models.CharField(max_length=4000)),
                ("opened_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=4000)),
                ("expelled_at", models.DateTimeField(null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                ("appeal", models.CharField(blank=True, max_length=4000)),
                ("appealed_at", models.DateTimeField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("upheld_at", models.DateTimeField(null=True)),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="expulsions", to="members.membership"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DuesPayment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("covers_from", models.DateField()),
                ("covers_until", models.DateField()),
                ("amount_micros", models.BigIntegerField()),
                ("way", models.CharField(choices=[("wallet", "Wallet"), ("bank", "Bank")], max_length=6)),
                ("paid_at", models.DateTimeField()),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dues",
                        to="members.membership",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ClassPlace",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "member_class",
                    models.CharField(
                        choices=[
                            ("creator", "Creator"),
                            ("listener", "Listener"),
                            ("worker", "Worker"),
                            ("supporter", "Supporter"),
                        ],
                        max_length=9,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(null=True)),
                ("since", models.DateTimeField(null=True)),
                ("met_by", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="members.membership"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Qualification",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "member_class",
                    models.CharField(
                        choices=[
                            ("creator", "Creator"),
                            ("listener", "Listener"),
                            ("worker", "Worker"),
                            ("supporter", "Supporter"),
                        ],
                        max_length=9,
                    ),
                ),
                ("words", models.CharField(max_length=200)),
                ("facts", models.JSONField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="qualifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ShareHolding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("amount_micros", models.BigIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                ("repaid_at", models.DateTimeField(null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shares", to="members.membership"
                    ),
                ),
                (
                    "repaid_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "repaying_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Voice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("on_appeal", models.BooleanField()),
                ("says_yes", models.BooleanField(null=True)),
                ("given_at", models.DateTimeField(null=True)),
                (
                    "expulsion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="voices", to="members.expulsion"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VotingChoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seq", models.PositiveIntegerField()),
                (
                    "member_class",
                    models.CharField(
                        choices=[
                            ("creator", "Creator"),
                            ("listener", "Listener"),
                            ("worker", "Worker"),
                            ("supporter", "Supporter"),
                        ],
                        max_length=9,
                    ),
                ),
                ("chosen_at", models.DateTimeField()),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="choices",
                        to="members.membership",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WorkedTime",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("worked_on", models.DateField()),
                ("minutes", models.PositiveSmallIntegerField()),
                ("words", models.CharField(max_length=200)),
                ("recorded_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("approved", models.BooleanField(null=True)),
                ("refused_because", models.CharField(blank=True, max_length=200)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="worked_times",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WorkerVoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("given_at", models.DateTimeField()),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="voices", to="members.classplace"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["state", "applied_at", "id"], name="membership_by_state"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("applied", "approved", "joined"))),
                fields=("person",),
                name="membership_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("joined_at__isnull", False),
                        ("number__isnull", False),
                        ("state__in", ("joined", "left", "expelled")),
                    ),
                    models.Q(
                        ("joined_at", None),
                        ("number", None),
                        ("state__in", ("applied", "approved", "refused", "withdrawn")),
                    ),
                    _connector="OR",
                ),
                name="membership_joined_has_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", False), ("state__in", ("left", "expelled", "refused", "withdrawn"))),
                    models.Q(("ended_at", None), ("state__in", ("applied", "approved", "joined"))),
                    _connector="OR",
                ),
                name="membership_ended_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None)),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="membership_decision_has_its_secretary",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("applied", "withdrawn")), ("decided_at__isnull", False), _connector="OR"
                ),
                name="membership_was_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None), models.Q(("decided_by", models.F("person")), _negated=True), _connector="OR"
                ),
                name="membership_is_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="instrument",
            constraint=models.UniqueConstraint(
                condition=models.Q(("freed_at", None)), fields=("digest",), name="instrument_carries_one_membership"
            ),
        ),
        migrations.AddConstraint(
            model_name="expulsion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("dropped_at", None), ("expelled_at", None)),
                fields=("membership",),
                name="expulsion_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="expulsion",
            constraint=models.CheckConstraint(
                condition=models.Q(("expelled_at", None), ("dropped_at", None), _connector="OR"),
                name="expulsion_is_decided_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="expulsion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("appeal", ""), ("appealed_at", None), ("lifted_at", None), ("upheld_at", None)),
                    models.Q(
                        ("appealed_at__isnull", False),
                        ("expelled_at__isnull", False),
                        models.Q(("appeal", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="expulsion_appeal_follows_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="expulsion",
            constraint=models.CheckConstraint(
                condition=models.Q(("lifted_at", None), ("upheld_at", None), _connector="OR"),
                name="expulsion_appeal_is_decided_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="duespayment",
            constraint=models.UniqueConstraint(fields=("membership", "covers_from"), name="dues_once_for_a_year"),
        ),
        migrations.AddConstraint(
            model_name="duespayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="dues_amount_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="duespayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("covers_until__gt", models.F("covers_from"))), name="dues_cover_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="duespayment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_by", None), ("way", "wallet")),
                    models.Q(("confirmed_by__isnull", False), ("way", "bank")),
                    _connector="OR",
                ),
                name="dues_by_bank_were_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="classplace",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("membership", "member_class"),
                name="class_place_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="classplace",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at", None), ("approved_by", None)),
                    models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="class_place_approval_has_its_secretary",
            ),
        ),
        migrations.AddConstraint(
            model_name="classplace",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("since", None),
                    models.Q(
                        ("approved_at__isnull", False),
                        ("since__gte", models.F("approved_at")),
                        models.Q(("met_by", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="class_place_is_held_after_approval",
            ),
        ),
        migrations.AddIndex(
            model_name="qualification",
            index=models.Index(fields=["person", "member_class", "-recorded_at"], name="qualification_by_person"),
        ),
        migrations.AddConstraint(
            model_name="shareholding",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0), ("count__gt", 0)), name="shares_are_some"
            ),
        ),
        migrations.AddConstraint(
            model_name="shareholding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_by", None), ("paid_at", None)),
                    models.Q(("confirmed_by__isnull", False), ("dropped_at", None), ("paid_at__isnull", False)),
                    _connector="OR",
                ),
                name="shares_paid_were_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="shareholding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("repaid_at", None), ("repaid_by", None)),
                    models.Q(
                        ("paid_at__isnull", False),
                        ("repaid_at__isnull", False),
                        ("repaid_by__isnull", False),
                        ("repaying_by__isnull", False),
                        models.Q(("repaid_by", models.F("repaying_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="shares_are_paid_back_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="shareholding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("dropped_at", None), ("paid_at", None)),
                fields=("membership",),
                name="shares_asked_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="voice",
            constraint=models.UniqueConstraint(fields=("expulsion", "person", "on_appeal"), name="voice_once"),
        ),
        migrations.AddConstraint(
            model_name="voice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("given_at", None), ("says_yes", None)),
                    models.Q(("given_at__isnull", False), ("says_yes__isnull", False)),
                    _connector="OR",
                ),
                name="voice_given_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="voice",
            constraint=models.CheckConstraint(
                condition=models.Q(("on_appeal", True), ("says_yes__isnull", False), _connector="OR"),
                name="voice_of_the_board_is_given",
            ),
        ),
        migrations.AddConstraint(
            model_name="votingchoice",
            constraint=models.UniqueConstraint(fields=("membership", "seq"), name="voting_choice_seq_is_unique"),
        ),
        migrations.AddIndex(
            model_name="workedtime",
            index=models.Index(fields=["person", "worked_on"], name="worked_time_by_person"),
        ),
        migrations.AddConstraint(
            model_name="workedtime",
            constraint=models.CheckConstraint(
                condition=models.Q(("minutes__gt", 0), ("minutes__lte", 1440)), name="worked_time_is_within_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="workedtime",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved", None), ("decided_at", None), ("decided_by", None)),
                    models.Q(("approved__isnull", False), ("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="worked_time_decision_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="workedtime",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", None), models.Q(("decided_by", models.F("person")), _negated=True), _connector="OR"
                ),
                name="worked_time_is_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="workervoice",
            constraint=models.UniqueConstraint(fields=("place", "given_by"), name="worker_voice_once"),
        ),
        migrations.RunSQL((SQL / "membership.sql").read_text(), (SQL / "membership_away.sql").read_text()),
    ]
