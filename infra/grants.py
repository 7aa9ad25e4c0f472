"""What the web role may do: read and write rows; it owns no table and deletes nothing that is money or a vote."""

from django.db import connection
from django.db.backends.utils import CursorWrapper

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
WRITTEN_ONCE = (
    *("royalties_account", "royalties_transfer", "royalties_lockedmonth", "royalties_postingmark"),
    "royalties_postedwork",
    *("members_checkpoint", "members_rollcorrection", "royalties_eligible", "royalties_patronage"),
    "royalties_releasedline",
)

# What only the functions of members/sql/ballots.sql write: a roll is read, and nobody looks into an urn.
WRITTEN_BY_FUNCTIONS = ("members_roll", "members_urn", "members_ballot", "members_rollline")
LIVE = ["members_roll", "members_urn"]
# What follows of an election that was announced, within what its trigger allows.
OF_AN_ELECTION = ("roll_root", "roll_members", "result", "bundle_key", "bundle_bytes", "bundle_sha256", "manifest")

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
        _guard_elections(cursor, quoted)
        for table in DELETABLE:
            cursor.execute(f"GRANT DELETE ON {connection.ops.quote_name(table)} TO {quoted}")


def _guard_elections(cursor: CursorWrapper, quoted: str) -> None:
    cursor.execute(f"REVOKE INSERT, UPDATE ON {', '.join(WRITTEN_BY_FUNCTIONS)} FROM {quoted}")
    cursor.execute(f"REVOKE ALL ON members_urn FROM {quoted}")
    # A vote that is open now has a roll and an urn of its own, which are reached through those alone.
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])", [LIVE])
    for (table,) in cursor.fetchall():
        cursor.execute(f"REVOKE ALL ON {connection.ops.quote_name(table)} FROM {quoted}")
    cursor.execute(f"GRANT UPDATE (person_id) ON members_rollline TO {quoted}")
    cursor.execute(f"REVOKE UPDATE ON members_election FROM {quoted}")
    cursor.execute(f"GRANT UPDATE ({', '.join(OF_AN_ELECTION)}) ON members_election TO {quoted}")
