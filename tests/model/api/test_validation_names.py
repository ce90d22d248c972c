"""Each form of name accepts and refuses what the API server does, part by part."""

import pytest

from model.api.validation.names import (
    NameForm,
    as_generate_name,
    dns_1035_label,
    dns_1123_label,
    dns_1123_subdomain,
    label_value,
    path_segment,
    port_name,
    port_number,
    qualified_name,
)

A_63, A_64 = "a" * 63, "a" * 64


@pytest.mark.parametrize(
    ("form", "text", "faults"),
    [
        (dns_1123_label, "a-1", 0),
        (dns_1123_label, "1a", 0),
        (dns_1123_label, A_63, 0),
        (dns_1123_label, A_64, 1),
        (dns_1123_label, "A" * 64, 2),
        (dns_1123_label, "a.b", 1),
        (dns_1123_label, "-a", 1),
        (dns_1123_label, "a-", 1),
        (dns_1123_label, "", 1),
        (dns_1123_label, "a\n", 1),
        (dns_1035_label, "a1", 0),
        (dns_1035_label, "1a", 1),
        (dns_1123_subdomain, "a.b-c.1", 0),
        (dns_1123_subdomain, A_64, 0),
        (dns_1123_subdomain, "a" * 254, 1),
        (dns_1123_subdomain, "a..b", 1),
        (dns_1123_subdomain, "a_b", 1),
        (dns_1123_subdomain, "*.a", 1),
        (qualified_name, "My.name_1-x", 0),
        (qualified_name, "example.com/Name", 0),
        (qualified_name, "/name", 1),
        (qualified_name, "app/", 2),
        (qualified_name, "", 2),
        (qualified_name, "a/b/c", 1),
        (qualified_name, "Example.com/name", 1),
        (qualified_name, "a" * 64, 1),
        (qualified_name, "-a", 1),
        (label_value, "", 0),
        (label_value, "A_b.c-1", 0),
        (label_value, "a b", 1),
        (label_value, A_64, 1),
        (port_name, "http-2", 0),
        (port_name, "abcdefghijklmno", 0),
        (port_name, "abcdefghijklmnop", 1),
        (port_name, "8080", 1),
        (port_name, "a--b", 1),
        (port_name, "-a", 1),
        (port_name, "HTTP", 2),
        (port_name, "", 2),
        (path_segment, "a b", 0),
        (path_segment, "..", 1),
        (path_segment, "a/b%c", 2),
    ],
)
def test_every_broken_part_of_a_form_is_one_fault(form: NameForm, text: str, faults: int) -> None:
    """API-F-01, API-F-04, API-F-07, API-F-09, API-F-14."""
    assert faults == len(form(text))


def test_length_counts_bytes_and_not_characters() -> None:
    """32 letters of two bytes are too long as well as not allowed."""
    assert len(label_value("é" * 32)) == 2


@pytest.mark.parametrize(("number", "faults"), [(0, 1), (1, 0), (65535, 0), (65536, 1), (-1, 1)])
def test_a_port_number_is_between_1_and_65535(number: int, faults: int) -> None:
    """API-F-06."""
    assert faults == len(port_number(number))


@pytest.mark.parametrize(("text", "faults"), [("web-", 0), ("web", 0), ("-", 1), ("web--", 0), ("Web-", 1)])
def test_a_prefix_for_generated_names_may_end_in_hyphens(text: str, faults: int) -> None:
    assert faults == len(dns_1123_label(as_generate_name(text)))
