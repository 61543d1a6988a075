"""How far a density matrix that is a low polynomial of the energy gets with a burst.

    python tools/burst_energy_functions.py

Where shifts are far above the rates, coherences between energies die before the next photon, and within a
block of k excitations rho tends to a function of H. A polynomial of a low degree needs a few traces alone,
which could be had for hundreds of emitters. This is the Galerkin projection of the master equation on
P_k T_a(H), a up to the degree, beside the exact solution of eight emitters; degree 70 leaves out only what
rounding cannot tell apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm

from perolux.collective.blocks import blocks, hamiltonian, lowering, photon_operator, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.master_equation import exact_emission

FloatArray = npt.NDArray[np.float64]
DEGREES = (0, 1, 2, 3, 5, 8, 70)
PITCH_NM = 12.5


def lattice(*shape: int) -> FloatArray:
    """Places of a simple cubic lattice, nm."""
    return PITCH_NM * np.stack([one.ravel() for one in np.indices(shape)], axis=1).astype(float)


def cluster(n: int, seed: int, filling: float = 0.35) -> FloatArray:
    """Places at random in a cube, no two nearer than the pitch."""
    rng, found = np.random.default_rng(seed), list[FloatArray]()
    edge = PITCH_NM * (n / filling) ** (1 / 3)
    while len(found) < n:
        place = edge * rng.random(3)
        if all(np.linalg.norm(place - one) > PITCH_NM for one in found):
            found.append(place)
    return np.array(found)


def projected(between: Couplings, degree: int, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Photon rate and population from full inversion, at even times."""
    n = len(between)
    of = blocks(n)
    rates, modes = between.modes()
    states, first = {}, [0]
    for k in range(n + 1):
        energy, vectors = np.linalg.eigh(hamiltonian(of, k, between).toarray())
        scale = max(float(np.abs(energy).max()), 1e-12)
        q, r = np.linalg.qr(np.polynomial.chebyshev.chebvander(energy / scale, min(degree, len(energy) - 1)))
        q = q[:, np.abs(np.diag(r)) > 1e-8]
        states[k] = vectors, q
        first.append(first[-1] + q.shape[1])
    move = np.zeros((first[-1], first[-1]))
    light, number = np.zeros(first[-1]), np.zeros(first[-1])
    for k, (vectors, q) in states.items():
        here = slice(first[k], first[k + 1])
        out = np.sum(vectors * (photon_operator(of, k, between) @ vectors), axis=0)
        light[here], number[here] = out @ q, k * q.sum(axis=0)
        move[here, here] -= q.T @ (out[:, None] * q)
        if k == 0:
            continue
        below, q_below = states[k - 1]
        lower = lowering(of, k)
        jump = sum(
            rate * (below.T @ (sum(a * one for a, one in zip(mode, lower, strict=True)) @ vectors)) ** 2
            for rate, mode in zip(rates, modes.T, strict=True)
        )
        move[first[k - 1] : first[k], here] += q_below.T @ jump @ q
    x = np.zeros(first[-1])
    x[first[n]] = states[n][1][0, 0]
    step = expm(move * (times[1] - times[0]))
    rate, population = np.zeros(len(times)), np.zeros(len(times))
    for t in range(len(times)):
        rate[t], population[t] = light @ x, number @ x
        x = step @ x
    return rate, population


def main() -> None:
    """Print errors of the burst and the population, per cent of the exact ones."""
    times = np.linspace(0.0, 2.0, 201)
    rng = np.random.default_rng(0)
    cases = {
        "sheet 2 x 4": (lattice(2, 4, 1), 0.0),
        "chain of 8": (lattice(8, 1, 1), 0.0),
        "cube 2 x 2 x 2": (lattice(2, 2, 2), 0.0),
        "cube, detunings 5 Gamma": (lattice(2, 2, 2), 5.0),
        "cluster 1": (cluster(8, 1), 0.0),
        "cluster 2": (cluster(8, 2), 0.0),
    }
    print("errors of burst height, population at Gamma t = 1 and 2, per cent")
    print("case".ljust(26) + "".join(f"degree {d}".rjust(20) for d in DEGREES))
    for name, (places, spread) in cases.items():
        dipoles = np.tile([0.0, 0.0, 1.0], (len(places), 1))
        emitters = Emitters(places, dipoles, 1.8, 520.0, spread * rng.standard_normal(len(places)))
        between = couplings(emitters)
        start = product_state(blocks(len(places)), np.arange(len(places)))
        exact = exact_emission(between, start, times)
        cells = []
        for degree in DEGREES:
            rate, population = projected(between, degree, times)
            off = rate.max() / exact.photon_rate.max(), *(population / exact.excited)[[100, 200]]
            cells.append(" ".join(f"{100 * (one - 1):+6.1f}" for one in off).rjust(20))
        print(name.ljust(26) + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
