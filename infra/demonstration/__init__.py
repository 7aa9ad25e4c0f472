"""The demo: people, works and months of history, made by the service itself and shown on one machine."""
