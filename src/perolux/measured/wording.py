"""What the words in a file say: axis, unit, kind of spectrum, value unit, time of a label.

Only words decide here; what the words leave open is inferred from numbers elsewhere, and flagged.
"""

from __future__ import annotations

import re

from perolux.measured.records import AxisUnit, Kind

__all__ = [
    "axis_unit_in",
    "foreign_axis_in",
    "is_axis_header",
    "is_error_header",
    "is_generic_label",
    "is_index_header",
    "is_unit_cell",
    "kinds_in",
    "not_a_spectrum",
    "plain",
    "time_of_label_s",
    "value_unit_in",
]

_NM = re.compile(r"(?<![a-z])nm(?![a-z])|nano-?met", re.IGNORECASE)
_EV = re.compile(r"(?<![a-z])ev(?![a-z])|electron-?\s?volt", re.IGNORECASE)
_CM = re.compile(
    r"cm\s?\^?\s?\(?[-\u2212\u2013]\s?1|cm\u207b\u00b9|cm\*\*-1|1\s?/\s?cm|wave-?\s?_?number", re.IGNORECASE
)
_FOREIGN = (
    (re.compile(r"(?<![a-z])mev(?![a-z])", re.IGNORECASE), "meV"),
    (re.compile(r"\u00c5|angstr|\(\s?A\s?\)\s*$", re.IGNORECASE), "angstrom"),
    (re.compile(r"(?<![a-z])[u\u00b5\u03bc]m(?![a-z])|micro-?met|micron", re.IGNORECASE), "micrometre"),
    (re.compile(r"(?<![a-z])[tgp]?hz(?![a-z])", re.IGNORECASE), "hertz"),
    (re.compile(r"(?<![a-z])pixels?(?![a-z])", re.IGNORECASE), "pixel number"),
    (re.compile(r"(?<![a-z])(2[\s_-]?theta|2\u03b8)", re.IGNORECASE), "diffraction angle"),
)
_FOREIGN_WHATEVER_UNIT = (
    (re.compile(r"raman|(?<![a-z])shift(?![a-z])", re.IGNORECASE), "Raman shift"),
    (re.compile(r"binding|energy\s?loss", re.IGNORECASE), "electron energy"),
)
_TIME = re.compile(
    r"(?<![a-z])(time|delay|lag|decay|channel)|tau|(?:[\[(/_]|^)\s?(?:ps|ns|us|\u00b5s|\u03bcs|ms|s|sec|min)\s?(?:[\])]|$)",
    re.IGNORECASE,
)
_AXIS_ANYWHERE = re.compile(r"wave\s?-?_?length|wave\s?-?_?number|photon[\s_]?energy", re.IGNORECASE)
_AXIS_WHOLE = re.compile(
    r"\W*(?:(?:energy|lambda|\u03bb|wl)[\s\[(/,_]*(?:nm|ev|cm\^?[-\u2212]1|1/cm)?|e[\s\[(/,_]+ev)[\s\]).]*",
    re.IGNORECASE,
)
_UNIT_CELL = re.compile(
    r"[\s\[(/]*(nm|ev|mev|cm\^?[-\u2212]1|1/cm|cm\u207b\u00b9|a\.?\s?u\.?|arb\.?\s?u(nits?|\.)?|counts?|cts|cps|counts?/s|"
    r"abs\.?|a|od|%\s?t|%|-)?[\s\])]*",
    re.IGNORECASE,
)
_AXIS_UNIT_CELL = re.compile(r"[\s\[(/]*(nm|ev|cm\^?[-\u2212]1|1/cm|cm\u207b\u00b9)[\s\])]*", re.IGNORECASE)
_SIDE = r"(?!\s*\.?\s*(wave|wl|slit|band|mono|filter|\d|@|at\b|=|:))"
_PL = re.compile(
    rf"(?<![a-z])pl(?![a-z])|luminescence|fluorescence(?!\s*excitation)|emission{_SIDE}", re.IGNORECASE
)
_ABSORBANCE = re.compile(
    r"(?<![a-z])abs(?![a-z])|absorbance|absorption|optical\s?density|(?<![a-z])extinction(?![a-z])"
    r"|uv[-/\s]?vis(?![a-z])",
    re.IGNORECASE,
)
_EXCITATION = re.compile(
    r"(?<![a-z])ple(?![a-z])|excitation\s*(scan|spectr)|fluorescence\s*excitation", re.IGNORECASE
)
_NOT_SPECTRUM = re.compile(
    r"%\s?t(?![a-z])|%\s?r(?![a-z])|transmi(ttance|ssion)|reflect|absorptance", re.IGNORECASE
)
_ERROR = re.compile(
    r"(?<![a-z])(err(or)?s?|sigma|std(ev|dev)?|uncertaint(y|ies)|standard\s?deviation)(?![a-z])",
    re.IGNORECASE,
)
_INDEX = re.compile(r"\W*(frame|roi|row|column|index|strip|pixel|point|no\.?)\W*", re.IGNORECASE)
_GENERIC = re.compile(
    r"(raw\s|corrected\s|corr\.?\s|norm(ali[sz]ed)?\.?\s)?"
    r"(int(ensity|ens\.?|\.)?|counts?|cts|cps|signal|abs(orbance)?\.?|absorption|a|od|pl|ple|y|values?|data|emission|"
    r"excitation|fluorescence|photoluminescence|luminescence|intensities|optical density|sample|spectrum|"
    r"s1c?|s1c?\s?/\s?r1c?|column\s?\d+)(\sintensity|\sspectrum|\scounts?)?",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[\[(/].*$")
_TIME_LABEL = re.compile(
    r"\s*(?:t\s*=\s*)?(\d{1,9}(?:[.,]\d{1,9})?)\s*(s|secs?|seconds?|min|mins|minutes?|h|hours?)(?![a-z])",
    re.IGNORECASE,
)


def axis_unit_in(words: str) -> AxisUnit | None:
    """Unit of the axis that `words` name, or None; `ValueError` where they name several."""
    found: list[AxisUnit] = []
    if _NM.search(words):
        found.append("nm")
    if _EV.search(words):
        found.append("eV")
    if _CM.search(words):
        found.append("cm-1")
    if len(found) > 1:
        raise ValueError(" and ".join(found))
    return found[0] if found else None


def foreign_axis_in(words: str) -> str | None:
    """Name of an axis that is not one of an optical spectrum in nm, eV or cm-1, or None."""
    for pattern, name in _FOREIGN_WHATEVER_UNIT:
        if pattern.search(words):
            return name
    if axis_unit_known(words):
        return None
    for pattern, name in _FOREIGN:
        if pattern.search(words):
            return name
    if _TIME.search(words) and not _AXIS_ANYWHERE.search(words):
        return "time"
    return None


def axis_unit_known(words: str) -> bool:
    """True where the words name nm, eV or cm-1 (one or several)."""
    return any(pattern.search(words) for pattern in (_NM, _EV, _CM)) and not _FOREIGN[0][0].search(words)


def is_axis_header(cell: str) -> bool:
    """True for a header cell that names the axis of a spectrum: "Wavelength (nm)", "Energy", "nm"."""
    if len(cell) > 80 or re.search(r"\d\d", cell):
        return False  # "excitation wavelength 365 nm" names a scan
    return bool(_AXIS_ANYWHERE.search(cell) or _AXIS_WHOLE.fullmatch(cell) or _AXIS_UNIT_CELL.fullmatch(cell))


def is_unit_cell(cell: str) -> bool:
    """True for a cell of a row of units: "nm", "(a.u.)", "counts", or empty."""
    return len(cell) < 20 and bool(_UNIT_CELL.fullmatch(cell))


def is_error_header(cell: str) -> bool:
    """True for a column of uncertainties."""
    return bool(_ERROR.search(cell))


def is_index_header(cell: str) -> bool:
    """True for a column that counts frames, rows or pixels and holds no intensities."""
    return bool(_INDEX.fullmatch(cell))


def is_generic_label(label: str) -> bool:
    """True for a column name that tells no sample from another: "Intensity (counts)", "Abs", "column 2"."""
    words = _BRACKETS.sub("", label.replace("_", " ")).strip(" .,:;-")
    return len(label) < 60 and (not words or bool(_GENERIC.fullmatch(words)))


def not_a_spectrum(words: str) -> str | None:
    """The word that says that values are no counts and no absorbance (transmittance, ...), or None."""
    found = _NOT_SPECTRUM.search(words)
    return found.group(0).strip() if found else None


def kinds_in(words: str, *, axis: bool = False) -> tuple[Kind, ...]:
    """Kinds of spectrum that `words` name: none, one, or several that contradict one another.

    In the header of an axis (axis=True) "emission wavelength" says PL and "excitation wavelength" excitation;
    elsewhere these words are settings of the instrument and say nothing.
    """
    found: list[Kind] = []
    if axis:
        if re.search(r"emission|(?<![a-z])em(?![a-z])", words, re.IGNORECASE):
            found.append("pl")
        if re.search(r"excitation|(?<![a-z])exc?(?![a-z])", words, re.IGNORECASE):
            found.append("excitation")
        return tuple(found)
    if _EXCITATION.search(words):
        found.append("excitation")
        words = _EXCITATION.sub(" ", words)
    if _PL.search(words):
        found.append("pl")
    if _ABSORBANCE.search(words):
        found.append("absorbance")
    return tuple(found)


def value_unit_in(words: str) -> str:
    """Unit of the values as named: "counts", "counts/s", "normalised", "absorbance" or "unknown"."""
    if re.search(
        r"counts?\s?/\s?s|(?<![a-z])cps(?![a-z])|counts?\s(per|s\^?-1)|cts\s?/\s?s", words, re.IGNORECASE
    ):
        return "counts/s"
    if re.search(r"(?<![a-z])norm", words, re.IGNORECASE):
        return "normalised"
    if re.search(r"(?<![a-z])(counts?|cts)(?![a-z])", words, re.IGNORECASE):
        return "counts"
    if kinds_in(words) == ("absorbance",):
        return "absorbance"
    return "unknown"


def time_of_label_s(label: str) -> float | None:
    """Reaction time in s that a label starts with, or None.

    >>> time_of_label_s("90 s reaction"), time_of_label_s("2 min"), time_of_label_s("sample 3")
    (90.0, 120.0, None)
    """
    match = _TIME_LABEL.match(label)
    if match is None:
        return None
    scale = {"s": 1.0, "m": 60.0, "h": 3600.0}[match.group(2)[0].lower()]
    return float(match.group(1).replace(",", ".")) * scale


def plain(words: str, longest: int = 200) -> str:
    """`words` in one line of printable characters, cut to `longest`: safe to print on a terminal."""
    text = " ".join("".join(c if c.isprintable() else " " for c in words[: 4 * longest]).split())
    return text if len(text) <= longest else text[: longest - 3] + "..."
