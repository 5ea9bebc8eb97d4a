"""A premises at a time, all its devices in order of time: what happens to firmware
(docs/firmware.md).
"""
