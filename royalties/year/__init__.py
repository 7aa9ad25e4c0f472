"""The financial year: its closing, whose its surplus is, the motion about it, and the money in members' hands."""
