"""The published language: what producers, approval screens and downstream systems build against.

`values` holds the value types (money, identifiers, enums), `events` the events, `cloudevents` how
they travel on Kafka, `catalogue` which event goes where. Nothing here imports anything else of this
project.
"""
