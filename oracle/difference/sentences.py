"""What each rule says on which modes part, in one sentence: docs/rules/05-modes.md in brief."""

SENTENCES = {
    "MODE-01": (
        "node ports answer on every local address in iptables mode, on the primary address in nftables"
        " mode, and on every interface's address but loopback in ipvs mode, unless nodePortAddresses says"
        " otherwise"
    ),
    "MODE-02": "only iptables mode serves node ports on 127.0.0.0/8, and then guards it from neighbours",
    "MODE-04": "only ipvs mode binds the Services' addresses to the node, on kube-ipvs0",
    "MODE-05": (
        "a cluster IP's undefined ports are refused in nftables and ipvs mode; in iptables mode such packets"
        " are routed on"
    ),
    "MODE-06": (
        "addresses of a ServiceCIDR that no Service has are dropped in nftables mode, and routed on in the"
        " others"
    ),
    "MODE-07": (
        "what is neither TCP, UDP nor SCTP, ping above all, is refused at a cluster IP in nftables and ipvs"
        " mode; in iptables mode it is routed on"
    ),
    "MODE-08": (
        "undefined ports of external and load balancer addresses are refused only in ipvs mode, where the"
        " address is on kube-ipvs0"
    ),
    "MODE-09": "what has no endpoint is refused, in ipvs mode by an empty virtual server",
    "MODE-10": (
        "in iptables mode the node's own packets to an external or load balancer address without endpoints"
        " leave unfiltered; the other modes refuse them"
    ),
    "MODE-11": (
        "refusals of node ports hold on every local address in iptables mode, and only where node ports are"
        " served in the others"
    ),
    "MODE-12": (
        "without endpoints, a source outside loadBalancerSourceRanges is refused in iptables mode and"
        " dropped in the others"
    ),
    "MODE-13": "source ranges bind the node's own packets like others' in iptables and nftables mode only",
    "MODE-14": (
        "with internalTrafficPolicy Local and no local endpoint packets are dropped; ipvs mode sends them to"
        " remote endpoints or refuses them"
    ),
    "MODE-15": (
        "with externalTrafficPolicy Local and no local endpoint packets from outside are dropped; ipvs mode"
        " delivers them to a remote endpoint without rewriting the source"
    ),
    "MODE-16": (
        "with externalTrafficPolicy Local, pods and the node itself reach every endpoint; in ipvs mode only"
        " those on the node"
    ),
    "MODE-17": "endpoints are chosen evenly at random; in ipvs mode a scheduler chooses, by default in turn",
    "MODE-18": "ipvs mode remembers clients for each frontend apart, the others for each service port",
    "MODE-21": (
        "the source of a packet that returns to its own sender is rewritten; in nftables and ipvs mode only"
        " where that endpoint is on this node"
    ),
    "MODE-22": "without a local detector ipvs mode masquerades the node's packets that took a VIP as source",
    "MODE-29": "in ipvs mode the node's own packets to a cluster IP may start with that address as source",
    "MODE-30": "ipvs mode never marks packets from loopback for masquerade",
    "MODE-32": "rules of the mode before may be left behind",
    "NP-01": "node ports answer only on the node port addresses",
    "NP-02": "nodePortAddresses unset means every address in iptables and ipvs mode, the primary in nftables",
    "NP-03": "loopback serves node ports only in iptables mode, in IPv4, with localhostNodePorts",
    "FWD-OBJ-08": "two Services claim one frontend, and either may get the traffic",
    "EPS-SL-08": "two slices disagree about one endpoint, and either may be believed",
}
"""Sentences without a full stop, by the id that docs/rules has."""


def sentences(ids: tuple[str, ...]) -> tuple[str, ...]:
    """The sentences of those rules that have one."""
    return tuple(SENTENCES[one] for one in ids if one in SENTENCES)
