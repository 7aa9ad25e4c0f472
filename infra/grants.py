"""What the web role may do: read and write rows; it owns no table and deletes nothing that is money or a vote."""

from django.db import connection

# Rows that may be deleted are those that are nobody's money, vote or past.
DELETABLE = (
    "members_token",
    "django_session",
    "playback_session",
    "account_emailaddress",
    "account_emailconfirmation",
    "mfa_authenticator",
    "catalog_rendition",
    "catalog_creatorrole",
    "playback_follow",
    "playback_favourite",
    "playback_shelfplace",
    "catalog_transfer",
    "catalog_leftover",
    "royalties_sofarwork",
    "royalties_sofargroup",
    "royalties_sofarline",
    "royalties_sofarcounted",
)

# Rows that are written once, whatever a program may ask.
WRITTEN_ONCE = ("royalties_account", "royalties_transfer", "royalties_lockedmonth", "royalties_postingmark")

# What a run fills by the hundred thousand, and its next step reads: whoever filled them lets the planner know.
FILLED_AT_ONCE = (
    "royalties_group",
    "royalties_line",
    "royalties_sofarwork",
    "royalties_sofargroup",
    "royalties_sofarline",
)


def grant(role: str) -> None:
    """Give the web role what it needs. Runs as the owner after each migration; safe to run again."""
    quoted = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE INSERT, UPDATE ON members_coop, django_migrations FROM {quoted}")
        # The books are written, never changed: balances follow by a trigger that has the owner's rights.
        cursor.execute(f"REVOKE UPDATE ON {', '.join(WRITTEN_ONCE)} FROM {quoted}")
        cursor.execute(f"GRANT MAINTAIN ON {', '.join(FILLED_AT_ONCE)} TO {quoted}")
        for table in DELETABLE:
            cursor.execute(f"GRANT DELETE ON {connection.ops.quote_name(table)} TO {quoted}")
