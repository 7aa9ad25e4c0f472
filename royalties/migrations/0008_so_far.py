"""The month so far: what the run would write of an open month."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_near_words"),
        ("royalties", "0007_start_over"),
        ("playback", "0008_charge_facts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SoFarCounted",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("counted_until", models.DateField()),
                ("counted_at", models.DateTimeField()),
                ("is_over", models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name="SoFarWork",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month", "work_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("month", models.DateField()),
                ("begins_at", models.DateTimeField()),
                ("until_at", models.DateTimeField()),
                ("is_over", models.BooleanField()),
                (
                    "work",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.work",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SoFarGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("sheet_id", models.UUIDField(null=True)),
                ("sheet_version", models.PositiveIntegerField(null=True)),
                ("revenue_seq", models.PositiveIntegerField()),
                ("since", models.DateTimeField()),
                ("gross_micros", models.BigIntegerField()),
                ("promo_micros", models.BigIntegerField()),
                ("creators_micros", models.BigIntegerField()),
                ("coop_micros", models.BigIntegerField()),
                ("released_in", models.DateField(null=True)),
                (
                    "work",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.work",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("work", "month", "sheet_id", "revenue_seq"),
                        name="so_far_group_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SoFarLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "work_id",
                        "of_month",
                        "sheet_id",
                        "revenue_seq",
                        "line_number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("of_month", models.DateField()),
                ("sheet_id", models.UUIDField()),
                ("revenue_seq", models.PositiveIntegerField()),
                ("line_number", models.PositiveIntegerField()),
                ("share_ppm", models.PositiveIntegerField()),
                ("net_micros", models.BigIntegerField()),
                (
                    "payee",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.work",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["payee", "month"], name="so_far_line_by_payee")],
            },
        ),
        migrations.RunSQL((SQL / "so_far.sql").read_text(), (SQL / "so_far_away.sql").read_text()),
    ]
