"""What starts work: Kafka, the clock, and what others left undone. All of it goes through the lanes."""
