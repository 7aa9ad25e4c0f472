"""Beginning an unsealed run again, for whoever may not delete."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("royalties", "0006_posting")]
    operations = [
        migrations.RunSQL((SQL / "start_over.sql").read_text(), "DROP FUNCTION royalties_start_over(date)"),
    ]
