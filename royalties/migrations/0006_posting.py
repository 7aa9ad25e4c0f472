"""Posting: from when on rows are asked for marks, and which marks may be forgotten."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("royalties", "0005_payouts"), ("members", "0005_month_facts"), ("playback", "0010_money_facts")]
    operations = [migrations.RunSQL((SQL / "posting.sql").read_text(), (SQL / "posting_away.sql").read_text())]
