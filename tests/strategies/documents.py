"""JSON as people send it: Services with any text in their fields, patches, and pieces of a spec."""

from hypothesis import strategies as st

TCP = {"name": "dns-tcp", "port": 53, "protocol": "TCP"}
UDP = {"name": "dns", "port": 53, "protocol": "UDP"}

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
SERVICES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.just("Service"), "apiVersion": st.just("v1")},
        optional={
            "spec": st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", None]),
                    "selector": st.none() | st.dictionaries(_TEXT, _TEXT, max_size=3),
                    "externalIPs": st.none() | st.lists(_TEXT, max_size=3),
                    "publishNotReadyAddresses": st.booleans(),
                    "ports": st.lists(
                        st.fixed_dictionaries(
                            {"port": st.integers(0, 65535)},
                            optional={"targetPort": _TEXT | st.integers(0, 65535), "name": _TEXT},
                        ),
                        max_size=3,
                    ),
                },
            )
        },
    ),
    max_size=4,
)
"""Services without metadata."""

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=6,
)
TREES = st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3)
"""Any nested objects, of few keys."""

SPECS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["NodePort", "ClusterIP"]),
        "selector": st.dictionaries(st.sampled_from("ab"), st.just("x"), max_size=2),
        "ports": st.lists(st.sampled_from([TCP, UDP]), max_size=2, unique_by=str),
    },
).map(lambda spec: {"spec": spec})
"""Some fields of a Service's spec, as they are applied."""
