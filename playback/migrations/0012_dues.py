"""Dues of members, paid from wallets."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("playback", "0011_sealed_accounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DuesTaken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("amount_micros", models.BigIntegerField()),
                ("taken_at", models.DateTimeField()),
                ("balance_after_micros", models.BigIntegerField()),
                ("promo_after_micros", models.BigIntegerField()),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dues_taken",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["taken_at"], name="dues_taken_by_moment")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros__gt", 0)), name="dues_taken_are_something"
                    )
                ],
            },
        ),
        migrations.RunSQL((SQL / "dues.sql").read_text(), (SQL / "dues_away.sql").read_text()),
    ]
