"""The course of a case as a LangGraph graph, and nothing else: no database, no clock, no payment.

Read `build` for the picture, `nodes` for what each step does, `workflow` for how the application
drives it.
"""
