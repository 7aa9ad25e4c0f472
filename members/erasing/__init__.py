"""How a person goes for good: what is theirs leaves first, then nothing here says who they were."""
