"""Which addresses nothing of ours is ever sent to: those where clouds hand out credentials.

What the configuration names is otherwise the operator's word: a receiver on the Docker network is normal.
"""

import ipaddress

_METADATA = {
    ipaddress.ip_address(text) for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")
}
_LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def is_forbidden(text: str) -> bool:
    """Judge the address that is really connected to, in all forms in which IPv6 can carry an IPv4 one."""
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    return address in _METADATA or (address.version == 4 and address in _LINK_LOCAL)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if address.version == 4:
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
