"""What the API of royalties reads and writes, field by field."""
