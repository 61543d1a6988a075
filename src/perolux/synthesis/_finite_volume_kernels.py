"""Compiled loops of the finite volume engine (`finite_volume.py` says what they solve; SI units throughout).

`number[i]` crystals per reference volume lie between `faces[i]` and `faces[i + 1]`; `cube[i]` is the mean r^3
there. The laws are written once more here: nothing is shared with the loops of the cohort engine.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis._encounter_kernels import SHARE, exchange, fastest_loss, losses
from perolux.synthesis.laws import LEAST_SUPERSATURATION

# columns of the table of conditions; `conditions.py` fills it
T, CS, KR, DIFF, GAMMA, LNA, BARRIER, VOLUME, SUPPLIED, COMPLEXANT, DISSOCIATION, WASHOUT, LIGAND = range(13)
# kinds of laws; `models.py` fills the parameters of each
CLASSICAL, POWER, PLAIN, RIPENING = range(4)
# columns of the report at each time
(
    DISSOLVED, FREE, SUPERSATURATION, RATE, ENTRY, HELD, NUCLEI, GONE, STEPS, MEETINGS, BROKEN, MASS_ERROR,
    UPTAKE,
) = range(13)  # fmt: skip
DONE, TOO_MANY_STEPS, STEP_TOO_SMALL, TOO_LARGE = range(4)

_BOLTZMANN = constant("boltzmann_j_per_k")
_AVOGADRO = AVOGADRO_PER_MOL
_LEAST_S = LEAST_SUPERSATURATION
CFL = 0.45
"""Koren's limiter keeps densities positive in an Euler step up to 1/2."""
OCCUPIED = 1e-6
"""Share of all crystals above which a cell limits the step; what leaves an emptier cell is at most all."""
_CHANGE = 0.02  # share of the dissolved monomer that one step may take or give
_LARGEST_SHARE = 1e-6  # of all crystals in the uppermost cell, or of their volume kept from attaching there
# what a step adds to: r^3 of all crystals, nuclei, dissolved, meetings, pieces, r^3 kept from attaching, r^3
# of nuclei as they enter
_SUMS = 7


@njit(cache=True, nogil=True)
def conditions_at(knots, table, first, last, time, env):
    """Linear interpolation in the table between the knots of one smooth stretch."""
    k = min(max(np.searchsorted(knots[first : last + 1], time, side="right") - 1 + first, first), last)
    after = min(k + 1, last)
    width = knots[after] - knots[k]
    share = min(max((time - knots[k]) / width, 0.0), 1.0) if width > 0.0 else 0.0
    for j in range(table.shape[1]):
        env[j] = table[k, j] + share * (table[after, j] - table[k, j])


@njit(cache=True, nogil=True)
def solution_at(knots, chemistry, first, last, time, solution):
    """Linear in time between the knots at which the solution is tabulated (see `solution_line.py`)."""
    chosen, tables, _ = chemistry
    if solution.shape[1] == 0:
        return
    k = np.searchsorted(chosen, first)
    while chosen[k] < last and chosen[k + 1] < last and knots[chosen[k + 1]] <= time:
        k += 1
    after = k + 1 if chosen[k] < last else k
    width = knots[chosen[after]] - knots[chosen[k]]
    share = min(max((time - knots[chosen[k]]) / width, 0.0), 1.0) if width > 0.0 else 0.0
    solution[:] = (1.0 - share) * tables[k] + share * tables[after]


@njit(cache=True, nogil=True)
def hermite(grid, values, slopes, p):
    """Value at p by the basis of Hermite over an even grid; straight beyond its ends."""
    n = values.shape[0]
    k = min(max(math.floor((p - grid[0]) / grid[1]), 0), n - 2)
    t = (p - grid[0]) / grid[1] - k
    if t < 0.0:
        return values[0] + t * slopes[0]
    if t > 1.0:
        return values[n - 1] + (t - 1.0) * slopes[n - 1]
    left, right = (1.0 + 2.0 * t) * (1.0 - t) ** 2, t * t * (3.0 - 2.0 * t)
    curved = t * (1.0 - t) ** 2 * slopes[k] - t * t * (1.0 - t) * slopes[k + 1]
    return left * values[k] + right * values[k + 1] + curved


@njit(cache=True, nogil=True)
def product_at(grid, values, slopes, wanted):
    """p at which the value is as wanted, by bisection."""
    n = values.shape[0]
    if wanted <= values[0]:
        return grid[0] + grid[1] * (wanted - values[0]) / slopes[0]
    if wanted >= values[n - 1]:
        return grid[0] + grid[1] * (n - 1 + (wanted - values[n - 1]) / slopes[n - 1])
    k = np.searchsorted(values, wanted, side="right") - 1
    low, high = grid[0] + grid[1] * k, grid[0] + grid[1] * (k + 1)
    for _ in range(50):
        middle = 0.5 * (low + high)
        if hermite(grid, values, slopes, middle) > wanted:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def laws(code, p, env, chemistry, solution, faces, number, dissolved, speed, out):
    """Speed G (m/s) at every face; out: free, S, nuclei per s, entry radius, 1/s at which solute relaxes, and
    the share of the surface that no ligand covers."""
    n = number.shape[0]
    out[:] = 0.0
    out[0], out[5] = dissolved, 1.0
    total, first, second = 0.0, 0.0, 0.0
    for i in range(n):
        a, b = faces[i], faces[i + 1]
        total += number[i]
        first += number[i] * 0.5 * (a + b)
        second += number[i] * (a * a + a * b + b * b) / 3.0
    if code == CLASSICAL:
        free = max(dissolved, 0.0)
        if env[DISSOCIATION] > 0.0:
            # crystals hold no complexant: theirs is in the solution
            b = env[COMPLEXANT] + max(env[SUPPLIED] / env[VOLUME] - free, 0.0) + env[DISSOCIATION]
            free = 0.5 * (math.sqrt(b * b + 4.0 * env[DISSOCIATION] * free) - b)
        s = free / env[CS]
        tabled = solution.shape[1] > 0
        if tabled:
            free, s = 0.0, 0.0
            ln_ksp = 5.0 * math.log(env[CS] / 1000.0) + math.log(27.0)
            if dissolved > 0.0:
                product = product_at(chemistry[2], solution[0], solution[1], math.log(dissolved))
                free = math.exp(hermite(chemistry[2], solution[2], solution[3], product))
                s = math.exp(min(product - ln_ksp, 700.0))
        heat = _BOLTZMANN * env[T]
        length = 2.0 * env[GAMMA] * p[2] / heat
        kr = env[KR]
        if p[5] > 0.0 and env[LIGAND] > 0.0:
            # free ligand L of L + capacity K L/(1 + K L) = ligand, by bisection
            capacity = p[6] * p[7] * second / env[VOLUME]
            low, high = 0.0, env[LIGAND]
            for _ in range(60):
                middle = 0.5 * (low + high)
                if middle + capacity * p[5] * middle / (1.0 + p[5] * middle) > env[LIGAND]:
                    high = middle
                else:
                    low = middle
            out[5] = 1.0 / (1.0 + p[5] * 0.5 * (low + high))
            kr *= out[5]
        v = p[2] * _AVOGADRO
        for i in range(n + 1):
            r = faces[i]
            if tabled:
                there = math.exp(hermite(chemistry[2], solution[2], solution[3], ln_ksp + length / r))
            else:
                there = env[CS] * math.exp(length / r)
            speed[i] = v * (free - there) / (r / env[DIFF] + 1.0 / kr)
        for i in range(n):
            r = 0.5 * (faces[i] + faces[i + 1])
            out[4] += 3.0 * p[1] * number[i] * r * r * v / (r / env[DIFF] + 1.0 / kr) / env[VOLUME]
        out[0], out[1] = free, s
        if s > _LEAST_S:
            log = math.log(s)
            ln_rate = env[LNA] - env[BARRIER] * p[3] * env[GAMMA] ** 3 * p[2] ** 2 / (heat**3 * log * log)
            if ln_rate > -60.0:
                out[2] = math.exp(min(ln_rate, 300.0)) * env[VOLUME]
                if p[4] > 0.0:
                    out[2] *= max(1.0 - total / p[4], 0.0)
                out[3] = max(length / log + 0.5 * math.sqrt(heat / (math.pi * env[GAMMA])), p[0])
                # a little less solute, far fewer nuclei: d(ln J)/d(ln c) = 2 (W/kT)/ln S
                steep = max(2.0 * (env[LNA] - ln_rate) / log, 1.0)
                out[4] += steep * p[1] * out[2] * out[3] ** 3 / (max(free, 1e-300) * env[VOLUME])
    elif code == POWER:
        out[1] = (max(dissolved, 0.0) - env[CS]) / env[CS]
        drive = max(out[1], 0.0)
        speed[:] = 0.5 * p[4] * drive ** p[5]
        out[2], out[3] = p[2] * drive ** p[3] * env[VOLUME], p[6]
    elif code == PLAIN:
        for i in range(n + 1):
            r = max(faces[i], 0.25 * faces[1])
            speed[i] = p[3] if p[2] == 0.0 else (p[3] * faces[i] if p[2] == 1.0 else p[3] / r)
        out[2], out[3] = p[4], p[5]
    else:
        mean = first / total if total > 0.0 else 1.0
        critical = second / first if first > 0.0 else 1.0
        for i in range(n + 1):
            r = max(faces[i], 0.25 * faces[1])
            speed[i] = p[3] / r * (1.0 / mean - 1.0 / r) if p[2] == 0.0 else p[3] * (1.0 / critical - 1.0 / r)


@njit(cache=True, nogil=True)
def face_flux(speed, number, width, flux):
    """Crystals per s through each face: upwind with Koren's limiter; the upper end is closed.

    n_f = n_u + phi(q)/2 (n_u - n_uu), q = (n_d - n_u)/(n_u - n_uu), phi = max(0, min(2q, (1 + 2q)/3, 2)),
    with the cells u, uu against and d along the motion. Beyond the ends there are no crystals.
    """
    n = number.shape[0]
    for f in range(n + 1):
        g = speed[f]
        here = f - 1 if g > 0.0 else f
        flux[f] = 0.0
        if here < 0 or here >= n or (f == n):
            continue
        back = here - 1 if g > 0.0 else here + 1
        ahead = here + 1 if g > 0.0 else here - 1
        u = number[here]
        uu = number[back] if 0 <= back < n else 0.0
        # at the lowest face there is no cell along the motion: first order
        if 0 <= ahead < n and u != uu:
            q = (number[ahead] - u) / (u - uu)
            u += 0.5 * max(0.0, min(2.0 * q, min((1.0 + 2.0 * q) / 3.0, 2.0))) * (u - uu)
        flux[f] = g * u / width


@njit(cache=True, nogil=True)
def euler(p, code, env, dt, number, cube, flux, out, factor, tables, loss, work, gain, new):
    """One Euler step into `new`; `gain` is what it adds to the sums (see `_SUMS`)."""
    n = number.shape[0]
    spare, share, change = work
    for i in range(n):
        # no more leaves a cell than it holds
        leaving = dt * (max(flux[i + 1], 0.0) + max(-flux[i], 0.0) + env[WASHOUT] * number[i])
        if leaving > number[i]:
            part = number[i] / leaving
            if flux[i + 1] > 0.0:
                flux[i + 1] *= part
            if flux[i] < 0.0:
                flux[i] *= part
    content, gone, meetings, broken, shut = flux[0] * cube[0], -flux[0], 0.0, 0.0, 0.0
    for f in range(1, n):
        content += flux[f] * (cube[f] - cube[f - 1])
    for i in range(n):
        kept = number[i] / dt - max(flux[i + 1], 0.0) - max(-flux[i], 0.0)
        lost = min(env[WASHOUT] * number[i], max(kept, 0.0))
        content -= lost * cube[i]
        spare[i] = max(dt * (kept - lost), 0.0)
        new[i] = number[i] + dt * (flux[i] - flux[i + 1] - lost)
    kernel, partners, joined, upper, break_rate, pieces, dust, dust_bulk = tables
    if kernel.shape[0] > 0 or break_rate.shape[0] > 0:
        taken, dissolved, meetings, broken, shut = exchange(
            dt, factor, kernel, partners, joined, upper, break_rate, pieces, dust, dust_bulk, number, spare,
            cube, loss, share, change,
        )  # fmt: skip
        content += taken
        gone += dissolved
        for i in range(n):
            new[i] += dt * change[i]
    for i in range(n):
        if new[i] < 0.0:  # rounding
            new[i] = 0.0
    if out[2] > 0.0:
        if code == CLASSICAL and p[4] > 0.0:
            # each place is taken once, however fast
            out[2] = min(out[2], max(p[4] - new.sum(), 0.0) / dt)
        k, part = int(out[6]), out[7]
        new[k] += dt * out[2] * part
        new[k + 1] += dt * out[2] * (1.0 - part)
        content += out[2] * (part * cube[k] + (1.0 - part) * cube[k + 1])
    gain[0], gain[1], gain[2] = dt * content, dt * out[2], dt * gone
    gain[3], gain[4], gain[5], gain[6] = dt * meetings, dt * broken, dt * shut, dt * out[2] * out[3] ** 3


@njit(cache=True, nogil=True)
def longest_step(env, flux_speed, number, width, dissolved, out, held_rate, loss_rate):
    """CFL on |G| at the occupied cells, the change of the solute and of its relaxation, and meetings."""
    total = number.sum()
    fastest = 0.0
    for i in range(number.shape[0]):
        if number[i] > OCCUPIED * total:
            fastest = max(fastest, max(flux_speed[i + 1], 0.0) + max(-flux_speed[i], 0.0))
    rate = fastest / (CFL * width) + 2.0 * out[4] + 2.0 * env[WASHOUT] + loss_rate / SHARE
    if held_rate != 0.0 and dissolved > 0.0:
        rate = max(rate, abs(held_rate) / (_CHANGE * dissolved * env[VOLUME]))
    return 1.0 / rate if rate > 0.0 else np.inf


@njit(cache=True, nogil=True)
def entry(faces, cube, speed, number, flux, out):
    """First of the two cells that nuclei enter, and its share of them, into out[6] and out[7].

    Between the size of entry and the next face there are J/G for each length, a part t of a full cell. A
    share t of J, carried out of the cell upwind, leaves just that: nuclei reach the face beyond when they
    should. Sharing by volume would hold them back by half a cell. Where nuclei dissolve they are shared by
    volume.
    """
    n = cube.shape[0]
    width = faces[1] - faces[0]
    k = min(max(int((out[3] - faces[0]) / width), 0), n - 2)
    if speed[k + 1] > 0.0:
        out[6], out[7] = k, min(max((faces[k + 1] - out[3]) / width, 0.0), 1.0)
        flux[k + 1] = speed[k + 1] * number[k] / width
        return
    r3 = out[3] ** 3
    k = min(max(np.searchsorted(cube, r3, side="right") - 1, 0), n - 2)
    out[6], out[7] = k, min(max((cube[k + 1] - r3) / (cube[k + 1] - cube[k]), 0.0), 1.0)


@njit(cache=True, nogil=True)
def rates(
    code, p, env, chemistry, solution, meet, tables, faces, cube, number, dissolved, speed, flux, law, loss
):
    """Speeds, fluxes, laws and losses; returns the factor of the kernel (per reference volume).

    meet: power of the diffusivity (0 or 1) and of the uncovered share of the surface in the factor.
    """
    laws(code, p, env, chemistry, solution, faces, number, dissolved, speed, law)
    face_flux(speed, number, faces[1] - faces[0], flux)
    if law[2] > 0.0:
        entry(faces, cube, speed, number, flux, law)
    factor = (env[DIFF] if meet[0] > 0.0 else 1.0) / env[VOLUME]
    if meet[1] > 0.0:
        factor *= law[5] ** meet[1]
    losses(number, factor, tables[0], tables[1], tables[4], loss)
    return factor


@njit(cache=True, nogil=True)
def run(
    code, p, meet, tables, chemistry, knots, table, sections, faces, cube, number, start, times, most_steps,
    out, kept,
):  # fmt: skip
    """Integrate through `times` by SSP-RK3 (Shu and Osher); returns (state, steps, time reached)."""
    n = number.shape[0]
    width = faces[1] - faces[0]
    env, law = np.empty(table.shape[1]), np.zeros(8)
    solution = np.empty((4, chemistry[1].shape[2]))
    speed, flux, loss = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n)
    one, two, new = np.empty(n), np.empty(n), np.empty(n)
    work = (np.empty(n), np.empty(n), np.empty(n))
    first_gain, gain, sums = np.zeros(_SUMS), np.zeros(_SUMS), np.zeros(_SUMS)
    amount = p[1]
    sums[0] = (number * cube).sum()
    worst = 0.0
    time, steps, section = start, 0, 0
    for index in range(times.shape[0]):
        while time < times[index]:
            while section < sections.shape[0] - 1 and knots[sections[section, 1]] <= time:
                section += 1
            first, last = sections[section, 0], sections[section, 1]
            end = times[index]
            if section < sections.shape[0] - 1:
                end = min(end, knots[last])
            conditions_at(knots, table, first, last, time, env)
            solution_at(knots, chemistry, first, last, time, solution)
            held = amount * sums[0]
            dissolved = (env[SUPPLIED] - held) / env[VOLUME]
            factor = rates(
                code, p, env, chemistry, solution, meet, tables, faces, cube, number,
                dissolved, speed, flux, law, loss,
            )  # fmt: skip
            held_rate = flux[0] * cube[0] + law[2] * law[3] ** 3
            for f in range(1, n):
                held_rate += flux[f] * (cube[f] - cube[f - 1])
            loss_rate = fastest_loss(number, cube, loss)
            dt = longest_step(env, speed, number, width, dissolved, law, amount * held_rate, loss_rate)
            if law[2] > 0.0:  # nuclei enter no further apart than a cell
                k = min(max(int((law[3] - faces[0]) / width), 0), n - 1)
                dt = min(dt, CFL * width / max(abs(speed[k]), abs(speed[k + 1]), 1e-300))
            dt = min(dt, 0.01 * (times[-1] - start))
            if dt < 1e-14 * abs(times[-1]):
                return STEP_TOO_SMALL, steps, time
            dt = end - time if end - time <= dt * (1.0 + 1e-9) else dt
            euler(p, code, env, dt, number, cube, flux, law, factor, tables, loss, work, first_gain, one)
            conditions_at(knots, table, first, last, time + dt, env)
            solution_at(knots, chemistry, first, last, time + dt, solution)
            dissolved = (env[SUPPLIED] - held - amount * first_gain[0]) / env[VOLUME]
            factor = rates(
                code, p, env, chemistry, solution, meet, tables, faces, cube, one,
                dissolved, speed, flux, law, loss,
            )  # fmt: skip
            euler(p, code, env, dt, one, cube, flux, law, factor, tables, loss, work, gain, two)
            for k in range(_SUMS):
                first_gain[k] = 0.25 * (first_gain[k] + gain[k])
            for i in range(n):
                two[i] = 0.75 * number[i] + 0.25 * two[i]
            conditions_at(knots, table, first, last, time + 0.5 * dt, env)
            solution_at(knots, chemistry, first, last, time + 0.5 * dt, solution)
            dissolved = (env[SUPPLIED] - held - amount * first_gain[0]) / env[VOLUME]
            factor = rates(
                code, p, env, chemistry, solution, meet, tables, faces, cube, two,
                dissolved, speed, flux, law, loss,
            )  # fmt: skip
            euler(p, code, env, dt, two, cube, flux, law, factor, tables, loss, work, gain, new)
            for i in range(n):
                number[i] = (number[i] + 2.0 * new[i]) / 3.0
            for k in range(_SUMS):
                sums[k] += 2.0 / 3.0 * (first_gain[k] + gain[k])
            volume = (number * cube).sum()
            if amount > 0.0:
                worst = max(worst, amount * abs(volume - sums[0]) / max(abs(env[SUPPLIED]), 1e-300))
            time = end if dt == end - time else time + dt
            steps += 1
            if steps >= most_steps:
                return TOO_MANY_STEPS, steps, time
            if number[n - 1] > _LARGEST_SHARE * number.sum() or sums[5] > _LARGEST_SHARE * volume:
                return TOO_LARGE, steps, time
        conditions_at(knots, table, sections[section, 0], sections[section, 1], time, env)
        solution_at(knots, chemistry, sections[section, 0], sections[section, 1], time, solution)
        dissolved = (env[SUPPLIED] - amount * sums[0]) / env[VOLUME]
        laws(code, p, env, chemistry, solution, faces, number, dissolved, speed, law)
        row = out[index]
        row[DISSOLVED], row[FREE], row[SUPERSATURATION] = dissolved, law[0], law[1]
        row[RATE], row[ENTRY], row[HELD] = law[2], law[3], amount * sums[0]
        row[NUCLEI], row[GONE], row[MEETINGS], row[BROKEN] = sums[1], sums[2], sums[3], sums[4]
        row[STEPS], row[MASS_ERROR], row[UPTAKE] = steps, worst, amount * sums[6]
        kept[index] = number
    return DONE, steps, time
