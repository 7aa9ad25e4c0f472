"""The demo's payment gateway: a separate process that behaves like one, and moves no money whatever.

It has checkouts with a page for the payer, signed webhooks sent at least once, and a list of events to ask for what
got lost. All state is in one file, so that a restart goes on where it was. Production refuses it.
"""
