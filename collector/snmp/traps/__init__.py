"""Notifications that devices send by themselves: traps and informs of v1, v2c and v3.

A process of its own (`child`) holds the sockets and reads every packet (`receiver`, `notification`, `user_security`); the
collector (`listener`) hears from it what a known device has told with the right credential, says what it means
(`meaning`, written in `events/*.toml`), keeps it (`record`) and has the device polled.
"""
