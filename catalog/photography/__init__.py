"""Photos: what one is, what is made of it, and what may be told of how it was taken."""
