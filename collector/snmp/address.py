"""Addresses with ports as people write them."""


def split_port(text: str) -> tuple[str, str]:
    """Host and port, "" without one, of HOST, HOST:PORT, [IPv6]:PORT or a bare IPv6 address; neither is checked.

    >>> split_port("[::1]:1162"), split_port("10.1.2.3:161"), split_port("2001:db8::7")
    (('::1', '1162'), ('10.1.2.3', '161'), ('2001:db8::7', ''))
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, ""
