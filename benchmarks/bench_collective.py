"""Collective light beside QuTiP: clusters with disorder, dephasing, loss, shifts; identical emitters."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm

from benchmarks.timing import median_cpu, row
from perolux.collective.blocks import blocks, photon_operator, product_state
from perolux.collective.case import BurstCase
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.dicke import dicke_burst
from perolux.collective.ladder import ladder_emission
from perolux.collective.lattice_excitation import lattice_couplings, lattice_emission
from perolux.collective.master_equation import exact_emission, generator_matrix
from perolux.collective.photon_streams import case_clicks, ladder_clicks, stream_of_clicks
from perolux.collective.symmetric import symmetric_burst
from perolux.collective.trajectories import trajectory_emission
from perolux.collective.wigner import wigner_emission, wigner_steps, wigner_time_step

FloatArray = npt.NDArray[np.float64]
TIMES = np.linspace(0.0, 1.0, 51)


def cluster(n: int, spread: float = 0.0) -> Couplings:
    """A block of a cubic lattice of 12.5 nm filled in order, dipoles along z, 530 nm; detunings in Gamma."""
    edge = math.ceil(n ** (1 / 3) - 1e-9)
    sites = np.array(list(np.ndindex(edge, edge, edge)), dtype=float)[:n] * 12.5
    detuning = np.random.default_rng(0).normal(0.0, spread, n) if spread else np.zeros(0)
    return couplings(Emitters(sites, np.tile([0.0, 0.0, 1.0], (n, 1)), 1.0, 530.0, detuning))


def run() -> list[dict[str, Any]]:
    """Individual emitters, identical emitters, and what no peer does."""
    return [*_individual(), *_identical(), *_alone()]


def _individual() -> list[dict[str, Any]]:
    usual = 1e-6
    cases = [
        ("2 emitters, near field", cluster(2), 0.0, 0.0, usual),
        ("3, near field, disorder 30, dephasing 1, loss 0.5", cluster(3, 30.0), 1.0, 0.5, usual),
        # at 1e-6 QuTiP is 2.4e-4 off a dense exponential here
        ("4, near field, disorder 100", cluster(4, 100.0), 0.0, 0.0, 1e-9),
        ("5, near field, dephasing 10", cluster(5), 10.0, 0.0, usual),
        ("6, near field", cluster(6), 0.0, 0.0, usual),
        ("6, no shifts", cluster(6).without_shifts(), 0.0, 0.0, usual),
        (
            "6, no shifts, disorder 5, dephasing 1, loss 0.5",
            cluster(6, 5.0).without_shifts(),
            1.0,
            0.5,
            usual,
        ),
        ("8, no shifts", cluster(8).without_shifts(), 0.0, 0.0, usual),
    ]
    rows = []
    for name, between, star, loss, tolerance in cases:
        n = len(between)
        start = product_state(blocks(n), np.arange(n))

        def ours(
            between: Couplings = between, start: Any = start, star: float = star, loss: float = loss
        ) -> Any:
            return exact_emission(between, start, TIMES, dephasing=star, loss=loss)

        found = ours().photon_rate
        seconds = median_cpu(ours, repeats=3)
        theirs, peer_seconds = _by_qutip(lambda b=between, s=star, k=loss, r=tolerance: _mesolve(b, s, k, r))
        rows.append(
            row(
                f"master equation, {name}, 51 times to 1/Gamma",
                seconds,
                peer=f"QuTiP mesolve, rtol {tolerance:.0e}",
                peer_seconds=peer_seconds,
                accuracy=_accuracy(between, star, loss, found, theirs),
                note="QuTiP is not installed" if theirs is None else "",
            )
        )
    return rows


def _accuracy(
    between: Couplings, star: float, loss: float, found: FloatArray, theirs: FloatArray | None
) -> str:
    """How far the rates are apart, and up to 4 emitters how far from a dense exponential."""
    told = [] if theirs is None else [f"rates differ by {_apart(found, theirs):.1e} of the largest"]
    if len(between) <= 4:
        right = _dense(between, star, loss)
        told.append(f"off a dense exponential: perolux {_apart(right, found):.0e}")
        if theirs is not None:
            told[-1] += f", QuTiP {_apart(right, theirs):.0e}"
    return "; ".join(told)


def _dense(between: Couplings, star: float, loss: float) -> FloatArray:
    """The rates by the exponential of the whole generator of all blocks."""
    n, of = len(between), blocks(len(between))
    move = expm(generator_matrix(of, between, n, star, loss).toarray() * TIMES[1])
    light = np.concatenate([photon_operator(of, k, between).toarray().ravel() for k in range(n, -1, -1)])
    rho = np.zeros(len(move), dtype=complex)
    rho[0] = 1.0
    found = []
    for _ in TIMES:
        found.append(float(np.real(light @ rho)))
        rho = move @ rho
    return np.array(found)


def _identical() -> list[dict[str, Any]]:
    rows = []
    for n, star, loss in ((20, 0.0, 0.0), (40, 0.0, 0.0), (20, 2.0, 1.0), (40, 2.0, 1.0)):
        times = np.linspace(0.0, 10.0 * np.log(n) / n, 201)
        local = star > 0.0 or loss > 0.0

        def ours(n: int = n, times: FloatArray = times, star: float = star, loss: float = loss) -> Any:
            if star > 0.0 or loss > 0.0:
                return symmetric_burst(n, times, dephasing=star, loss=loss)
            return dicke_burst(n, times)

        found = ours().photon_rate
        seconds = median_cpu(ours, repeats=3)
        theirs, peer_seconds = _by_qutip(lambda n=n, t=times, s=star, k=loss: _piqs(n, t, s, k))
        rows.append(
            row(
                f"{n} identical emitters" + (f", dephasing {star:g}, loss {loss:g}" if local else ""),
                seconds,
                peer="QuTiP PIQS, rtol 1e-6",
                peer_seconds=peer_seconds,
                accuracy=""
                if theirs is None
                else f"rates differ by {_apart(found, theirs):.1e} of the largest",
                note="QuTiP is not installed" if theirs is None else "",
            )
        )
    return rows


def _alone() -> list[dict[str, Any]]:
    far = Couplings(cluster(10).decay, np.zeros((10, 10)), np.zeros(10))
    sheet = couplings(
        Emitters(
            np.array(list(np.ndindex(2, 3, 2)), dtype=float) * 12.5,
            np.tile([0.0, 0.0, 1.0], (12, 1)),
            1.0,
            530.0,
        )
    )
    return [
        row(
            "80 identical emitters, dephasing 2, loss 1",
            median_cpu(lambda: symmetric_burst(80, dephasing=2.0, loss=1.0), repeats=3),
        ),
        *[
            row(
                f"master equation, {name}, 51 times to 1/Gamma",
                median_cpu(
                    lambda b=between: exact_emission(
                        b, product_state(blocks(len(b)), np.arange(len(b))), TIMES
                    ),
                    repeats=3,
                ),
                note="CPU of all threads: two where Numba has them",
            )
            for name, between in (
                ("8, near field", cluster(8)),
                ("8, near field, disorder 100", cluster(8, 100.0)),
                ("10, no shifts", far),
            )
        ],
        row(
            "1000 jump trajectories, 2 x 3 x 2, near field, to 2/Gamma",
            _once(
                lambda: trajectory_emission(
                    sheet, product_state(blocks(12), np.arange(12)), 2.0 * TIMES, rng=np.random.default_rng(0)
                )
            ),
        ),
        *[
            row(
                f"ladder of number and energy, {a} x {b} x {c}, near field, to 0.3/Gamma",
                _once(lambda s=(a, b, c): ladder_emission(couplings(grid(*s)), 0.3 * TIMES)),
            )
            for a, b, c in ((2, 2, 2), (2, 5, 1), (2, 3, 2))
        ],
        *_streams(),
        *[_wigner(n, shifts) for n in (64, 216, 512) for shifts in (True, False)],
        _large_wigner(),
        *[_one_excitation(edge) for edge in (10, 20, 46)],
    ]


def _streams() -> list[dict[str, Any]]:
    """Photons one by one as a pulsed record, 300 ps at 1 MHz."""
    four = BurstCase("", grid(2, 2, 1), 0.0, 0.0, "all excited", np.arange(4), TIMES, 1.0)

    def record(clicks: Any) -> Any:
        rng = np.random.default_rng(1)
        return stream_of_clicks(clicks, lifetime_ns=0.3, period_ns=1000.0, rng=rng, efficiency=0.1)

    case_clicks(four, 10.0, pulses=10)
    return [
        row(
            "photon stream of 10000 pulses, 2 x 2, near field, to 10/Gamma",
            _once(lambda: record(case_clicks(four, 10.0, pulses=10_000))),
        ),
        row(
            "photon stream of 1000000 pulses, 10 identical emitters, to 10/Gamma",
            _once(lambda: record(ladder_clicks(10, 10.0, pulses=1_000_000, rng=np.random.default_rng(0)))),
        ),
    ]


def grid(*shape: int, spread: float = 0.0) -> Emitters:
    """A whole block of the lattice of `cluster`; detunings in Gamma."""
    sites = np.array(list(np.ndindex(*shape)), dtype=float) * 12.5
    detuning = np.random.default_rng(0).normal(0.0, spread, len(sites)) if spread else np.zeros(0)
    return Emitters(sites, np.tile([0.0, 0.0, 1.0], (len(sites), 1)), 1.0, 530.0, detuning)


def _wigner(n: int, shifts: bool) -> dict[str, Any]:
    between = cluster(n) if shifts else cluster(n).without_shifts()
    end, few = 0.1, 64
    wigner_emission(between, np.arange(n), 0.001 * TIMES, trajectories=2, rng=np.random.default_rng(0))
    seconds = _once(
        lambda: wigner_emission(
            between, np.arange(n), end * TIMES, trajectories=few, rng=np.random.default_rng(0)
        )
    )
    return row(
        f"truncated Wigner, {n} {'with' if shifts else 'without'} shifts, {few} draws to {end:g}/Gamma",
        seconds,
        note=f"1000 trajectories to 1/Gamma: {seconds * 1000 / few / end:.0f} s of CPU by proportion",
    )


def _large_wigner() -> dict[str, Any]:
    import resource

    emitters, draws, few, many = grid(20, 20, 20, spread=1000.0), 100, 2, 12
    start = time.process_time()
    between = couplings(emitters)
    matrices = time.process_time() - start
    dt, steps = wigner_time_step(between), len(wigner_steps(between, 0.8))
    first, last = (
        _once(
            lambda count=count: wigner_emission(
                between, np.arange(len(between)), np.array([0.0, count * dt]), trajectories=draws,
                rng=np.random.default_rng(0), time_step=dt,
            )
        )
        for count in (few, many)
    )  # fmt: skip
    whole = matrices + first + (last - first) / (many - few) * (steps - few)
    return row(
        f"truncated Wigner, 20 x 20 x 20 with shifts and detunings of 1000, {draws} draws, {many} steps",
        last,
        note=f"to 0.8/Gamma, {steps} steps: {whole:.0f} s of CPU by proportion, {matrices:.0f} s of them the "
        f"couplings; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB",
    )


def _one_excitation(edge: int) -> dict[str, Any]:
    emitters, end = grid(edge, edge, edge, spread=1000.0), 0.02
    between = lattice_couplings(emitters, np.full(3, 12.5))
    wave = np.exp(1j * emitters.wavenumber_per_nm * emitters.positions_nm[:, 0]) / np.sqrt(len(emitters))
    seconds = _once(lambda: lattice_emission(between, wave, np.array([0.0, end]), tolerance=1e-4))
    return row(
        f"one excitation, {edge} x {edge} x {edge} with shifts and detunings of 1000, to {end:g}/Gamma",
        seconds,
        note=f"to 1/Gamma: {seconds / end:.0f} s of CPU by proportion; amplitude to 1e-4 at the end",
    )


def _once(function: Callable[[], Any]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def _apart(found: FloatArray, theirs: FloatArray) -> float:
    return float(np.max(np.abs(found - theirs)) / np.max(found))


def _by_qutip(function: Callable[[], FloatArray]) -> tuple[FloatArray | None, float | None]:
    if not find_spec("qutip"):
        return None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        found = function()
    return found, time.process_time() - start


def _mesolve(between: Couplings, star: float, loss: float, tolerance: float) -> FloatArray:
    import qutip as qt

    n = len(between)
    low = [qt.tensor([qt.sigmam() if k == i else qt.qeye(2) for k in range(n)]) for i in range(n)]
    h = sum(between.detuning[i] * low[i].dag() * low[i] for i in range(n))
    h = h + sum(between.shift[i, j] * low[i].dag() * low[j] for i in range(n) for j in range(n) if i != j)
    rates, modes = between.modes()
    jumps = [
        np.sqrt(rates[a]) * sum(modes[i, a] * low[i] for i in range(n)) for a in range(n) if rates[a] > 1e-10
    ]
    if loss:
        jumps += [np.sqrt(loss) * one for one in low]
    if star:
        jumps += [
            np.sqrt(star / 2.0) * qt.tensor([qt.sigmaz() if k == i else qt.qeye(2) for k in range(n)])
            for i in range(n)
        ]
    light = sum(between.decay[i, j] * low[i].dag() * low[j] for i in range(n) for j in range(n))
    options = {"nsteps": 10**7, "atol": 0.01 * tolerance, "rtol": tolerance, "progress_bar": ""}
    start = qt.tensor([qt.basis(2, 0)] * n)
    return np.asarray(qt.mesolve(h, start, TIMES, jumps, e_ops=[light], options=options).expect[0])


def _piqs(n: int, times: FloatArray, star: float, loss: float) -> FloatArray:
    import qutip as qt
    from qutip.piqs.piqs import Dicke, dicke, jspin

    # PIQS dephases with sz/2: 2 g* of ours
    system = Dicke(N=n, collective_emission=1.0, dephasing=2.0 * star, emission=loss)
    light = jspin(n, "+") * jspin(n, "-")
    options = {"nsteps": 10**6, "atol": 1e-8, "rtol": 1e-6, "progress_bar": ""}
    found = qt.mesolve(
        system.liouvillian(), dicke(n, n / 2, n / 2), times, [], e_ops=[light], options=options
    )
    return np.asarray(found.expect[0])
