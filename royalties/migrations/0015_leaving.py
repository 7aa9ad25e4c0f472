"""Capital of members who left, paid before its years' turn."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0014_leaving"),
        ("royalties", "0014_stated_shares"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CapitalRelease",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("begun", "Begun"), ("confirmed", "Confirmed")], default="begun", max_length=9
                    ),
                ),
                ("left_by", models.PositiveSmallIntegerField()),
                ("begun_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "begun_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "confirmed_by",
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
            name="ReleasedLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "year", "line", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("year", models.PositiveSmallIntegerField()),
                ("line", models.PositiveIntegerField()),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="royalties.capitalrelease"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="capitalrelease",
            constraint=models.UniqueConstraint(
                models.F("state"), condition=models.Q(("state", "begun")), name="capital_release_one_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="capitalrelease",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("confirmed_by", None), ("state", "begun")),
                    models.Q(
                        ("confirmed_at__isnull", False),
                        ("confirmed_by__isnull", False),
                        ("state", "confirmed"),
                        models.Q(("confirmed_by", models.F("begun_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="capital_release_is_by_two",
            ),
        ),
        migrations.RunSQL((SQL / "leaving.sql").read_text(), (SQL / "leaving_away.sql").read_text()),
    ]
