"""Which hosts and addresses a request may go to: public ones, and private ones that were allowed by name.

An address that an agent names could otherwise reach what only the house can: metadata services, databases, admin
pages (server-side request forgery).
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from worker.adapters.outgoing.errors import Forbidden, Unreachable

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text. Raises OSError when it has none."""

HTTPS_PORT = 443

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME = 253

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SPECIAL_V4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
"""Of IANA's special-purpose registry; releases of Python differ about them. The last is a public address that leads
from a machine in Azure to its host."""

_DOCUMENTATION_V6 = IPv6Network("3fff::/20")
"""RFC 9637, which is younger than some releases of Python."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: all that messages say of it, for a path or a query may hold a secret."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Raises Forbidden for a URL that nothing is ever sent to, whatever its host resolves to."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Forbidden(f"the URL cannot be read: {error}") from None
    if parsed.scheme != "https":
        raise Forbidden(f"the URL is {parsed.scheme or 'without a scheme'}; only https is sent")
    if parsed.userinfo:
        raise Forbidden("the URL names a user; put credentials into a header")
    place = Place(parsed.raw_host.decode("ascii").lower(), HTTPS_PORT if parsed.port is None else parsed.port)
    if not 0 < place.port < 2**16:
        raise Forbidden(f"the URL's port is {place.port}, which is none")
    if literal(place.host) is None and not _may_be_a_name(place.host):
        raise Forbidden(f"{place.host or 'nothing'} cannot be the name of a host")
    return place


def literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name. One of a single network card (`fe80::1%eth0`) is none."""
    if "%" in host:
        return None
    try:
        return ip_address(host)
    except ValueError:
        return None


def _may_be_a_name(host: str) -> bool:
    """A name that ends in a number is an address in disguise: 2130706433, 0x7f.1 and 127.1 are 127.0.0.1 to the
    system's resolver (WHATWG URL, "ends in a number")."""
    labels = host.split(".")
    well_formed = len(host) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in labels)
    return well_formed and not _NUMBER.fullmatch(labels[-1])


def is_public(address: Address) -> bool:
    """Whether an address is on the open internet; an IPv4 address inside an IPv6 one counts as what it leads to."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or any(address in network for network in _SPECIAL_V4)
        return address.is_global and not special
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address in _DOCUMENTATION_V6:
        return False
    if address.sixtofour is not None and not is_public(address.sixtofour):
        return False
    return address in _GLOBAL_UNICAST and address.is_global and address.scope_id is None


async def resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Doorkeeper:
    """Says which addresses a connection to a host may be made to.

    `allow_private` are hosts, or `host:port`, that may have private addresses, as they stand in the URL.
    """

    def __init__(self, allow_private: Collection[str], resolve: Resolve = resolve) -> None:
        self._allow_private = frozenset(name.lower() for name in allow_private)
        self._resolve = resolve

    async def addresses_of(self, place: Place) -> list[str]:
        """Never empty. Raises Forbidden if any of them is private: which one is connected to is a matter of luck."""
        written = literal(place.host)
        found = [place.host] if written is not None else await self._ask(place)
        addresses = [ip_address(address) for address in found]
        if not self._may_be_private(place):
            for address in addresses:
                if not is_public(address):
                    named = "" if written is not None else f" resolves to {address}, which"
                    raise Forbidden(f"{place}{named} is no public address; a private host has to be allowed by name")
        return [str(address) for address in addresses]

    def _may_be_private(self, place: Place) -> bool:
        host = f"[{place.host}]" if ":" in place.host else place.host
        return not self._allow_private.isdisjoint({host, place.host, f"{host}:{place.port}"})

    async def _ask(self, place: Place) -> list[str]:
        try:
            found = await self._resolve(place.host, place.port)
        except OSError as error:
            raise Unreachable(f"{place.host} has no address: {error.strerror or error}") from error
        if not found:
            raise Unreachable(f"{place.host} has no address")
        return found
