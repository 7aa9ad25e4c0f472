"""Licences in words: each key of the policy `content` with its name, and what it lets a listener do."""

WORDS = {
    "all-rights-reserved": ("all rights reserved", "to listen to here; anything else needs its creator"),
    "cc0-1.0": ("CC0 1.0", "do with it what you like"),
    "cc-by-3.0": ("CC BY 3.0", "you may share and change it and name the creator"),
    "cc-by-4.0": ("CC BY 4.0", "you may share and change it and name the creator"),
    "cc-by-sa-3.0": ("CC BY-SA 3.0", "you may share and change it under the same licence"),
    "cc-by-sa-4.0": ("CC BY-SA 4.0", "you may share and change it under the same licence"),
}
