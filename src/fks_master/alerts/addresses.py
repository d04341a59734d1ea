"""Which addresses nothing of ours is ever sent to: those where clouds hand out credentials.

What the configuration names is otherwise the operator's word: a receiver on the Docker network is normal.
"""

import ipaddress

_METADATA = {
    ipaddress.ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba; most others are link-local
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # Amazon
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
}
_LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")
# IPv6 networks whose last 32 bits are an IPv4 address: translated (NAT64, SIIT), compatible, and OpenStack's metadata.
_CARRIERS = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96", "fe80::/64")
)
_ISATAP = 0x5EFE


def is_forbidden(text: str) -> bool:
    """Judge the address that is really connected to, in all forms in which IPv6 can carry an IPv4 one."""
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    return address in _METADATA or (address.version == 4 and address in _LINK_LOCAL)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if address.version == 4:
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    is_carrier = any(address in network for network in _CARRIERS) or int(address) >> 32 & 0xFFFF == _ISATAP
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if is_carrier and int(address) > 1 else address
