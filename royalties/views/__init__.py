"""The pages of royalties, one module for each matter."""
