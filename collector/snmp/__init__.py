"""Network devices over SNMP: what they are, how busy they are and what they draw.

What a device can tell is described by profiles (`profiles/*.toml`), one a MIB or device family. Reading a device is
three steps: find out which profiles answer (`selection`), fetch what they name (`client`), and evaluate it
(`readings`, `identity`, `utilisation`, `device_power`), which is pure: the same snapshot gives the same figures.
"""
