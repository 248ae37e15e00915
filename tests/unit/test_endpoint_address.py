"""Which addresses may be sent the key."""

import pytest

from core.errors import EndpointMisplaced
from core.project_api.address import endpoint, way_out


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com",
        "https://api.example.com:8443/some/prefix/",
        "https://bücher.example",
        "http://localhost:8099",
        "http://127.0.0.1:8099",
        "http://127.9.9.9",
        "http://[::1]:8099/prefix",
    ],
)
def test_https_and_this_machine_are_fine(address: str) -> None:
    assert endpoint(address).scheme in {"http", "https"}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.example.com",
        "https://",
        "//api.example.com",
        "ftp://127.0.0.1",
        "http://api.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://169.254.169.254",
        "http://localhost.example.com",
        "http://127.1",
        "https://api.example.com?key=s3cret",
        "https://api.example.com/?",
        "https://api.example.com/#s3cret",
        "https://someone:s3cret@api.example.com",
        "https://s3cret@api.example.com",
        "https://api.example.com:s3cret",
        "https://api.example.com:99999",
        "https://s3cret\n.example.com",
        "https://.example.com",
        f"https://{'a' * 64}.example.com",
    ],
)
def test_any_other_address_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(EndpointMisplaced) as refused:
        endpoint(address)
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_proxy_may_have_credentials_that_nothing_shows() -> None:
    proxy = way_out("http://someone:s3cret@proxy.example:3128")
    assert proxy.raw_auth == (b"someone", b"s3cret")
    assert "s3cret" not in repr(proxy)


@pytest.mark.parametrize(
    "address", ["", "proxy.example:3128", "socks5://proxy.example", "http://u:s3cret@h:p"]
)
def test_a_proxy_that_cannot_be_used_is_refused(address: str) -> None:
    with pytest.raises(EndpointMisplaced) as refused:
        way_out(address)
    assert "s3cret" not in str(refused.value)
