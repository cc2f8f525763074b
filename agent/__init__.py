"""What a host knows of itself: inventory, utilisation, energy sources; and the report it sends."""

__version__ = "0.1.0"
