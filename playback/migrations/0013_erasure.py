"""What names somebody who was erased may be taken out of rows that are otherwise written once."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("playback", "0012_dues")]

    operations = [
        migrations.RunSQL((SQL / "erasure.sql").read_text(), (SQL / "erasure_away.sql").read_text()),
    ]
