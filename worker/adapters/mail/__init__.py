"""Mail that this worker sends: one message over SMTP, and what became of it in three words."""
