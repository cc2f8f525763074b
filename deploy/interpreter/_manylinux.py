"""Tells pip which wheels this interpreter takes (PEP 600): those for its glibc, whatever newer one it runs on here.

build.sh puts it into the interpreter's library, with the glibc that it compiled for in place of 2.28.
"""

GLIBC = (2, 28)


def manylinux_compatible(major: int, minor: int, _architecture: str) -> bool:
    return (major, minor) <= GLIBC
