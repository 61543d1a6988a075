"""Monte Carlo of the slab: reference table, the deterministic slab, exact limits, the plain twin."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from perolux.display import rays as rays_module
from perolux.display.fresnel import Face, critical_cosine
from perolux.display.ray_plain import ray_light_plain
from perolux.display.rays import Scatterers, ray_light
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab, slab_light
from perolux.errors import OptionError
from perolux.validation.rows import read_table

ENDS = ("t_blue", "r_blue", "t_em", "r_em", "loss", "host_loss", "mirror_loss")
TABLE = read_table("slab_reference.csv")
COLUMNS = {
    "t_blue": "T_blue",
    "r_blue": "R_blue",
    "t_em": "T_em",
    "r_em": "R_em",
    "loss": "loss",
    "emissions_per_photon": "emissions_per_incident",
}
CHAPTER = 0.004
"""Tolerance that the reference asks of a Monte Carlo run, where 3 sigma are less."""


def film(index=1.6, plqy=0.9, depth=0.3, source_depth=2.3, **more):
    """A film with four emitted wavelengths, the last of them weakly absorbed."""
    return Slab(
        index,
        np.array([515.0, 520.0, 525.0, 530.0]),
        depth * np.array([3.0, 1.5, 0.8, 0.3]),
        np.array([0.15, 0.3, 0.35, 0.2]),
        plqy,
        source_depth,
        **more,
    )


def red_pass(nm, cosine):
    """A mirror that lets blue through and returns green, less at slanted incidence."""
    return np.where(nm < 480.0, 0.05, 0.9 - 0.4 * (1.0 - cosine) ** 2)


def compare(found, other, names=(*ENDS, "emissions_per_photon")):
    """z of each number of two counted results; the largest must be one that chance gives."""
    for name in names:
        spread = np.hypot(found.sigma[name], other.sigma[name])
        assert abs(getattr(found, name) - getattr(other, name)) <= 4.0 * spread + 1e-12, name


@pytest.mark.parametrize("line", TABLE, ids=[f"n{r['n']}-q{r['PLQY']}-{r['emission_mode']}" for r in TABLE])
def test_reference_table(line):
    depth = float(line["alpha_t_em"]) if line["emission_mode"] == "mono" else None
    slab = reference_slab(float(line["n"]), float(line["alpha_t_450_base_e"]), float(line["PLQY"]), depth)
    found = ray_light(slab, 200_000, np.random.default_rng(11))
    for name, column in COLUMNS.items():
        bar = max(CHAPTER, 3.0 * found.sigma[name])
        assert getattr(found, name) == pytest.approx(float(line[column]), abs=bar), name


@pytest.mark.parametrize(
    ("depth", "g", "t_em", "r_em", "loss"),
    [(2.0, 0.0, 0.353, 0.490, 0.085), (10.0, 0.0, 0.188, 0.606, 0.080), (2.0, 0.7, 0.409, 0.444, 0.088)],
)
def test_reference_with_scatterers(depth, g, t_em, r_em, loss):
    found = ray_light(
        reference_slab(1.6, 4.60517, 0.95),
        200_000,
        np.random.default_rng(12),
        scatterers=Scatterers(depth, g),
    )
    # the reference counted 1e5 photons
    for name, target in (("t_em", t_em), ("r_em", r_em), ("loss", loss)):
        assert getattr(found, name) == pytest.approx(target, abs=max(CHAPTER, 3.0 * found.sigma[name])), name


def test_no_loss_at_a_plqy_of_one_and_every_photon_counted_once():
    found = ray_light(
        reference_slab(1.6, 4.605, 1.0), 30_001, np.random.default_rng(3), scatterers=Scatterers(1.0)
    )
    assert found.loss == 0.0
    counts = [getattr(found, name) * found.rays for name in ENDS]
    assert sum(round(count) for count in counts) == 30_001
    assert abs(found.balance) < 1e-12
    assert np.sum(found.forward) == pytest.approx(found.t_em, abs=1e-12)
    assert np.sum(found.backward) == pytest.approx(found.r_em, abs=1e-12)
    assert np.sum(found.forward_cosine) == pytest.approx(found.t_em, abs=1e-12)
    assert np.sum(found.blue_cosine) == pytest.approx(found.t_blue, abs=1e-12)


def test_the_result_is_that_of_the_seed_for_any_number_of_threads():
    results = [
        ray_light(film(), 10_000, np.random.default_rng(5), scatterers=Scatterers(0.5), threads=threads)
        for threads in (1, 2, 3)
    ]
    for other in results[1:]:
        for field in dataclasses.fields(other):
            np.testing.assert_equal(getattr(other, field.name), getattr(results[0], field.name))
    again = ray_light(film(), 10_000, np.random.default_rng(6), scatterers=Scatterers(0.5))
    assert again.t_em != results[0].t_em


CASES = {
    "bare": (film(), None),
    "scatterers": (film(), Scatterers(2.0)),
    "forward": (film(index=1.3), Scatterers(3.0, 0.7)),
    "backward": (film(), Scatterers(1.0, -0.4)),
    "coloured": (
        film(),
        Scatterers(np.array([2.0, 1.0, 0.5, 0.2]), np.array([0.1, 0.0, 0.5, 0.8]), 4.0, 0.3),
    ),
    "host": (film(host_depth=0.1, host_source_depth=0.3), Scatterers(0.5)),
    "redshift": (film(memory="redshift"), None),
    "kT": (film(memory="kT"), Scatterers(0.5)),
    "mirrors": (film(top=Face(1.0, 0.4, 0.5), bottom=Face(1.0, red_pass, 0.2)), None),
    "glass": (film(top=Face(1.5), bottom=Face(1.2, 0.3)), Scatterers(0.3)),
    "dense": (film(index=1.4, top=Face(1.8)), None),
}


@pytest.mark.parametrize("name", CASES)
def test_kernel_against_its_plain_twin(name):
    slab, scatterers = CASES[name]
    plain = ray_light_plain(slab, 20_000, np.random.default_rng(21), scatterers)
    found = ray_light(slab, 200_000, np.random.default_rng(22), scatterers=scatterers)
    compare(found, plain)
    for ours, theirs in ((found.forward, plain.forward), (found.forward_cosine, plain.forward_cosine)):
        error = np.sqrt(np.maximum(ours, 1.0 / plain.rays) / plain.rays)
        assert np.max(np.abs(ours - theirs) / error) < 5.0


@pytest.mark.parametrize("name", CASES)
def test_series_against_walking_from_face_to_face(name):
    slab, scatterers = CASES[name]
    once = ray_light(slab, 100_000, np.random.default_rng(31), scatterers=scatterers)
    steps = ray_light(slab, 100_000, np.random.default_rng(32), scatterers=scatterers, step_by_step=True)
    compare(once, steps)
    assert steps.events > once.events


@pytest.mark.slow
def test_series_against_walking_on_the_bare_reference_film():
    # 3000 photons: the red tail of the walk makes thousands of bounces a photon
    steps = ray_light(reference_slab(1.6, 4.60517, 0.95), 3000, np.random.default_rng(1), step_by_step=True)
    once = ray_light(reference_slab(1.6, 4.60517, 0.95), 100_000, np.random.default_rng(2))
    compare(once, steps)
    assert steps.events / steps.rays > 20 * once.events / once.rays


def random_slab(rng):
    """A film with spectra, and now and then a host, mirrors or glass."""
    slab = reference_slab(rng.uniform(1.0, 2.2), rng.uniform(0.3, 8.0), rng.uniform(0.3, 1.0))
    changes = {}
    if rng.random() < 0.3:
        changes |= {"host_depth": rng.uniform(0.0, 0.2), "host_source_depth": rng.uniform(0.0, 0.5)}
    for face in ("top", "bottom"):
        if rng.random() < 0.4:
            outside = 1.0 if rng.random() < 0.5 else rng.uniform(1.0, 1.6)
            changes[face] = Face(outside, rng.uniform(0.0, 0.95), rng.random())
    return dataclasses.replace(slab, **changes)


def distances(slabs, photons, seed):
    """(Monte Carlo - deterministic)/sigma of all shares that chance could move, of random slabs."""
    rng, z = np.random.default_rng(seed), []
    for _ in range(slabs):
        slab = random_slab(rng)
        exact, found = slab_light(slab), ray_light(slab, photons, rng)
        assert abs(found.balance) < 1e-12
        for name in ENDS:
            p = getattr(exact, name)
            if p * photons > 25.0:
                sigma = np.sqrt(p * (1.0 - p) / photons + exact.sigma[name] ** 2)
                z.append((getattr(found, name) - p) / sigma)
        z.append(
            (found.emissions_per_photon - exact.emissions_per_photon) / found.sigma["emissions_per_photon"]
        )
    return np.array(z)


@pytest.mark.slow
def test_deterministic_slab_on_random_films():
    z = distances(20, 10_000, 7)
    # about 130 correlated numbers: 4 sigma are not met by chance, their mean square is 1 within a third
    assert np.max(np.abs(z)) < 4.0
    assert 0.65 < np.mean(z**2) < 1.4


@pytest.mark.parametrize("name", ["bare", "redshift", "kT", "mirrors", "glass", "dense", "host"])
def test_deterministic_slab_on_films_with_memory_mirrors_and_glass(name):
    slab, _ = CASES[name]
    exact, found = slab_light(slab), ray_light(slab, 400_000, np.random.default_rng(41))
    for end in (*ENDS, "emissions_per_photon"):
        # the extrapolated error of the cells counts in full
        bar = 4.0 * found.sigma[end] + exact.sigma[end] + 1e-9
        assert getattr(found, end) == pytest.approx(getattr(exact, end), abs=bar), end
    error = np.sqrt(np.maximum(exact.forward, 1e-9) / found.rays)
    assert np.max(np.abs(found.forward - exact.forward) / error) < 4.5


@pytest.mark.long
def test_deterministic_slab_on_many_random_films():
    z = distances(200, 100_000, 8)
    assert np.max(np.abs(z)) < 4.5
    assert 0.85 < np.mean(z**2) < 1.15


def test_standard_errors_cover():
    rng = np.random.default_rng(9)
    exact = slab_light(film())
    runs = [ray_light(film(), 1024, rng) for _ in range(300)]
    for name in ("t_em", "loss", "emissions_per_photon"):
        z = [(getattr(run, name) - getattr(exact, name)) / run.sigma[name] for run in runs]
        assert np.std(z) == pytest.approx(1.0, abs=0.15)  # 300 draws know a standard deviation to 0.04
        assert abs(np.mean(z)) < 0.25


def test_light_that_the_film_does_not_absorb():
    # exact for emission that is not absorbed: T = q A (1 - mu_c)/(2 (1 - q mu_c)), N = q A/(1 - q mu_c)
    slab = reference_slab(1.5, 2.302585, 0.9, 0.0)
    found = ray_light(slab, 200_000, np.random.default_rng(4))
    edge = critical_cosine(1.5)
    absorbed = 1.0 - slab_light(slab).t_blue - slab_light(slab).r_blue
    assert found.t_em == pytest.approx(0.301973, abs=4.0 * found.sigma["t_em"])
    assert found.r_em == pytest.approx(
        0.9 * absorbed * (1.0 - edge) / (2.0 * (1.0 - 0.9 * edge)), abs=4.0 * found.sigma["r_em"]
    )
    assert found.emissions_per_photon == pytest.approx(
        2.371723, abs=4.0 * found.sigma["emissions_per_photon"]
    )
    assert found.traced > 1.0  # guided light ended by the trace, and told
    assert found.terminated == 0


def test_angles_of_light_that_is_not_absorbed_again():
    # both ways round, light of a direction leaves by the top half of the time whatever R: even in mu inside
    n = 1.5
    found = ray_light(reference_slab(n, 2.3, 0.9, 0.0), 400_000, np.random.default_rng(8))
    inside = np.sqrt(1.0 - (1.0 - found.cosine_edges**2) / n**2)
    expected = np.diff(inside) / (1.0 - inside[0]) * found.t_em * found.rays
    counted = found.forward_cosine * found.rays
    assert np.sum((counted - expected) ** 2 / expected) < 62.0  # 31 degrees of freedom: met in 0.1 %


def test_thin_scatterer_sends_back_half_of_what_it_turns():
    slab = Slab(1.0, np.array([525.0]), np.ones(1), np.ones(1), 0.0, source_depth=0.0)
    found = ray_light(slab, 400_000, np.random.default_rng(2), scatterers=Scatterers(0.01))
    # second scattering adds of order tau^2 ln tau
    assert found.r_blue == pytest.approx(0.005, abs=4.0 * found.sigma["r_blue"] + 3e-4)
    assert found.t_blue + found.r_blue == pytest.approx(1.0, abs=1e-9)


def test_diffuse_source_in_an_index_matched_film():
    # Lambertian light passes with 2 E3(tau)
    slab = Slab(1.0, np.array([525.0]), np.ones(1), np.ones(1), 0.0, source_depth=0.7)
    found = ray_light(slab, 200_000, np.random.default_rng(2), diffuse=True)
    from scipy.special import expn

    assert found.t_blue == pytest.approx(2.0 * expn(3, 0.7), abs=4.0 * found.sigma["t_blue"])
    assert found.loss == pytest.approx(1.0 - found.t_blue, abs=1e-12)


def test_roulette_is_right_in_the_mean_and_told(monkeypatch):
    def closed(nm, cosine):
        return np.where((nm < 480.0) & (cosine >= 0.0), 0.0, 1.0)

    # all that comes in must end in the emitters, after a thousand emissions
    slab = film(index=1.0, plqy=0.999, source_depth=50.0, top=Face(1.0, 1.0), bottom=Face(1.0, closed))
    monkeypatch.setattr(rays_module, "LONGEST", 100)
    found = ray_light(slab, 4000, np.random.default_rng(1))
    assert found.terminated > 300
    assert abs(found.balance) < 1e-12
    assert found.sigma["loss"] > 0.0
    assert found.loss == pytest.approx(1.0, abs=4.0 * found.sigma["loss"])
    assert found.roulette == pytest.approx(0.0, abs=4.0 * found.sigma["loss"])


def test_what_cannot_be_asked():
    with pytest.raises(OptionError, match="scattering depth"):
        Scatterers(-1.0)
    with pytest.raises(OptionError, match="anisotropy"):
        Scatterers(1.0, 1.0)
    with pytest.raises(OptionError, match="source_depth"):
        Scatterers(np.ones(4))
    with pytest.raises(OptionError, match="4 wavelengths"):
        ray_light(film(), 10, np.random.default_rng(0), scatterers=Scatterers(np.ones(3), 0.0, 1.0))
    with pytest.raises(OptionError, match="0 photons"):
        ray_light(film(), 0, np.random.default_rng(0))
    with pytest.raises(OptionError, match="threads"):
        ray_light(film(), 10, np.random.default_rng(0), threads=0)
