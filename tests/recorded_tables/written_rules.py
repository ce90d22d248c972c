"""What kube-proxy wrote for recorded objects: replays of recorded tables."""

import json
import re
from collections.abc import Iterable
from typing import Any

from model.addresses import Family, parse_address
from model.errors import InputError
from model.frontends import node_view
from model.health import health_check_ports, local_ready_endpoints
from model.node_config import NodeConfig, ProxyMode
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node
from tests.recorded_tables.case import Case, Inexpressible, Mismatch, same
from tests.recorded_tables.health_and_conntrack import proxied

TOOLS = {Family.IPV4: "iptables-save", Family.IPV6: "ip6tables-save"}

_BARE_POLICY = re.compile(r"^:(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) -", re.MULTILINE)
_BARE_COMMENT = re.compile(r'--comment ([^"\s]+(?: [^"-][^\s]*)+)')


def rules_as_asked(case: Case) -> None:
    """The rules that were written do what the contract asks, for every packet.

    How many rules there are is not the model's to say.

    The recorder prints comments of several words bare and base chains without a policy: the
    words are put into quotes, and the policy is ACCEPT.
    """
    settings = case["settings"]
    if settings["proxyMode"] != ProxyMode.IPTABLES.value:
        raise Inexpressible(f"rules of {settings['proxyMode']} mode are not read")
    text = _BARE_COMMENT.sub(r'--comment "\1"', case["rules"]["text"])
    text = _BARE_POLICY.sub(r":\1 ACCEPT", text)
    detector = settings["localDetector"]
    config = {
        "kind": "KubeProxyConfiguration",
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "mode": settings["proxyMode"],
        "clusterCIDR": detector["ifLocal"][1] if detector["implemented"] else "",
        "nodePortAddresses": settings["nodePortAddresses"],
        "iptables": {
            "masqueradeAll": settings["masqueradeAll"],
            "localhostNodePorts": settings["localhostNodePorts"],
        },
    }
    addresses = [text for text in settings.get("nodeInterfaceAddrs") or () if "/" in text]
    evidence = NodeEvidence(
        settings["nodeName"],
        (EvidenceFile(TOOLS[Family(settings["ipFamily"])], text.encode()),),
        ("kube-proxy-config", json.dumps(config).encode()),
        ("ip-addr.json", json.dumps(interfaces(addresses, settings["nodeIP"])).encode()),
    )

    cluster = proxied(case)
    try:
        report = check_node(evidence, cluster)
    except InputError as error:
        raise Mismatch(str(error)) from None

    same((), tuple(map(str, report.differences)), "differences")
    same((), tuple(str(one) for one in report.not_judged if one.matters), "not judged")
    view = node_view(cluster, NodeConfig(settings["nodeName"]), Family(settings["ipFamily"]))
    found = {
        "healthCheckNodePorts": {str(name): port for name, port in health_check_ports(view).items()},
        "localReadyEndpoints": {
            str(name): count for name, count in local_ready_endpoints(view.service_ports).items()
        },
    }
    same(case["healthCheck"], found, "health checks")


def interfaces(addresses: Iterable[str], primary: str) -> list[dict[str, Any]]:
    """`ip -j addr` of a node with these addresses, the primary one first."""
    ordered = sorted(addresses, key=lambda text: text.partition("/")[0] != primary)
    found = []
    for at, text in enumerate(ordered):
        host, _, length = text.partition("/")
        family, _ = parse_address(host)
        loopback = host.startswith("127.") or host == "::1"
        info = {
            "family": "inet" if family is Family.IPV4 else "inet6",
            "local": host,
            "prefixlen": int(length),
            "scope": "host" if loopback else "global",
        }
        found.append({"ifindex": at + 1, "ifname": "lo" if loopback else f"eth{at}", "addr_info": [info]})
    return found
