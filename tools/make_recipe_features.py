"""Derive the columns that a surrogate learns from: `recipes_and_peaks.csv` of the antisolvent example.

    python tools/make_recipe_features.py RAW.csv AntisolventProperties.csv OUT.csv

Volumes in microlitre, concentrations in mol/L, amounts in micromol; equal recipes give equal features.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from perolux.files import write_text


def derived(row: dict[str, str], solvent: dict[str, str]) -> dict[str, str]:
    """One row of the table, as text."""
    v_pb, c_pb, v_cs, c_cs, v_anti = (
        float(row[k])
        for k in ("V_PbBr2_uL", "c_PbBr2_mol_per_L", "V_CsOA_uL", "c_CsOA_mol_per_L", "V_antisolvent_uL")
    )
    total = v_pb + v_cs + v_anti
    values = {
        "n_Pb_umol": v_pb * c_pb,
        "n_Cs_umol": v_cs * c_cs,
        "V_total_uL": total,
        "Cs_per_Pb": v_cs * c_cs / (v_pb * c_pb),
        "Pb_mol_per_L": v_pb * c_pb / total,
        "antisolvent_fraction": v_anti / total,
        "c_CsOA_mol_per_L": c_cs,
        "c_PbBr2_mol_per_L": c_pb,
    }
    texts = {"sample": row["sample_no"], "antisolvent": row["antisolvent_name"]}
    texts |= {key: f"{value:.9g}" for key, value in values.items()}
    texts |= {
        "polarity": solvent["relative polarity (-)"],
        "dipole_D": solvent["dipole moment (D)"],
        "hansen_H": solvent["Hansen parameter hydrogen bonding (MPa)1/2"],
        "donor_number": solvent["Gutman donor number (kcal/mol)"],
    }
    return texts | {"PL_peak_nm": row["PL_peak_nm"], "PL_fwhm_eV": row["PL_fwhm_eV"]}


def main() -> None:
    """Read both files and write the table."""
    raw, solvents, out = map(Path, sys.argv[1:4])
    with solvents.open(encoding="latin-1", newline="") as file:
        known = {row["antisolvent"]: row for row in csv.DictReader(file, delimiter=";")}
    with raw.open(encoding="utf-8", newline="") as file:
        rows = [derived(row, known[row["antisolvent_name"]]) for row in csv.DictReader(file)]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    write_text(out, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
