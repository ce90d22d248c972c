"""Why two sides treat a class of packets differently."""

import enum

import attrs


class CauseKind(enum.Enum):
    """The kinds of cause; others script against these words."""

    MODE = "mode"  # the proxy modes differ
    SETTING = "setting"  # a setting of kube-proxy or of the node differs
    VERSION = "version"  # kube-proxy's version differs, or how its rules are laid out
    OBJECTS = "objects"  # the Services or their endpoints differ
    CHOICE = "choice"  # the contract leaves a choice, and the sides chose differently
    DEPARTURE = "departure"  # a side does not do what its own contract says
    OTHERS = "others"  # rules that are not kube-proxy's do it
    NO_OBJECTS = "no-objects"  # without objects there is no contract to ask


_UNEXPLAINED = (CauseKind.DEPARTURE, CauseKind.OTHERS, CauseKind.NO_OBJECTS)


@attrs.frozen
class Cause:
    """Kinds, rules and words. `departs` names the sides (A, B) that leave their own contract.

    `ids` are the rules on which the two sides part, `what` sentences without a full stop.
    """

    kinds: tuple[CauseKind, ...]
    ids: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    departs: tuple[str, ...] = ()

    @property
    def is_explained(self) -> bool:
        """Whether what is known of modes, settings and objects accounts for the difference."""
        return not any(kind in _UNEXPLAINED for kind in self.kinds)
