"""Compiled loop of one droplet with few crystals (`droplet_nucleation.py` says what it solves; SI units)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis._cohort_kernels import (
    BARRIER,
    COMPLEXANT,
    CS,
    DIFF,
    DISSOCIATION,
    GAMMA,
    KR,
    LNA,
    SUPPLIED,
    VOLUME,
    T,
    conditions_at,
    free_monomer,
)
from perolux.synthesis.laws import LEAST_SUPERSATURATION

DONE, FULL, TOO_MANY_STEPS = range(3)
# columns of the report at each time
ALIVE, NUCLEI, DISSOLVED, EXPECTED = range(4)

_BOLTZMANN = constant("boltzmann_j_per_k")
_LEAST_S = LEAST_SUPERSATURATION


@njit(cache=True, error_model="numpy")
def rates(p, env, r, n, droplet_m3, slope):
    """dr/dt of each crystal into `slope`; returns nuclei per second in the droplet, entry size, dissolved."""
    least, amount = p[0], p[1]
    cubes = 0.0
    for i in range(n):
        if r[i] > 0.0:
            cubes += r[i] ** 3
    dissolved = (env[SUPPLIED] - amount * cubes / droplet_m3) / env[VOLUME]
    free = free_monomer(max(dissolved, 0.0), env[COMPLEXANT], env[DISSOCIATION])
    heat = _BOLTZMANN * env[T]
    length = 2.0 * env[GAMMA] * p[2] / heat
    v = p[2] * AVOGADRO_PER_MOL
    for i in range(n):
        at = max(r[i], 0.5 * least)  # a trial step may shoot below; what is below `least` is taken away
        slope[i] = v * (free - env[CS] * math.exp(length / at)) / (at / env[DIFF] + 1.0 / env[KR])
    s = free / env[CS]
    hazard, entry = 0.0, least
    if s > _LEAST_S:
        log = math.log(s)
        ln_rate = env[LNA] - env[BARRIER] * p[3] * env[GAMMA] ** 3 * p[2] ** 2 / (heat**3 * log * log)
        entry = max(length / log + 0.5 * math.sqrt(heat / (math.pi * env[GAMMA])), least)
        # no nucleus forms of more than there is
        if ln_rate > -700.0 and amount * entry**3 < dissolved * env[VOLUME] * droplet_m3:
            hazard = math.exp(min(ln_rate, 300.0)) * env[VOLUME] * droplet_m3
    return hazard, entry, dissolved


@njit(cache=True, error_model="numpy")
def _step(p, knots, table, first, last, time, dt, r, n, droplet_m3, k, trial, env, whole):
    """One Bogacki-Shampine step from `time`: sizes into `trial`; returns (nuclei expected in it, their error,
    rate at the start, rate at the end, entry size at the end, dissolved at the end)."""
    conditions_at(knots, table, first, last, time, env)
    h1, _, _ = rates(p, env, r, n, droplet_m3, k[0])
    for i in range(n):
        trial[i] = r[i] + 0.5 * dt * k[0, i]
    conditions_at(knots, table, first, last, time + 0.5 * dt, env)
    h2, _, _ = rates(p, env, trial, n, droplet_m3, k[1])
    for i in range(n):
        trial[i] = r[i] + 0.75 * dt * k[1, i]
    conditions_at(knots, table, first, last, time + 0.75 * dt, env)
    h3, _, _ = rates(p, env, trial, n, droplet_m3, k[2])
    for i in range(n):
        trial[i] = r[i] + dt * (2.0 * k[0, i] + 3.0 * k[1, i] + 4.0 * k[2, i]) / 9.0
    conditions_at(knots, table, first, last, time + dt, env)
    h4, entry, dissolved = rates(p, env, trial, n, droplet_m3, k[3])
    whole[0] = dt * (2.0 * h1 + 3.0 * h2 + 4.0 * h3) / 9.0
    whole[1] = dt * (-5.0 / 72.0 * h1 + h2 / 12.0 + h3 / 9.0 - 0.125 * h4)
    whole[2], whole[3], whole[4], whole[5] = h1, h4, entry, dissolved


@njit(cache=True, error_model="numpy")
def _share_of_step(rise, slope0, slope1, dt, wanted):
    """Share x of a step at which the cubic with the ends' slopes has risen by `wanted` (bisection)."""
    low, high = 0.0, 1.0
    a, b = slope0 * dt, slope1 * dt
    for _ in range(60):
        x = 0.5 * (low + high)
        value = x * x * (3.0 - 2.0 * x) * rise + x * (1.0 - x) ** 2 * a - x * x * (1.0 - x) * b
        if value < wanted:
            low = x
        else:
            high = x
    return high


@njit(cache=True, error_model="numpy", nogil=True)
def droplet(p, knots, table, sections, droplet_m3, draws, times, tolerance, most_steps, out, sizes):
    """One droplet from the first knot through `times`: out[i] the columns above, sizes[i, :alive] the radii.

    draws: unit exponentials, one a nucleus: the next is born where the nuclei expected since the last reach
    it. Each step ends at the next knot of the conditions at the latest.
    """
    cap = draws.shape[0]
    r, trial, k = np.empty(cap), np.empty(cap), np.empty((4, cap))
    env, whole = np.empty(table.shape[1]), np.empty(6)
    least, amount = p[0], p[1]
    n, born, since, expected = 0, 0, 0.0, 0.0
    time, step, steps, section, knot = knots[0], 0.0, 0, 0, 0
    last_knot = knots.shape[0] - 1
    for index in range(times.shape[0]):
        while time < times[index]:
            while section < sections.shape[0] - 1 and knots[sections[section, 1]] <= time:
                section += 1
            first, last = sections[section, 0], sections[section, 1]
            while knot < last_knot and knots[knot] <= time:
                knot += 1
            end = min(times[index], knots[knot]) if knots[knot] > time else times[index]
            dt = min(step, end - time) if step > 0.0 else end - time
            if end - time <= dt * (1.0 + 1e-9):
                dt = end - time
            steps += 1
            if steps > most_steps:
                return TOO_MANY_STEPS, time
            _step(p, knots, table, first, last, time, dt, r, n, droplet_m3, k, trial, env, whole)
            missing, norm = 0.0, abs(whole[1])
            for i in range(n):
                error = abs(dt * (-5.0 / 72.0 * k[0, i] + k[1, i] / 12.0 + k[2, i] / 9.0 - 0.125 * k[3, i]))
                norm = max(norm, error / max(trial[i], least))
                missing += 3.0 * trial[i] ** 2 * error
            scale = max(whole[5], 1e-3 * env[SUPPLIED] / env[VOLUME])
            if scale > 0.0:
                norm = max(norm, amount * missing / (droplet_m3 * env[VOLUME] * scale))
            if whole[5] < -1e-12 * env[SUPPLIED] / env[VOLUME] or not math.isfinite(norm):
                norm = 1e6 * tolerance  # more grew than was there
            ratio = norm / tolerance
            if ratio > 1.0:
                step = dt * max(0.2, 0.9 * ratio ** (-1.0 / 3.0))
                if time + step == time:
                    return TOO_MANY_STEPS, time
                continue
            grown = dt * (5.0 if ratio <= 0.0 else min(5.0, 0.9 * ratio ** (-1.0 / 3.0)))
            step = max(step, grown) if dt < step else grown
            birth = since + whole[0] >= draws[born]
            if birth:
                # the same step anew, up to where the next nucleus is due
                dt *= _share_of_step(whole[0], whole[2], whole[3], dt, draws[born] - since)
                _step(p, knots, table, first, last, time, dt, r, n, droplet_m3, k, trial, env, whole)
                time += dt
            else:
                time = end if dt == end - time else time + dt
            since += whole[0]
            expected += whole[0]
            m = 0
            for i in range(n):
                if trial[i] > least:
                    r[m] = trial[i]
                    m += 1
            n = m
            if birth:
                if born + 1 >= cap:
                    return FULL, time
                r[n] = whole[4]
                n += 1
                born += 1
                since = 0.0
        cubes = 0.0
        for i in range(n):
            sizes[index, i] = r[i]
            cubes += r[i] ** 3
        conditions_at(knots, table, sections[section, 0], sections[section, 1], time, env)
        out[index, ALIVE], out[index, NUCLEI], out[index, EXPECTED] = n, born, expected
        out[index, DISSOLVED] = (env[SUPPLIED] - amount * cubes / droplet_m3) / env[VOLUME]
    return DONE, time
