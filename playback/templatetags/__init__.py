"""Template filters of the listening pages."""
