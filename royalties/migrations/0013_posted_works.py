"""What postings summed by work and day."""

from pathlib import Path

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0016_objections"),
        ("royalties", "0012_erasure"),
    ]

    operations = [
        migrations.CreateModel(
            name="PostedWork",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "posting_id", "day", "work_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("amount_micros", models.BigIntegerField()),
                ("promo_micros", models.BigIntegerField()),
                (
                    "posting",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.posting",
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
                "indexes": [django.contrib.postgres.indexes.BrinIndex(fields=["day"], name="posted_work_by_day")],
            },
        ),
        migrations.RunSQL((SQL / "posted_works.sql").read_text(), (SQL / "posted_works_away.sql").read_text()),
    ]
