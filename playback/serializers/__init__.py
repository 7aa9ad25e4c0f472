"""What the API of playback reads and writes, field by field. Amounts are whole micros of `currency`."""
