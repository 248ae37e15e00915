"""Which base addresses the API key may be sent to; not where to find one."""

import ipaddress

import httpx

from core.errors import EndpointMisplaced


def endpoint(address: str) -> httpx.URL:
    """Return `address` parsed, its path kept.

    It must be https, or plain http to this very machine, and carry no credentials, query or
    fragment: the key is sent there with every question. Raises EndpointMisplaced, which never
    repeats the address, for it may hold a secret.
    """
    url = _parsed(address, "The assistant's address")
    if url.userinfo:
        raise EndpointMisplaced("The assistant's address must not carry a user name or password.")
    if "?" in address or "#" in address:
        raise EndpointMisplaced("The assistant's address must end with its path: no query, no fragment.")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.host)):
        raise EndpointMisplaced("The assistant's address must be https (http only to this machine itself).")
    return url


def way_out(proxy: str) -> httpx.Proxy:
    """Return the HTTP proxy at `proxy`, credentials allowed; raises EndpointMisplaced."""
    url = _parsed(proxy, "The proxy's address")
    if url.scheme not in {"http", "https"}:
        raise EndpointMisplaced("The proxy's address must be http or https.")
    return httpx.Proxy(url)


def _parsed(address: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
        url.host.encode("idna")  # what the resolver does: its UnicodeError would escape httpx
    except (httpx.InvalidURL, UnicodeError):
        # No cause: what httpx says repeats the address, which may hold a password.
        raise EndpointMisplaced(f"{name} is not a URL.") from None
    if not url.host or (url.port or 0) > 65535:
        raise EndpointMisplaced(f"{name} names no host, or no possible port.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
