"""What members decide: proposals and their life, secret ballots, the count and what is published of it."""
