"""Who belongs to the co-op: classes and places, memberships and their dues, shares, hours, and how one leaves."""
