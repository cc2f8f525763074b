"""Why TLS with the collector failed, in plain words, with what to do. Nothing was sent: all of it precedes the request.

The numbers are OpenSSL's X509_V_ERR_* (x509_vfy.h), the names its reasons of a failed handshake (sslerr.h).
"""

import ssl

_CLOCK = "and see that this host's clock is right"
_REFUSALS: dict[int, tuple[str, str]] = {
    9: ("it is not valid yet", f"wait until it is, {_CLOCK}"),
    10: ("it has expired", f"renew it on the collector, {_CLOCK}"),
    18: ("it is signed by itself", "set `ca` to that certificate, or give the collector one of an authority"),
    19: ("its authority is not known here", "set `ca` to its authority's certificate, or correct the address"),
    20: ("its authority is not known here", "set `ca` to its authority's certificate, or correct the address"),
    21: (
        "its authority is not known here, or the collector does not send the whole chain",
        "set `ca` to its authority's certificate, or put the chain into `certificate_file`",
    ),
    62: ("it is for another name", "write `collector` with a name that is in it, or correct the address"),
    64: ("it is for another address", "write `collector` with a name or address that is in it"),
}
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"})
_OLD_TLS = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW"})


def words_of(error: ssl.SSLError, address: str) -> str:
    """What is wrong at this address and what to do; nothing where the failure has no words of its own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, remedy = _REFUSALS.get(
            error.verify_code,
            (error.verify_message, "set `ca` to its authority's certificate, or correct the address"),
        )
        return f"the certificate of {address} is not trusted: {reason}; {remedy}"
    if error.reason in _NO_TLS:
        return f"{address} does not speak TLS: correct the port of `collector`, or give the collector a certificate"
    if error.reason in _OLD_TLS:
        return f"{address} speaks only a TLS older than 1.2: bring it, or the proxy before it, up to date"
    return ""
