"""What a policy and a staff would have made of a stretch of traffic: the real use cases on adapters in memory.

Read `staff` for who answers and how fast, `traffic` for what comes in, `house` for how time goes by, `report` for what
is told in the end. Nothing is asked of a broker, a database, a shop or a provider.
"""
