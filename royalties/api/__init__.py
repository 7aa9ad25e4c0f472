"""The API of royalties, one module for each matter."""
