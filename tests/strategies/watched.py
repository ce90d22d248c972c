"""Services and slices so few and so alike that one takes the name, address or number of another."""

from hypothesis import strategies as st

from model.objects import EndpointSlice, Ingress, ObjectName, Service, ServicePort

WEB, API = ObjectName("shop", "web"), ObjectName("shop", "api")

NAMES = st.sampled_from((WEB, API, ObjectName("shop", "db")))
ADDRESSES = st.sampled_from(("10.96.0.1", "10.96.0.2", "203.0.113.5", "fd00::1", "None", "no address"))

SERVICES = st.builds(
    lambda name, cluster_ips, external_ips, ips, node_ports: Service(
        name,
        cluster_ips=tuple(cluster_ips),
        external_ips=tuple(external_ips),
        ingress=tuple(Ingress(ip=ip) for ip in ips),
        ports=tuple(ServicePort("", "TCP", 80, number) for number in node_ports),
    ),
    NAMES,
    st.lists(ADDRESSES, max_size=2),
    st.lists(ADDRESSES, max_size=2),
    st.lists(ADDRESSES, max_size=2),
    st.lists(st.sampled_from((0, 30080, 30081)), max_size=2),
)

SLICES = st.builds(
    lambda number, service: EndpointSlice(ObjectName("shop", f"slice-{number}"), service, "IPv4"),
    st.integers(0, 3),
    st.none() | NAMES,
)
