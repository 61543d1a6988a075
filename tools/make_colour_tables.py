"""Write the CIE 1931 2 degree colour-matching functions of colour-science into the package.

    python tools/make_colour_tables.py

Importing colour-science takes about 2 s of CPU, so perolux reads a table of its numbers instead. A test
compares every number of the table with colour-science itself.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src" / "perolux" / "display" / "data"


def main() -> None:
    """Write cie_1931_2deg.csv and the licence of its source."""
    from importlib.metadata import distribution

    import colour

    from perolux.files import write_text

    functions = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"]
    lines = ["wavelength_nm,x_bar,y_bar,z_bar"]
    for wavelength, row in zip(functions.wavelengths, functions.values, strict=True):
        lines.append(",".join([f"{wavelength:g}", *(repr(float(number)) for number in row)]))
    print(write_text(FOLDER / "cie_1931_2deg.csv", "\n".join(lines) + "\n"))
    licence = next(path for path in distribution("colour-science").files or [] if path.name == "LICENSE")
    print(write_text(FOLDER / "LICENSE-colour-science.txt", licence.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
