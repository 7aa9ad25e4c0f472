"""How files come in: received whole or in pieces, told apart by their bytes, and looked into."""
