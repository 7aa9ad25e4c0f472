"""What was published of each month."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("royalties", "0003_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200)),
                ("tree_key", models.CharField(max_length=200)),
                ("size_bytes", models.BigIntegerField()),
                ("zip_sha256", models.CharField(max_length=64)),
                ("manifest_sha256", models.CharField(max_length=64)),
                ("signing_key", models.CharField(max_length=16)),
                ("signature", models.CharField(max_length=128)),
                ("root", models.CharField(max_length=64)),
                ("listeners", models.BigIntegerField()),
                ("previous_manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("document", models.JSONField()),
                ("totals", models.JSONField()),
                ("closed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="publication_month_is_a_first_day"
                    ),
                    models.CheckConstraint(condition=models.Q(("size_bytes__gt", 0)), name="publication_has_a_bundle"),
                ],
            },
        ),
        migrations.RunSQL((SQL / "publications.sql").read_text(), (SQL / "publications_away.sql").read_text()),
    ]
