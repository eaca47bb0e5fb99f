"""A simulator of AWS for demos, drills and tests. No production code imports it.

`server.py` is one endpoint for everything: STS by moto behind our own check of who may assume what, SQS, EventBridge
and SNS by moto, Support and Organizations by ourselves. `wire.py` reads and writes by botocore's own service models and
fails on anything outside them, so the simulator cannot drift from AWS's API unnoticed. `world.py` is what there is.
"""
