"""Tells people about approval requests: on Slack, in Microsoft Teams, by webhook, by e-mail.

Read `routing` first (who is told, inside the commit), then `delivery` (sending, with its retries), then a channel.
"""
