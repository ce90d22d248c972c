"""Why the cluster has no such name, or no record of the type: what of its objects makes it so.

Only what the objects tell is said: a name of no known form, or of no service at all, has no
reason here. The rule that decides stands behind each.
"""

import dns.name
import dns.rdatatype

from model.dns.config import DnsConfig, PodRecords
from model.dns.index import ClusterIndex, is_headless
from model.dns.lookup import asked, has_asked_port
from model.dns.names import PodName, ServiceName, parse_host
from model.objects import EndpointPort, ObjectName, Service, ServicePort, ServiceType

_FAMILY_OF = {dns.rdatatype.A: "IPv4", dns.rdatatype.AAAA: "IPv6"}


def reason_for_nothing(
    index: ClusterIndex, config: DnsConfig, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> str:
    """What the objects say of a question that got no record; "" when they say nothing of it."""
    if not name.is_subdomain(config.origin):
        return ""
    match asked(config, name):
        case ServiceName() as question:
            service = index.services.get(ObjectName(question.namespace, question.service))
            if service is None:
                return _elsewhere(index, question)
            if service.type is ServiceType.EXTERNAL_NAME:
                return _of_external(service, question, rdtype)
            return _of_service(index, service, question, rdtype)
        case PodName(namespace, _) if namespace in index.namespaces:
            return _of_pod(config)
        case _:
            return ""


def _elsewhere(index: ClusterIndex, question: ServiceName) -> str:
    found = index.namespaces_by_service.get(question.service, ())
    if not found or not question.is_bare:
        return ""
    return f"service {question.service} is not in namespace {question.namespace} but in {', '.join(found)}"


def _of_external(service: Service, question: ServiceName, rdtype: dns.rdatatype.RdataType) -> str:
    target = service.external_name
    if not question.is_bare:
        return f"{service.name} is an ExternalName: there is nothing below it (DNS-EXT-01)"
    if parse_host(target) is not None:
        return f"externalName {target} of {service.name} is an address, not a name (DNS-EXT-05)"
    kind = dns.rdatatype.to_text(rdtype)
    if rdtype in _FAMILY_OF:
        return f"externalName {target} of {service.name} leads to no {kind} record (DNS-EXT-03, DNS-EXT-04)"
    return f"{service.name} is an ExternalName and has no {kind} record (DNS-EXT-01)"


def _of_service(
    index: ClusterIndex, service: Service, question: ServiceName, rdtype: dns.rdatatype.RdataType
) -> str:
    rule = "DNS-A-02"
    ports: tuple[EndpointPort | ServicePort, ...] = service.ports
    if is_headless(service) or question.endpoint is not None:
        rule = "DNS-A-03"
        ready = index.endpoints.get(service.name, ())
        if not ready:
            return f"no endpoint of {service.name} is ready (DNS-A-03, DNS-A-04)"
        if question.endpoint not in (None, *(endpoint.hostname.lower() for endpoint in ready)):
            return f"no ready endpoint of {service.name} is called {question.endpoint} (DNS-EP-01)"
        ports = tuple(dict.fromkeys(port for endpoint in ready for port in endpoint.ports))
    if not any(has_asked_port(port, question) for port in ports) and question.port_label is not None:
        named = [f"_{port.name}._{port.protocol.lower()}" for port in ports if port.name]
        return f"named ports of {service.name}: {', '.join(named) or 'none'} (DNS-SRV-01, DNS-SRV-03)"
    if rdtype in _FAMILY_OF:
        return f"{service.name} has no {_FAMILY_OF[rdtype]} address to publish ({rule})"
    return ""


def _of_pod(config: DnsConfig) -> str:
    match config.pods:
        case PodRecords.DISABLED:
            return "records of pods are disabled (DNS-POD-01)"
        case PodRecords.VERIFIED:
            return "no running pod of the namespace has that address (DNS-POD-01)"
        case PodRecords.INSECURE:
            return ""
