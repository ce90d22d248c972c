"""One side of a comparison: the rules of a node, or the contract of a proxy mode for it."""

import attrs

from model.addresses import Family
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster
from oracle.findings import NotJudged
from oracle.ruleset import Ruleset


@attrs.frozen(eq=False)
class Side:
    """One node as one side has it, in every family.

    `by_family` holds the rule sets in the order the kernel asks them; it is None where the
    side is the contract itself. `cluster` is None without objects: then nothing can be
    explained, and the contract knows of no Service. `label` is how the user named the side;
    `is_one_file` says that it is a single file, which may hold one family only.
    """

    label: str
    config: NodeConfig
    cluster: Cluster | None
    by_family: dict[Family, tuple[Ruleset, ...]] | None
    not_read: tuple[NotJudged, ...] = ()
    is_one_file: bool = False

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was neither given nor certain about the node."""
        return self.config.assumptions

    @property
    def is_contract(self) -> bool:
        """Whether the side is what a mode would do, and no dump."""
        return self.by_family is None

    def in_family(self, family: Family) -> "FamilySide | None":
        """The side in one family, None where it has no rules of it."""
        rulesets = None if self.by_family is None else self.by_family.get(family)
        if rulesets is None and self.by_family is not None:
            return None
        return FamilySide(self, node_view(self.cluster or Cluster(), self.config, family), rulesets)


@attrs.frozen(eq=False)
class FamilySide:
    """One side in one family; `rulesets` is None for a contract."""

    side: Side
    view: NodeView
    rulesets: tuple[Ruleset, ...] | None
