"""What a recipe without a stirred solution brings: ions, formula units of the product, ligand."""

from __future__ import annotations

from dataclasses import dataclass

from perolux.materials.chemicals import chemical
from perolux.synthesis.ledger import Amounts
from perolux.synthesis.schedule import stoichiometry

__all__ = ["Supply", "supply_of"]


@dataclass(frozen=True)
class Supply:
    """Amounts in micromol. fed: ions in all portions; need: ions of one formula unit of the product.

    formula_umol: formula units that the scarcest ion, `limiting`, allows. ligand_umol: molecules whose role
    is that of a ligand. volume_ml: liquids.
    """

    fed_umol: dict[str, float]
    need: dict[str, float]
    formula_umol: float
    limiting: str
    ligand_umol: float
    volume_ml: float

    @property
    def foreign(self) -> tuple[str, ...]:
        """Sentences on ions that are fed and have no place in the product."""
        return tuple(
            f"{ion} is fed but has no place in the product: whether it enters the crystals is not modelled"
            for ion, amount in self.fed_umol.items()
            if amount > 0 and not self.need.get(ion)
        )

    def balances(self, **formula_umol: float) -> dict[str, dict[str, float]]:
        """Each ion: fed, the shares given as formula units (names end in _umol), and what they leave out.

        left_over_umol: ions beyond the formula units. error: relative, of the sum of all shares.
        """
        found = {}
        for ion, total in self.fed_umol.items():
            count = self.need.get(ion, 0.0)
            parts = {name: count * amount for name, amount in formula_umol.items()}
            parts["left_over_umol"] = total - count * self.formula_umol
            error = abs(sum(parts.values()) - total) / total if total > 0 else 0.0
            found[ion] = {"fed_umol": total, **parts, "error": error}
        return found


def supply_of(product: str, amounts: Amounts) -> Supply:
    """The supply of a product from amounts that bring all its ions."""
    need = stoichiometry(product)
    fed = {ion: 1e6 * mol for ion, mol in amounts.components().items()}
    each = {ion: fed.get(ion, 0.0) / count for ion, count in need.items()}
    limiting = min(each, key=each.__getitem__)
    ligand = sum(mol for name, mol in amounts.mol.items() if chemical(name).role == "ligand")
    return Supply(fed, need, each[limiting], limiting, 1e6 * ligand, amounts.volume_ml)
