"""A burst that is killed in the middle and continued has the numbers of one that was not, bit by bit."""

import json

import numpy as np
import pytest

from perolux import pieces as pieces_module
from perolux.collective import trajectories as jumps
from perolux.collective.assembly_file import assembly_of
from perolux.collective.assembly_record import assembly_question, assembly_result
from perolux.collective.burst import burst, on_lattice
from perolux.collective.case import case_of
from perolux.collective.kept import batch_of, means_of
from perolux.pieces import nothing_kept, pieces_in

ASSEMBLY = {
    "lattice": {"kind": "cube", "pitch": "12.5 nm", "repeats": [2, 1, 1]},
    "emitters": {"lifetime": "300 ps", "wavelength": "530 nm"},
    "disorder": {"energy_spread": "0.05 meV"},
    "times": {"until": "100 ps", "points": 6},
    "sampling": {"disorder_draws": 2, "screening": [0.0, 1.0]},
}


class Killed(BaseException):
    """In place of the end of the process: nothing is said or tidied but what is on the disk."""


def killed_after(monkeypatch, pieces_done):
    """Every piece is written at once, and the run ends after so many."""
    count = [0]
    add = pieces_module._Store.add

    def counted(store, entry):
        add(store, entry)
        count[0] += 1
        if count[0] >= pieces_done:
            raise Killed

    monkeypatch.setattr(pieces_module, "_EVERY_S", -1.0)
    monkeypatch.setattr(pieces_module._Store, "add", counted)
    return count


def continued(monkeypatch, folder, question, run, pieces_done):
    """The result of a run that is killed and started again, and how many pieces were computed then."""
    with monkeypatch.context() as patch:
        killed_after(patch, pieces_done)
        with pytest.raises(Killed), pieces_in(folder, question) as pieces:
            run(pieces)
    with monkeypatch.context() as patch:
        count = killed_after(patch, 10_000)
        with pieces_in(folder, question) as pieces:
            found = run(pieces)
    assert not folder.exists()
    return found, count[0]


def case(n=4, state="all excited", **more):
    return case_of(
        {
            "positions_nm": [[12.5 * (i % 2), 12.5 * (i // 2), 0.0] for i in range(n)],
            "unit_dipoles": [[0.0, 0.0, 1.0]] * n,
            "refractive_index": 1.0,
            "vacuum_wavelength_nm": 530.0,
            "initial_state": state,
            "times_over_inverse_Gamma": [0.0, 0.05, 0.1],
            "pure_dephasing_rate_over_Gamma_per_emitter": 1.0,
        }
        | more
    )


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("photon_rate", "excited", "sigma", "low", "high", "g2_zero", "imbalance")
        if getattr(one, name) is not None
    )


@pytest.mark.parametrize(
    ("method", "trajectories", "after", "left"),
    [("wigner", 200, 2, 2), ("diffusion", 120, 1, 2), ("trajectories", 50, 2, 1), ("bracket", 130, 4, 4)],
)
def test_methods_continue_with_the_same_numbers(monkeypatch, tmp_path, method, trajectories, after, left):
    monkeypatch.setattr(jumps, "_AT_ONCE", 20)

    def run(pieces):
        return burst(case(), method, trajectories=trajectories, seed=3, pieces=pieces)

    found, computed = continued(monkeypatch, tmp_path / "p", {"method": method}, run, after)
    # a batch that another thread had begun when the run was killed may be there too
    assert same(found, run(nothing_kept)) and computed <= left


def test_a_lattice_goes_on_from_where_its_state_stood(monkeypatch, tmp_path):
    one = case(
        state="symmetric single excitation",
        pure_dephasing_rate_over_Gamma_per_emitter=0.0,
        times_over_inverse_Gamma=np.linspace(0.0, 1.0, 9).tolist(),
    )
    amplitudes = np.full(4, 0.5 + 0.0j)
    straight = on_lattice(one, amplitudes)
    monkeypatch.setattr(pieces_module, "_LATEST_EVERY_S", -1.0)
    keep, told = pieces_module.Pieces.keep_standing, []

    def killed(pieces, name, arrays):
        keep(pieces, name, arrays)
        told.append(arrays["place"][2])
        if told[-1] == 5:
            raise Killed

    monkeypatch.setattr(pieces_module.Pieces, "keep_standing", killed)
    with pytest.raises(Killed), pieces_in(tmp_path / "p", {}) as pieces:
        on_lattice(one, amplitudes, pieces=pieces)
    with pieces_in(tmp_path / "p", {}) as pieces:
        found = on_lattice(one, amplitudes, pieces=pieces)
    assert told == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert same(found, straight) and not (tmp_path / "p").exists()


@pytest.mark.parametrize("after", [1, 7, 11])
def test_an_assembly_continues_with_the_same_record(monkeypatch, tmp_path, after):
    file = assembly_of(ASSEMBLY)

    def run(pieces):
        return json.dumps(assembly_result(file, pieces=pieces).as_dict())

    found, computed = continued(monkeypatch, tmp_path / "p", assembly_question(file), run, after)
    # 2 screenings x 2 draws, each emission, modes and light; 3 rows of cost x 2 draws
    assert found == run(nothing_kept) and computed == 18 - after


def test_other_settings_are_another_question(tmp_path):
    file = assembly_of(ASSEMBLY)
    for table, key, value in (("sampling", "seed", 5), ("lattice", "pitch", "13 nm"), ("times", "points", 7)):
        other = assembly_of(ASSEMBLY | {table: ASSEMBLY[table] | {key: value}})
        assert assembly_question(other) != assembly_question(file)


def test_batches_join_to_the_plain_mean_and_error():
    rng = np.random.default_rng(1)
    rate, excited = 1e6 + rng.random((37, 4)), rng.random((37, 4))
    parts = [batch_of(rate[i : i + 10], excited[i : i + 10]) for i in range(0, 37, 10)]
    mean, up, sigma = means_of(parts)
    assert mean == pytest.approx(rate.mean(axis=0), rel=1e-14)
    assert up == pytest.approx(excited.mean(axis=0), rel=1e-14)
    assert sigma == pytest.approx(rate.std(axis=0, ddof=1) / np.sqrt(37), rel=1e-9)
