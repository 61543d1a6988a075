"""What an assembly rests on: each parameter is changed, and the numbers that move are those it decides."""

import pytest

from perolux.collective.assembly_file import assembly_of
from perolux.collective.assembly_record import assembly_result
from perolux.collective.assembly_sources import RESULTS, assembly_grounds

THREE = {
    "lattice": {"kind": "chain", "pitch": "12.5 nm", "repeats": [3]},
    "emitters": {"lifetime": "300 ps", "wavelength": "530 nm", "dipoles": "x", "edge": "9 nm"},
    "disorder": {"energy_spread": "0.01 meV"},
    "times": {"until": "300 ps", "points": 7},
    "sampling": {"disorder_draws": 2, "screening": [0.0], "seed": 1},
    "instrument": {"response": "3 ps", "time_bin": "20 ps", "wavelength_bin": "0.5 nm"},
}
CHANGES = [
    ("lattice", "pitch", "14 nm"),
    ("emitters", "lifetime", "250 ps"),
    ("emitters", "wavelength", "600 nm"),
    ("emitters", "refractive_index", 2.0),
    ("emitters", "dipoles", "isotropic"),
    ("emitters", "pure_dephasing", 3.0),
    ("emitters", "nonradiative", 0.5),
    ("emitters", "temperature", "0.05 K"),
    ("emitters", "edge", "8 nm"),
    ("emitters", "material", "CsPbI3"),
    ("disorder", "energy_spread", "0.02 meV"),
    ("disorder", "position_spread", "0.2 nm"),
    ("sampling", "seed", 2),
    ("sampling", "trajectories", 7),
    ("sampling", "screening", [0.5]),
    ("times", "until", "200 ps"),
    ("instrument", "response", "9 ps"),
]


def numbers(content):
    record = assembly_result(assembly_of(content)).as_dict()
    one = record["screenings"][0]
    single = one["single_excitation"]
    return {
        "emission": [one["peak"], one["delay"], one["rows"]],
        "g2": round(one["g2_zero"], 12),
        "modes": [single["brightest_rate_over_gamma"], single["brightest_shift_mev"]],
        "equilibrium": [single["equilibrium_rate_over_gamma"], single["equilibrium_shift_mev"]],
        "light": one["light"],
        "costs": record["costs"],
        "image": record["instrument"],
    }


@pytest.mark.slow
def test_what_moves_is_what_is_said():
    before = numbers(THREE)
    wrong = []
    for table, key, value in CHANGES:
        changed = THREE | {table: THREE[table] | {key: value}}
        after = numbers(changed)
        (ground,) = [
            one for one in assembly_grounds(assembly_of(changed)).parameters if one.key == f"{table}.{key}"
        ]
        moved = {name for name in before if before[name] != after[name]}
        # trajectories decide only where the method draws any: here it is exact
        if moved != (set() if key == "trajectories" else set(ground.decides)):
            wrong.append((key, sorted(moved), sorted(ground.decides)))
    assert not wrong, wrong


def test_what_is_not_given_is_derived_with_its_records_or_assumed():
    content = THREE | {"emitters": {"edge": "9 nm"}, "compare": {"edge": "30 nm"}}
    found = assembly_grounds(assembly_of(content))
    of = {one.key: one for one in found.parameters}
    assert of["emitters.lifetime"].kind == "derived" and of["emitters.lifetime"].value > 100.0
    assert of["emitters.material"].kind == "assumed" and "large" in of["emitters.material"].decides
    assert of["lattice.pitch"].kind == "given" and of["lattice.filling"].decides == ()
    assert any(
        one.key == "CsPbBr3.exciton_reduced_mass" or "reduced_mass" in one.key for one in found.records
    )
    told = str(found)
    assert "rest on" in told and "assumed by the model" in told and "records behind" in told
    assert set(found.as_dict()["results"]) == set(RESULTS)


def test_no_records_where_all_is_given():
    found = assembly_grounds(assembly_of(THREE))
    assert found.records == () and "records" not in str(found)
    assert {one.key: one for one in found.parameters}["emitters.edge"].decides == ()
