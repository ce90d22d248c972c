"""Every event of the state machine has a name in a history, and every name causes what it says."""

from pathlib import Path
from typing import get_args

import pytest

from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.cluster.transition import carry_out
from oracle.replay.entries import Attempt, Script
from oracle.replay.run import beginning, run
from oracle.replay.script import read_script
from oracle.replay.vocabulary import READERS

EVERYTHING = """\
settings: {settle: manual, proxy: {clusterCIDR: 10.244.0.0/16}}
events:
- node: {name: node-a, address: 192.168.1.1, zone: a, cpu: 4, proxy: {iptables: {masqueradeAll: true}}}
- node: {name: node-b, address: 192.168.1.2}
- create:
    kind: Service
    metadata: {name: web, namespace: shop}
    spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
- apply:
    kind: Service
    metadata: {name: web, namespace: shop}
    spec: {type: LoadBalancer, clusterIP: "", selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
- status: {service: shop/web, ingress: [{ip: 203.0.113.5, ipMode: Proxy}]}
- patch: {service: shop/web, metadata: {labels: {tier: front}}}
- pod: {name: shop/web-1, labels: {app: web}}
- schedule: {pod: shop/web-1, node: node-a}
- start: {pod: shop/web-1, ip: 10.244.1.5}
- ready: shop/web-1
- pod: {name: shop/web-2, labels: {app: web}, node: node-b, host-network: true, ready: true}
- sync-slices: {service: shop/web, writes: 1}
- sync-endpoints: shop/web
- create: {kind: ServiceCIDR, metadata: {name: more}, spec: {cidrs: [10.80.0.0/24]}}
- create: {kind: Service, metadata: {name: db}, spec: {clusterIP: 10.80.0.9, ports: [{port: 5432}]}}
- create:
    kind: Endpoints
    metadata: {name: db}
    subsets: [{addresses: [{ip: 10.9.9.9}], ports: [{port: 5432}]}]
- mirror: db
- update:
    kind: Endpoints
    metadata: {name: db}
    subsets: [{addresses: [{ip: 10.9.9.8}], ports: [{port: 5432}]}]
- create:
    kind: EndpointSlice
    metadata: {name: db-x, labels: {kubernetes.io/service-name: db}}
    addressType: IPv4
    endpoints: [{addresses: [10.9.9.7]}]
    ports: [{port: 5432}]
- proxy: {sync: [node-a, node-b]}
- proxy: {sync: node-a, sees: slices}
- send: {node: node-a, from: "10.244.1.9:4000", to: "10.80.0.9:5432/tcp", chance: 1/2}
- close: {node: node-a, from: "10.244.1.9:4000", to: "10.80.0.9:5432/tcp", how: one-side}
- ask: {node: node-a, from: 10.244.1.9, to: "10.80.0.9:5432/tcp"}
- dns: {name: web.shop, type: A}
- health: {node: node-a, service: shop/web}
- healthz: node-a
- show: proxies
- show: {flows: node-a}
- proxy: {stop: node-a}
- proxy: {start: node-a}
- unready: shop/web-1
- terminate: shop/web-1
- finish: {pod: shop/web-1, failed: true}
- delete: {pod: shop/web-1}
- delete: {endpoints: db}
- delete: {slice: db-x}
- collect-garbage: db
- delete: {service: db}
- delete: {service-cidr: more}
- finalize-service-cidrs
- ensure-kubernetes-service:
- repair: node-ports
- repair: cluster-ips
- label: {node: node-a, labels: {topology.kubernetes.io/zone: b, gone: null}}
- node-unready: node-a
- node-ready: node-a
- remove: node-b
- tick: 1m
- settle
"""


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return read_script(EVERYTHING.encode(), str(tmp_path / "history.yaml"))


def caused(script: Script, state: ClusterState) -> set[type]:
    kinds: set[type] = set()
    for entry in script.entries:
        if isinstance(entry.action, Attempt):
            for make in entry.action.makers:
                event = make(state, 1)
                kinds.add(type(event))
                state = carry_out(state, event).state
    return kinds


def test_everything_that_can_happen_can_be_written(script: Script) -> None:
    assert caused(script, beginning(script).state) == set(get_args(Event))


def test_a_history_of_every_name_goes_through(script: Script) -> None:
    history = list(run(script, beginning(script).state))

    assert {entry.name for entry in script.entries} == set(READERS)
    assert [(one.entry.name, one.unmet) for one in history if one.unmet] == []


def test_labels_are_added_changed_and_taken_away(script: Script) -> None:
    state = beginning(script).state
    for entry in script.entries:
        if isinstance(entry.action, Attempt):
            for make in entry.action.makers:
                state = carry_out(state, make(state, 1)).state

    assert state.nodes["node-a"].labels == (("topology.kubernetes.io/zone", "b"),)
