"""Where a request may go: no text that an agent writes leads it into the house, or away from its place."""

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.executors.url_template import BadArgument, BadTemplate, UrlTemplate
from worker.adapters.outgoing.addresses import Place, is_public, place_of
from worker.adapters.outgoing.errors import Forbidden

TEMPLATE = UrlTemplate("https://erp.example/orders/{args.order.id}/notes?text={args.note}")


@given(order=st.text() | st.integers(), note=st.text(min_size=1) | st.integers())
def test_no_argument_leaves_its_place_in_the_url(order: str | int, note: str | int) -> None:
    try:
        url = TEMPLATE.filled({"order": {"id": order}, "note": note})
    except BadArgument:
        return
    parts = urlsplit(url)
    assert place_of(url) == Place("erp.example", 443)
    _, orders, segment, notes = parts.path.split("/")
    assert (orders, unquote(segment), notes) == ("orders", str(order), "notes")
    assert parts.query.count("&") == parts.query.count("#") == 0
    assert unquote(parts.query) == f"text={note}"


@pytest.mark.parametrize(
    "template",
    [
        "https://{args.host}/",
        "https://erp.example:{args.port}/",
        "https://erp.example{args.suffix}/",
        "https://{args.user}@erp.example/",
        "{args.url}",
        "http://erp.example/{args.id}",
        "https://erp.example/{id}",
        "https://erp.example/{idempotency_key}",
        "https://erp.example/{args.id",
        "https://erp.example/}",
        "https://erp.example/{{args.id}}",
    ],
)
def test_an_argument_fills_no_other_part_of_a_url(template: str) -> None:
    with pytest.raises(BadTemplate):
        UrlTemplate(template)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://erp.example", "erp.example"),
        ("HTTPS://ERP.Example:443/x", "erp.example"),
        ("https://erp.example:8443/?x=1", "erp.example:8443"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://[2001:4860:4860::8888]:444/", "[2001:4860:4860::8888]:444"),
        ("https://8.8.8.8/", "8.8.8.8"),
    ],
)
def test_a_url_leads_to_a_place(url: str, place: str) -> None:
    assert str(place_of(url)) == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp.example",
        "//erp.example/",
        "ftp://erp.example/",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://erp.example:0/",
        "https://erp.example:99999/",
        "https://user:password@erp.example/",
        "https://erp.example\\@evil.example/",
        "https://erp example/",
        "https://erp.example\n.evil.example/",
        "https://erp..example/",
        "https://erp.example./",
        "https://-erp.example/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://erp.example.1/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://erp.example/\ud800",
        f"https://{'x' * 64}.example/",
        f"https://{'x.' * 127}example/",
    ],
)
def test_what_is_no_plain_https_url_is_sent_nowhere(url: str) -> None:
    with pytest.raises(Forbidden) as forbidden:
        place_of(url)
    assert "password" not in str(forbidden.value)


PRIVATE = """
    0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 192.0.0.8 192.0.2.1 192.88.99.1
    192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    168.63.129.16 3fff::1
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001:db8::1 2001::1
    2002:7f00:1:: 2002:a9fe:a9fe:: fc00::1 fd12::1 fe80::1 fe80::1%1 fec0::1 ff02::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.215.14 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:4860:4860::8888 2606:4700::1111 2002:808:808::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_of_the_house_and_of_no_one_are_private(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(address=st.ip_addresses(v=4))
def test_an_address_is_as_private_in_ipv6_as_it_is_in_ipv4(address: object) -> None:
    plain = ip_address(str(address))
    for wrapped in (f"::ffff:{plain}", f"64:ff9b::{plain}"):
        assert is_public(ip_address(wrapped)) == is_public(plain)
