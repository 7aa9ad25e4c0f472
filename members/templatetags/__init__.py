"""Template filters that every page may use without loading them."""
