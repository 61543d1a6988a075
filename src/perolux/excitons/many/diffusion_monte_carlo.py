"""Ground states of exciton, trion and biexciton behind hard walls by diffusion Monte Carlo.

With opposite spins the ground states of one to four carriers have no nodes, so the method is exact up to the
time step, the finite population and the statistical error: a population of walkers drifts and diffuses under

    -d f/dt = -D laplace f + 2 D div(f grad ln Psi_T) + (E_local - E) f,   f = Psi Psi_T

and the mean local energy tends to the ground energy. Units are those of the exciton (aB, Ry; time 1/Ry).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.many._trial_function import Carriers, Local, Trial, evaluate
from perolux.excitons.pair._variation import Array
from perolux.threads import one_thread

__all__ = ["COMPLEXES", "MonteCarloEnergy", "blocked_error", "optimise_trial", "solve_by_monte_carlo"]

COMPLEXES: dict[str, tuple[int, int]] = {
    "exciton": (1, 1),
    "trion-": (2, 1),
    "trion+": (1, 2),
    "biexciton": (2, 2),
}
"""Electrons and holes of each complex."""

_ENERGY_LIMIT = 0.4
"""In the weights, local energies count up to this times sqrt(carriers/time step) from the mean (Ry)."""


@dataclass(frozen=True)
class MonteCarloEnergy:
    """A ground-state energy from one run at one time step.

    energy_over_rydberg and its statistical error, with the weights that undo the control of the population;
    controlled_over_rydberg: without them (the difference shows the bias of that control).
    variational_over_rydberg: mean local energy of the trial function; spread_over_rydberg: its standard
    deviation. acceptance: part of the moves that were accepted. correlation_steps: steps per independent
    sample.
    """

    energy_over_rydberg: float
    error_over_rydberg: float
    controlled_over_rydberg: float
    variational_over_rydberg: float
    spread_over_rydberg: float
    time_step: float
    walkers: int
    steps: int
    acceptance: float
    correlation_steps: float


def carriers_of(kind: str, shape: str, size_over_bohr: float, mass_ratio: float = 1.0) -> Carriers:
    """The carriers of a complex; raises `OptionError` for what is unknown."""
    if kind not in COMPLEXES:
        raise OptionError(f"unknown complex {kind!r}", allowed=", ".join(COMPLEXES))
    if shape not in ("cube", "sphere", "open"):
        raise OptionError(f"unknown shape {shape!r}", allowed="cube, sphere, open")
    if not (math.isfinite(size_over_bohr) and size_over_bohr > 0 and 0 < mass_ratio < math.inf):
        raise OptionError(f"size {size_over_bohr}, mass ratio {mass_ratio}", allowed="finite numbers above 0")
    return Carriers(shape, float(size_over_bohr), *COMPLEXES[kind], float(mass_ratio))


def default_time_step(carriers: Carriers) -> float:
    """A step in 1/Ry that moves a carrier by a small part of aB and of the box."""
    if carriers.shape == "open":
        return 0.02
    edge = carriers.size * (1.0 if carriers.shape == "cube" else math.sqrt(3.0))
    return 0.04 / (1.0 + 16.0 / edge**2)


def solve_by_monte_carlo(
    kind: str,
    shape: str,
    size_over_bohr: float,
    rng: np.random.Generator,
    *,
    mass_ratio: float = 1.0,
    time_step: float | None = None,
    walkers: int = 1000,
    steps: int = 4000,
    trial: Trial | None = None,
) -> MonteCarloEnergy:
    """Ground energy of a complex in Ry, counted from the gap for each electron-hole pair.

    kind: a name in `COMPLEXES`. shape and size: "cube" with edge L/aB, "sphere" with radius R/aB, or "open"
    (no walls; the size only starts the walkers). mass_ratio: m_e/m_h at fixed reduced mass. time_step: in
    1/Ry; the energy has an error linear in it. steps: after an equilibration of a fifth of them, or more
    where the slowest motion asks for it.
    Raises `OptionError` for an unknown complex or shape.

    >>> rng = np.random.default_rng(1)
    >>> found = solve_by_monte_carlo("exciton", "cube", 3.0, rng, walkers=200, steps=400)
    >>> abs(found.energy_over_rydberg - 0.88892) < 0.05
    True
    """
    carriers = carriers_of(kind, shape, size_over_bohr, mass_ratio)
    if walkers < 10 or steps < 100:
        raise OptionError(f"{walkers} walkers, {steps} steps", allowed="at least 10 walkers and 100 steps")
    step = default_time_step(carriers) if time_step is None else float(time_step)
    with one_thread():
        if trial is None:
            trial = optimise_trial(carriers, rng)
        walk = _Walk(carriers, trial, walkers, step, rng)
        walk.thermalise()
        variational, spread = float(walk.local.energy.mean()), float(walk.local.energy.std())
        walk.branch(max(steps // 5, int(3.0 / (walk.decay * step)), 50))
        energies, growth = walk.branch(steps)
    # the population is held constant; products of its lost growth over a few correlation times undo the bias
    length = min(max(int(4.0 / (walk.decay * step)), 1), steps // 5)
    total = np.concatenate([[0.0], np.cumsum(growth)])
    end = np.arange(1, steps + 1)
    log_weight = total[end] - total[np.maximum(end - length, 0)]
    weight = np.exp(log_weight - log_weight.max())
    mean = float(weight @ energies / weight.sum())
    error, correlation = blocked_error(energies, weight)
    return MonteCarloEnergy(
        mean, error, float(energies.mean()), variational, spread, step, walkers, steps, walk.acceptance,
        correlation
    )  # fmt: skip


def blocked_error(series: Array, weight: Array | None = None) -> tuple[float, float]:
    """Standard error of the weighted mean of a correlated series, and samples per independent one.

    Blocks of 1, 2, 4 ... samples; the largest error among block lengths that leave 32 blocks or more.
    """
    weight = np.ones_like(series) if weight is None else weight
    centred = weight * (series - weight @ series / weight.sum())
    errors = []
    blocks = centred
    while blocks.size >= 32:
        errors.append(math.sqrt(float(blocks @ blocks)))
        even = blocks.size // 2 * 2
        blocks = blocks[:even:2] + blocks[1:even:2]
    scale = float(weight.sum())
    largest = max(errors)
    return largest / scale, (largest / errors[0]) ** 2 if errors[0] > 0 else 1.0


def starting_trial(carriers: Carriers) -> Trial:
    """A guess: flat wall functions in large boxes, pair factors of the free exciton."""
    edge = carriers.size * (1.0 if carriers.shape == "cube" else math.sqrt(3.0))
    flat = 0.3 * edge**2 / (20.0 + edge**2)
    return Trial(np.array([[flat, 0.0], [flat, 0.0]]), np.array([[-0.4, 0.4], [0.2, 0.5], [0.2, 0.5]]))


def optimise_trial(
    carriers: Carriers, rng: np.random.Generator, *, samples: int = 1000, rounds: int = 2
) -> Trial:
    """Parameters with the smallest variance of the local energy over fixed samples of |Psi_T|^2, drawn anew
    in each round.

    Carriers that are alike share parameters. The energy of diffusion Monte Carlo does not depend on them,
    only its statistical and time-step errors do.
    """
    from scipy.optimize import least_squares

    trial = starting_trial(carriers)
    walled = carriers.shape != "open"
    alike = carriers.mass_ratio == 1.0 and carriers.electrons == carriers.holes
    kinds = sorted(set(carriers.pair_kind.tolist()) - ({2} if alike else set()))
    species = ([0] if alike else [0, 1]) if walled else []

    # The slope between like carriers enters as its sum with that of electron and hole, by which Psi_T
    # decays where a carrier or an exciton leaves. Much steeper than Psi does (0.1 to 0.2 of 1/aB here), far
    # walkers would be rare and their weights large.
    tie = np.array([0.0] + [1.0] * (len(kinds) - 1))

    def pack(now: Trial) -> Array:
        pair = now.pair[kinds]
        pair[:, 0] += tie * pair[0, 0]
        return np.concatenate([now.wall[species].ravel(), pair.ravel()])

    def unpack(numbers: Array) -> Trial:
        wall, pair = trial.wall.copy(), trial.pair.copy()
        split = 2 * len(species)
        wall[species] = numbers[:split].reshape(-1, 2)
        found = numbers[split:].reshape(-1, 2).copy()
        found[:, 0] -= tie * found[0, 0]
        pair[kinds] = found
        if alike:
            wall[1] = wall[0]
            pair[2] = pair[1]
        return Trial(wall, pair)

    low = [-0.5, -0.1] * len(species) + [-1.5, 0.02] + [-0.28, 0.02] * (len(kinds) - 1)
    high = [2.0, 0.5] * len(species) + [0.5, 20.0] + [0.6, 20.0] * (len(kinds) - 1)
    for _ in range(rounds):
        walk = _Walk(carriers, trial, samples, default_time_step(carriers), rng)
        walk.thermalise(most=300)  # where the walkers are need not be exact here
        place = walk.position

        def residual(numbers: Array, place: Array = place) -> Array:
            energy = evaluate(carriers, unpack(numbers), place).energy
            # rare walkers at a wall or a cusp must not decide
            middle = float(np.median(energy))
            width = 3.0 * float(np.median(np.abs(energy - middle))) + 1e-12
            return np.asarray(width * np.arcsinh((energy - middle) / width))

        found = least_squares(residual, np.clip(pack(trial), low, high), bounds=(low, high), max_nfev=60)
        trial = unpack(found.x)
    return trial


class _Walk:
    """A population of walkers and its moves."""

    def __init__(
        self, carriers: Carriers, trial: Trial, walkers: int, step: float, rng: np.random.Generator
    ) -> None:
        self.carriers, self.trial, self.rng, self.step = carriers, trial, rng, step
        self.variance = (2.0 * step * carriers.mobility)[:, None, None]
        self.position = _scatter(carriers, walkers, rng)
        self.local: Local = evaluate(carriers, trial, self.position)
        self.acceptance, self.effective = 1.0, step
        # the slowest decay towards the ground state: the first excited state of the box or of the exciton
        edge = carriers.size if carriers.shape == "cube" else carriers.size * math.sqrt(3.0)
        self.decay = 0.05 if carriers.shape == "open" else min(0.3, 3.0 * math.pi**2 / (4.0 * edge**2))
        if carriers.shape != "open":
            self.decay = max(self.decay, 3.0 * math.pi**2 / (8.0 * edge**2))

    def drift(self, local: Local) -> Array:
        """Mean displacement, limited where the gradient is steep (at walls and cusps)."""
        pull = local.gradient
        return np.asarray(2.0 * self.variance * pull / (1.0 + np.sqrt(1.0 + 2.0 * self.variance * pull**2)))

    def move(self) -> tuple[Array, float, float]:
        """One step of all walkers, accepted so that |Psi_T|^2 is left as it is.

        Returns the local energies before, and the squared displacements accepted and proposed.
        """
        noise = self.rng.standard_normal(self.position.shape)
        shift = self.drift(self.local) + np.sqrt(self.variance) * noise
        place = self.position + shift
        new = evaluate(self.carriers, self.trial, place)
        back = (shift + self.drift(new)) ** 2 / self.variance
        log_ratio = 2.0 * (new.log_psi - self.local.log_psi)
        log_ratio += 0.5 * (noise**2 - back).sum(axis=(0, 1))
        chance = np.where(new.inside, np.exp(np.minimum(log_ratio, 0.0)), 0.0)
        accepted = self.rng.random(chance.size) < chance
        length = (shift**2 / self.variance).sum(axis=(0, 1))
        before = self.local.energy
        old = self.local
        self.position = np.where(accepted, place, self.position)
        self.local = Local(
            np.where(accepted, new.log_psi, old.log_psi),
            np.where(accepted, new.gradient, old.gradient),
            np.where(accepted, new.energy, old.energy),
            old.inside,
        )
        self.acceptance = 0.99 * self.acceptance + 0.01 * float(chance.mean())
        return before, float(chance @ length), float(length.sum())

    def thermalise(self, most: int = 1500) -> None:
        """Let the walkers reach |Psi_T|^2; learns the effective time step from the moves accepted."""
        moves = min(max(int(2.0 / (self.decay * self.step)), 100), most)
        for _ in range(moves // 2):
            self.move()
        accepted = proposed = 0.0
        for _ in range(moves // 2):
            _, yes, all_of_them = self.move()
            accepted, proposed = accepted + yes, proposed + all_of_them
        self.effective = self.step * accepted / proposed
        self.energy = float(self.local.energy.mean())

    def branch(self, steps: int) -> tuple[Array, Array]:
        """Steps with weights; the weighted mean local energy and the log of the mean growth of each step."""
        walkers = self.position.shape[-1]
        weight = np.ones(walkers)
        energies, growth = np.empty(steps), np.empty(steps)
        mean = self.energy
        for n in range(steps):
            before, _, _ = self.move()
            # limited, so that one walker at a wall cannot run away; the limit tends to infinity with the step
            limit = _ENERGY_LIMIT * math.sqrt(self.carriers.number / self.step)
            rate = np.clip(0.5 * (before + self.local.energy) - self.energy, -limit, limit)
            weight *= np.exp(-self.effective * rate)
            total = float(weight.mean())
            growth[n] = math.log(total)
            weight /= total
            energies[n] = float(weight @ self.local.energy) / walkers
            mean += 0.01 * (energies[n] - mean)
            if float(weight @ weight) > 1.05 * walkers:
                self._comb(weight)
                weight = np.ones(walkers)
        if float(weight @ weight) != walkers:
            self._comb(weight)
        self.energy = mean
        return energies, growth

    def _comb(self, weight: Array) -> None:
        """Replace the walkers by as many of equal weight, each as often as its weight says (systematic)."""
        walkers = weight.size
        teeth = (np.arange(walkers) + self.rng.random()) / walkers
        edges = np.cumsum(weight)
        chosen = np.minimum(np.searchsorted(edges / edges[-1], teeth), walkers - 1)
        self.position = self.position[..., chosen]
        self.local = Local(
            self.local.log_psi[chosen],
            self.local.gradient[..., chosen],
            self.local.energy[chosen],
            self.local.inside[chosen],
        )


def _scatter(carriers: Carriers, walkers: int, rng: np.random.Generator) -> Array:
    """Random places near one another in the middle of the shape."""
    shape = (carriers.number, 3, walkers)
    if carriers.shape == "open":
        return rng.normal(0.0, 1.0, shape)
    reach = 0.35 * carriers.size if carriers.shape == "cube" else 0.5 * carriers.size
    return rng.uniform(-reach, reach, shape)
