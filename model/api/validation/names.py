"""Forms of names: each check returns what is wrong with a text, one message per broken part.

The number of messages is part of the behaviour, since the API server turns each into a
field error: a label of 70 capital letters has two faults. Lengths count bytes of UTF-8.
Source: apimachinery pkg/util/validation.
"""

import re
from collections.abc import Callable

NameForm = Callable[[str], tuple[str, ...]]
"""Tells what is wrong with a text; empty when it has the form."""

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
PORT_NAME_MAX = 15

_DNS_1123_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DNS_1123_SUBDOMAIN = re.compile(rf"{_DNS_1123_LABEL.pattern}(\.{_DNS_1123_LABEL.pattern})*")
_QUALIFIED_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL_VALUE = re.compile(rf"({_QUALIFIED_NAME.pattern})?")
_PORT_NAME_CHARACTERS = re.compile(r"[-a-z0-9]+")


def dns_1123_label(text: str) -> tuple[str, ...]:
    """Lower case letters, digits and inner hyphens, at most 63 bytes.

    >>> dns_1123_label("a-1"), len(dns_1123_label("A" * 64))
    ((), 2)
    """
    return _of_form(text, LABEL_MAX, _DNS_1123_LABEL, "must be a DNS label (RFC 1123)")


def dns_1035_label(text: str) -> tuple[str, ...]:
    """As dns_1123_label, and the first character is a letter."""
    return _of_form(
        text, LABEL_MAX, _DNS_1035_LABEL, "must be a DNS label that starts with a letter (RFC 1035)"
    )


def dns_1123_subdomain(text: str) -> tuple[str, ...]:
    """Labels joined by dots, at most 253 bytes; one label alone may exceed 63."""
    return _of_form(text, SUBDOMAIN_MAX, _DNS_1123_SUBDOMAIN, "must be a DNS subdomain (RFC 1123)")


def qualified_name(text: str) -> tuple[str, ...]:
    """A name such as `example.com/name`, where the subdomain before the slash is optional.

    >>> qualified_name("example.com/My.name_1"), len(qualified_name("app/"))
    ((), 2)
    """
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return ("must have at most one slash",)
    faults: tuple[str, ...] = ()
    if slash and not prefix:
        faults = ("the part before the slash must not be empty",)
    elif slash:
        faults = tuple(f"the part before the slash {fault}" for fault in dns_1123_subdomain(prefix))
    if not name:
        faults += ("the name part must not be empty",)
    return faults + _of_form(name, LABEL_MAX, _QUALIFIED_NAME, "must be letters, digits, '-', '_' and '.'")


def label_value(text: str) -> tuple[str, ...]:
    """Empty, or a qualified name's last part."""
    return _of_form(text, LABEL_MAX, _LABEL_VALUE, "must be empty or letters, digits, '-', '_' and '.'")


def port_name(text: str) -> tuple[str, ...]:
    """An IANA service name: at most 15 of a-z, 0-9 and single inner hyphens, with a letter (API-F-07)."""
    return _selected(
        (len(text.encode()) > PORT_NAME_MAX, f"must be at most {PORT_NAME_MAX} characters"),
        (not _PORT_NAME_CHARACTERS.fullmatch(text), "must contain only a-z, 0-9 and hyphens"),
        (not re.search(r"[a-z]", text), "must contain a letter (a-z)"),
        ("--" in text, "must not contain consecutive hyphens"),
        (text.startswith("-") or text.endswith("-"), "must not begin or end with a hyphen"),
    )


def path_segment(text: str) -> tuple[str, ...]:
    """Anything that can stand alone between two slashes of a URL path."""
    if text in (".", ".."):
        return (f"must not be {text!r}",)
    return tuple(f"must not contain {character!r}" for character in "/%" if character in text)


def port_number(number: int) -> tuple[str, ...]:
    """1 to 65535 (API-F-06)."""
    return () if 1 <= number <= 65535 else ("must be between 1 and 65535",)


def as_generate_name(text: str) -> str:
    """The text that stands for a prefix: a final hyphen is allowed there, as characters will follow.

    >>> as_generate_name("web-"), as_generate_name("web"), as_generate_name("-")
    ('wea', 'web', '-')
    """
    return text[:-2] + "a" if len(text) > 1 and text.endswith("-") else text


def _of_form(text: str, most: int, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    return _selected(
        (len(text.encode()) > most, f"must be at most {most} bytes"),
        (not form.fullmatch(text), what),
    )


def _selected(*faults: tuple[bool, str]) -> tuple[str, ...]:
    return tuple(message for broken, message in faults if broken)
