"""Names as they are asked for, so that who is called exactly so is found without spelling every other name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_sheet_facts")]
    operations = [
        migrations.RunSQL(
            # By a hash, which names of any length fit.
            "CREATE INDEX creator_named ON catalog_creator USING hash (catalog_search_text(name));"
            "CREATE INDEX release_named ON catalog_release USING hash (catalog_search_text(title));",
            "DROP INDEX creator_named; DROP INDEX release_named;",
        )
    ]
