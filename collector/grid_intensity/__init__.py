"""How much CO2 the grid makes a kilowatt-hour, half-hour by half-hour: NESO's Carbon Intensity API, asked and kept."""

ROUND_SECONDS = 1800
"""Between rounds of asking: each half-hour has one."""
