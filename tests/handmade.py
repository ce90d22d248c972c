"""Dumps written by hand, a few rules at a time, and packets for them."""

from model.addresses import Family, parse_address
from model.node_config import InterfaceAddress, NodeConfig
from model.packet import TCP, Origin, Packet

V4 = Family.IPV4
CONFIG = NodeConfig(
    "node-a",
    addresses=(InterfaceAddress("eth0", V4, parse_address("10.32.1.11")[1], 24),),
    addresses_are_complete=True,
    primary=((V4, parse_address("10.32.1.11")[1]),),
)
HOOKS = {
    "raw": "PREROUTING OUTPUT",
    "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
    "nat": "PREROUTING INPUT OUTPUT POSTROUTING",
    "filter": "INPUT FORWARD OUTPUT",
}


def tables(**rules: str) -> str:
    """A dump of the tables given, each by its rules; chains that no hook names are declared."""
    text = ""
    for table, lines in rules.items():
        listed = [line.strip() for line in lines.strip().splitlines()]
        policies = {line.split()[0][1:]: line.split()[1] for line in listed if line.startswith(":")}
        hooks = HOOKS[table].split()
        appended = [line for line in listed if not line.startswith(":")]
        own = dict.fromkeys(line.split()[1] for line in appended if line.split()[1] not in hooks)
        own |= dict.fromkeys(name for name in policies if name not in hooks)
        text += f"*{table}\n"
        text += "".join(f":{hook} {policies.get(hook, 'ACCEPT')} [0:0]\n" for hook in hooks)
        text += "".join(f":{name} - [0:0]\n" for name in own)
        text += "".join(f"{line}\n" for line in appended) + "COMMIT\n"
    return text


def packet(to: str = "10.96.0.1:80", source: str = "203.0.113.2", origin: Origin = Origin.WIRE) -> Packet:
    host, _, port = to.partition(":")
    return Packet(V4, origin, parse_address(source)[1], parse_address(host)[1], TCP, int(port))
