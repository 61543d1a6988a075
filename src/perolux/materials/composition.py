"""Composition of a lead halide perovskite APbX3 from its formula: end members, fractions, an open fraction.

CsPbBr3   CsPb(Br0.7I0.3)3   CsPbBr2I   Cs0.9FA0.1PbBr3   MAPbI3   CsPb(Br,I)3 (the fraction is unknown)
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from perolux.errors import OptionError

__all__ = ["CATIONS", "HALIDES", "Composition", "parse_composition"]

CATIONS: tuple[str, ...] = ("Cs", "MA", "FA", "AZ")
"""A-site cations: caesium, methylammonium, formamidinium, aziridinium."""
HALIDES: tuple[str, ...] = ("Cl", "Br", "I")

_SPELLINGS = {"(CH2)2NH2": "AZ", "CH(NH2)2": "FA", "HC(NH2)2": "FA", "CH3NH3": "MA"}
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_FORMULA = re.compile(r"\(?(?P<cations>[^()]+)\)?Pb(?P<halides>.+)")
_ROUNDING = 5e-6  # formulas print six digits


@dataclass(frozen=True)
class Composition:
    """A composition: (symbol, fraction) of the cations and of the halides; both sum to 1.

    An open composition, as in CsPb(Br,I)3, has two halides whose fractions are None; then "the fraction"
    of the room's functions is that of the second one named. Closed compositions are in the order of
    `CATIONS` and `HALIDES`.
    """

    cations: tuple[tuple[str, float], ...]
    halides: tuple[tuple[str, float | None], ...]

    @property
    def is_open(self) -> bool:
        """True where the halide fraction is unknown."""
        return any(fraction is None for _, fraction in self.halides)

    @property
    def is_mixed(self) -> bool:
        """True where it has more than one end member."""
        return len(self.cations) * len(self.halides) > 1

    @property
    def formula(self) -> str:
        """Canonical formula; `parse_composition` of it gives this composition again."""
        cations = "".join(_term(symbol, fraction) for symbol, fraction in self.cations)
        if self.is_open:
            return f"{cations}Pb({','.join(symbol for symbol, _ in self.halides)})3"
        halides = "".join(_term(symbol, fraction or 0.0) for symbol, fraction in self.halides)
        return f"{cations}Pb{halides}3" if len(self.halides) == 1 else f"{cations}Pb({halides})3"

    @property
    def end_members(self) -> tuple[tuple[str, float], ...]:
        """(name, weight) of each end member APbX3; weights are products of site fractions and sum to 1.

        Raises `OptionError` for an open composition.
        """
        if self.is_open:
            raise OptionError(
                f"the halide fraction of {self.formula} is open",
                fix="give it, as in "
                + self.with_fraction(0.3).formula
                + ", or use the functions that take an array of fractions",
            )
        return tuple(
            (f"{cation}Pb{halide}3", a * (x or 0.0))
            for cation, a in self.cations
            for halide, x in self.halides
        )

    def with_fraction(self, fraction: float) -> Composition:
        """An open composition closed: `fraction` (0 to 1) of the second halide named, the rest the first."""
        if not self.is_open:
            raise OptionError(f"the fractions of {self.formula} are given already")
        if not 0.0 <= fraction <= 1.0:
            raise OptionError(f"a fraction of {fraction:g}", allowed="0 to 1")
        (first, _), (second, _) = self.halides
        return replace(self, halides=_ordered({first: 1.0 - fraction, second: fraction}, HALIDES))

    def __str__(self) -> str:
        return self.formula


def parse_composition(text: str) -> Composition:
    """Read a formula of a lead halide perovskite: cations and halides with their fractions.

    Understands a single halide (CsPbBr3), counts (CsPbBr2I), fractions in a bracket (CsPb(Br0.7I0.3)3), an
    open bracket (CsPb(Br,I)3), mixed cations (Cs0.9FA0.1PbBr3), subscript digits and CH3NH3 for MA.
    Raises `OptionError` for anything else, for fractions that do not sum to 1 and for unknown symbols.

    >>> parse_composition("CsPbBr2I").halides
    (('Br', 0.6666666666666666), ('I', 0.3333333333333333))
    >>> parse_composition("Cs0.9FA0.1PbBr3").end_members
    (('CsPbBr3', 0.9), ('FAPbBr3', 0.1))
    """
    formula = "".join(unicodedata.normalize("NFKC", text).split())
    for spelling, symbol in _SPELLINGS.items():
        formula = formula.replace(spelling, symbol)
    match = _FORMULA.fullmatch(formula) if len(formula) <= 120 else None
    if match is None:
        raise _unknown(text)
    cations = _fractions(match["cations"], CATIONS, 1.0, text)
    return Composition(tuple((s, f) for s, f in cations if f is not None), _halides(match["halides"], text))


def _halides(text: str, formula: str) -> tuple[tuple[str, float | None], ...]:
    bracket = re.fullmatch(r"\((.+)\)3", text)
    if bracket is None:
        return _fractions(text, HALIDES, 3.0, formula)
    if "," not in bracket[1]:
        return _fractions(bracket[1], HALIDES, 1.0, formula)
    named = bracket[1].split(",")
    if len(named) != 2 or len(set(named)) != 2 or not set(named) <= set(HALIDES):
        raise OptionError(
            f"an open fraction names two different halides, not ({bracket[1]})",
            where=formula[:120],
            fix="write for example CsPb(Br,I)3",
        )
    return tuple((symbol, None) for symbol in named)


def _fractions(
    text: str, symbols: tuple[str, ...], total: float, formula: str
) -> tuple[tuple[str, float | None], ...]:
    token = re.compile(f"({'|'.join(symbols)})({_NUMBER})?")
    if not re.fullmatch(f"(?:{token.pattern})+", text):
        raise _unknown(formula)
    found = token.findall(text)
    amounts = {symbol: float(number) if number else 1.0 for symbol, number in found}
    if len(amounts) < len(found):
        raise OptionError("a symbol stands twice", where=formula[:120])
    # A bare symbol is a count of one in CsPbBr2I, but says nothing beside a fraction, as in (Br0.7I)3.
    if total == 1.0 and len(found) > 1 and not all(number for _, number in found):
        raise OptionError(
            f"a fraction is missing in {text!r}",
            where=formula[:120],
            fix="write every fraction, or CsPb(Br,I)3 where it is unknown",
        )
    if abs(sum(amounts.values()) - total) > _ROUNDING * total:
        raise OptionError(
            f"the amounts in {text!r} sum to {sum(amounts.values()):.6g}",
            where=formula[:120],
            allowed=f"a sum of {total:g}",
        )
    sum_of_all = sum(amounts.values())
    return _ordered({symbol: amount / sum_of_all for symbol, amount in amounts.items()}, symbols)


def _ordered(amounts: dict[str, float], symbols: tuple[str, ...]) -> tuple[tuple[str, float | None], ...]:
    return tuple((symbol, amounts[symbol]) for symbol in symbols if amounts.get(symbol, 0.0) > 0.0)


def _term(symbol: str, fraction: float) -> str:
    return symbol if fraction == 1.0 else symbol + f"{fraction:.6f}".rstrip("0").rstrip(".")


def _unknown(text: str) -> OptionError:
    from difflib import get_close_matches

    known = [f"{cation}Pb{halide}3" for cation in CATIONS for halide in HALIDES]
    folded = {name.lower(): name for name in known}
    near = get_close_matches(text.strip().lower()[:60], folded, n=1, cutoff=0.6)
    return OptionError(
        f"unknown material {text[:60]!r}",
        allowed=", ".join(known) + ", or mixtures such as CsPb(Br0.7I0.3)3 and Cs0.9FA0.1PbBr3",
        fix=f"did you mean {folded[near[0]]}?" if near else None,
    )
