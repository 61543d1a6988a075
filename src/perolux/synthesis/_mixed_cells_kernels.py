"""Compiled loops of the finite volumes in size and halide fraction (`mixed_finite_volume.py`; SI units).

`number[i, k]` crystals lie between the sizes `faces[i]` and `faces[i + 1]` at the fraction x_k = k/m. The
laws are written once more here: nothing is shared with the loops of the cohorts.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis.laws import LEAST_SUPERSATURATION

T, DIFF, VOLUME, CATION, LEAD, X1, X2, CS1, CS2, KR1, KR2, G1, G2, LNA1, LNA2, KX = range(16)
LEAST, A1, A2, BARRIER, ORDER, W, AS_DISSOLVED = range(7)
DONE, TOO_MANY_STEPS, TOO_LARGE = range(3)
CFL = 0.4
"""Both directions together; Koren's limiter keeps densities positive in an Euler step up to 1/2."""
_CHANGE = 0.02  # share of the monomer that one step may take or give
_OCCUPIED = 1e-9  # share of all crystals above which a cell limits the step
_LARGEST_SHARE = 1e-6

_K = constant("boltzmann_j_per_k")
_N_A = AVOGADRO_PER_MOL


@njit(cache=True, nogil=True)
def environment(knots, table, time, env):
    """Linear interpolation in the table; no jumps here."""
    k = min(max(np.searchsorted(knots, time, side="right") - 1, 0), knots.shape[0] - 2)
    share = min(max((time - knots[k]) / (knots[k + 1] - knots[k]), 0.0), 1.0)
    for j in range(table.shape[1]):
        env[j] = (1.0 - share) * table[k, j] + share * table[k + 1, j]


@njit(cache=True, nogil=True)
def _koren(before, here, ahead):
    """Value at the face between `here` and `ahead`, motion from here to ahead; values of 0 and above."""
    back = here - before
    if back == 0.0:
        return here
    q = (ahead - here) / back
    return here + 0.5 * max(0.0, min(2.0 * q, min((1.0 + 2.0 * q) / 3.0, 2.0))) * back


@njit(cache=True, nogil=True)
def _at(p, env, x, c1, c2):
    """ln C, ln Cs, gamma, k_r, lattice constant of a solid of fraction x; -1e9 for the logarithm of 0."""
    ln1 = math.log(c1) if c1 > 0.0 else -1e9
    ln2 = math.log(c2) if c2 > 0.0 else -1e9
    drive = (1.0 - x) * ln1 + x * ln2
    rest = (1.0 - x) * math.log(env[CS1]) + x * math.log(env[CS2])
    if x > 0.0 and x < 1.0:
        rest += p[ORDER] * (x * math.log(x) + (1.0 - x) * math.log(1.0 - x) + p[W] * x * (1.0 - x))
    kr = math.exp((1.0 - x) * math.log(env[KR1]) + x * math.log(env[KR2]))
    return drive, rest, (1.0 - x) * env[G1] + x * env[G2], kr, (1.0 - x) * p[A1] + x * p[A2]


@njit(cache=True, nogil=True)
def change(p, env, faces, cube, number, solute, dn, ds, sums):
    """dN/dt into dn, d(solute)/dt into ds (mol per m^3 of reference volume of A, Pb, X1, X2).

    sums: largest CFL rate, rate of change of the monomer over it, nuclei of both families and
    dissolved per s.
    """
    n, m = number.shape
    width, gap = faces[1] - faces[0], 1.0 / (m - 1)
    per = 8.0 / (p[A1] ** 3 * _N_A)
    dn[:] = 0.0
    ds[:] = 0.0
    sums[:] = 0.0
    halide = solute[2] + solute[3]
    monomer = max(min(min(solute[0], solute[1]), halide / 3.0) / env[VOLUME], 0.0)
    pool = min(max(solute[3] / halide, 0.0), 1.0) if halide > 0.0 else 0.0
    c1, c2 = monomer * (1.0 - pool) ** p[ORDER], monomer * pool ** p[ORDER]
    occupied = 0.0
    for i in range(n):
        for k in range(m):
            occupied += number[i, k]
    occupied *= _OCCUPIED
    for k in range(m):
        x = k * gap
        drive, rest, gamma, kr, a = _at(p, env, x, c1, c2)
        c, cs = math.exp(drive), math.exp(rest)
        length = 2.0 * gamma * a**3 / (_K * env[T])
        for f in range(n):
            r = faces[f] * a / p[A1]
            speed = a**3 * _N_A * (c - cs * math.exp(length / r)) / (r / env[DIFF] + 1.0 / kr) * p[A1] / a
            if speed > 0.0:
                if f == 0:
                    continue
                before = number[f - 2, k] if f > 1 else 0.0
                flux = speed * _koren(before, number[f - 1, k], number[f, k]) / width
                filled = number[f - 1, k]
            else:
                before = number[f + 1, k] if f < n - 1 else 0.0
                ahead = number[f - 1, k] if f > 0 else number[f, k]
                flux = speed * _koren(before, number[f, k], ahead) / width
                filled = number[f, k]
            if filled > occupied:
                sums[0] = max(sums[0], abs(speed) / width)
            dn[f, k] += flux
            content = cube[f]
            if f > 0:
                dn[f - 1, k] -= flux
                content -= cube[f - 1]
            else:
                sums[4] -= flux
            units = per * flux * content
            ds[0] -= units
            ds[1] -= units
            ds[2] -= 3.0 * units * (1.0 - x)
            ds[3] -= 3.0 * units * x
    fastest_x = 0.0
    for k in range(m - 1):
        velocity = env[KX] * (pool - (k + 0.5) * gap)
        for i in range(n):
            if velocity > 0.0:
                before = number[i, k - 1] if k > 0 else 0.0
                flux = velocity * _koren(before, number[i, k], number[i, k + 1]) / gap
                filled = number[i, k]
            else:
                before = number[i, k + 2] if k < m - 2 else 0.0
                flux = velocity * _koren(before, number[i, k + 1], number[i, k]) / gap
                filled = number[i, k + 1]
            if filled > occupied:
                fastest_x = max(fastest_x, abs(velocity) / gap)
            dn[i, k] -= flux
            dn[i, k + 1] += flux
            moved = 3.0 * per * cube[i] * gap * flux
            ds[2] += moved
            ds[3] -= moved
    families = 1 if p[AS_DISSOLVED] > 0.0 else 2
    for family in range(families):
        x = pool if families == 1 else float(family)
        drive, rest, gamma, _, a = _at(p, env, x, c1, c2)
        log, heat = drive - rest, _K * env[T]
        if log <= math.log(LEAST_SUPERSATURATION):
            continue
        ln_a = (1.0 - x) * env[LNA1] + x * env[LNA2]
        ln_rate = ln_a - p[BARRIER] * gamma**3 * a**6 / (heat**3 * log * log)
        if ln_rate <= -60.0:
            continue
        rate = math.exp(min(ln_rate, 300.0)) * env[VOLUME]
        r = 2.0 * gamma * a**3 / heat / log + 0.5 * math.sqrt(heat / (math.pi * gamma))
        v = max(max(r * p[A1] / a, p[LEAST]) ** 3, cube[0])
        i = min(max(np.searchsorted(cube, v, side="right") - 1, 0), n - 2)
        upper = min((v - cube[i]) / (cube[i + 1] - cube[i]), 1.0)
        k = min(int(x / gap), m - 2)
        right = x / gap - k
        dn[i, k] += rate * (1.0 - upper) * (1.0 - right)
        dn[i + 1, k] += rate * upper * (1.0 - right)
        dn[i, k + 1] += rate * (1.0 - upper) * right
        dn[i + 1, k + 1] += rate * upper * right
        # cells that nuclei will reach are empty as yet: the fastest growth that there can be
        sums[0] = max(sums[0], math.exp(drive + 3.0 * math.log(a)) * _N_A * max(env[KR1], env[KR2]) / width)
        fastest_x = max(fastest_x, env[KX] / gap)
        units = per * rate * ((1.0 - upper) * cube[i] + upper * cube[i + 1])
        ds[0] -= units
        ds[1] -= units
        ds[2] -= 3.0 * units * (1.0 - x)
        ds[3] -= 3.0 * units * x
        sums[2 + family] += rate
    sums[0] += fastest_x
    if monomer > 0.0:
        sums[1] = max(abs(ds[0]), abs(ds[1])) / (monomer * env[VOLUME])


@njit(cache=True, nogil=True)
def run(p, knots, table, faces, cube, number, start, times, most_steps, out, kept):
    """SSP-RK3 from `start` through `times`; out[j]: A, Pb, X1, X2 dissolved, nuclei (2), dissolved, steps."""
    env = np.empty(table.shape[1])
    n1, n2, dn = np.empty_like(number), np.empty_like(number), np.empty_like(number)
    s1, s2, ds = np.empty(4), np.empty(4), np.empty(4)
    sums, counted = np.zeros(5), np.zeros(3)
    per = 8.0 / (p[A1] ** 3 * _N_A)
    environment(knots, table, start, env)
    solute = np.array([env[CATION], env[LEAD], env[X1], env[X2]])
    gap = 1.0 / (number.shape[1] - 1)
    for i in range(number.shape[0]):
        for k in range(number.shape[1]):
            units = per * number[i, k] * cube[i]
            solute -= np.array([units, units, 3.0 * units * (1.0 - k * gap), 3.0 * units * k * gap])
    time, steps = start, 0
    for j in range(times.shape[0]):
        while time < times[j]:
            environment(knots, table, time, env)
            change(p, env, faces, cube, number, solute, dn, ds, sums)
            dt = min(CFL / max(sums[0], 1e-300), _CHANGE / max(sums[1], 1e-300), times[j] - time)
            dt = min(dt, 0.02 * (times[-1] - start))
            steps += 1
            if steps > most_steps:
                return TOO_MANY_STEPS, steps, time
            first = sums[2:].copy()
            supply = np.array([env[CATION], env[LEAD], env[X1], env[X2]])
            n1[:], s1[:] = number + dt * dn, solute + dt * ds
            environment(knots, table, time + dt, env)
            fed = np.array([env[CATION], env[LEAD], env[X1], env[X2]]) - supply
            s1 += fed
            change(p, env, faces, cube, n1, s1, dn, ds, sums)
            second = sums[2:].copy()
            n2[:] = 0.75 * number + 0.25 * (n1 + dt * dn)
            s2[:] = 0.75 * solute + 0.25 * (s1 + dt * ds)
            environment(knots, table, time + 0.5 * dt, env)
            # the supply of the middle of the step
            half = np.array([env[CATION], env[LEAD], env[X1], env[X2]]) - supply
            s2 += half - 0.25 * fed
            change(p, env, faces, cube, n2, s2, dn, ds, sums)
            third = sums[2:].copy()
            number[:] = (number + 2.0 * (n2 + dt * dn)) / 3.0
            solute[:] = (solute + 2.0 * (s2 + dt * ds)) / 3.0 + fed - 2.0 / 3.0 * half
            counted += dt * (first + second + 4.0 * third) / 6.0
            time = times[j] if dt == times[j] - time else time + dt
            total, top = 0.0, 0.0
            for k in range(number.shape[1]):
                top += number[-1, k]
                for i in range(number.shape[0]):
                    total += number[i, k]
            if top > _LARGEST_SHARE * total and total > 0.0:
                return TOO_LARGE, steps, time
        out[j, :4], out[j, 4:7], out[j, 7] = solute, counted, steps
        kept[j] = number
    return DONE, steps, time
