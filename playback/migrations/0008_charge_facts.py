"""What a royalty run reads of charges."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("playback", "0007_following")]
    operations = [migrations.RunSQL((SQL / "charge_facts.sql").read_text(), "DROP VIEW playback_charge_facts")]
