"""What the business is about: no I/O, no clock, no framework."""
