"""Every page as somebody of the demo sees it: what `infra/screenshots` walks through, room by room."""
