"""Utilisation bins: eleven of them, centred on 0, 10, ..., 100%, in which the load curve is close to linear."""

BINS = 11


def utilisation_bin(utilisation: float) -> int:
    """The bin of a utilisation (0..1): 0 is below 5%, 10 from 95%. Values outside are taken as the nearest bound."""
    return max(0, min(BINS - 1, int(utilisation * 10 + 0.5)))
