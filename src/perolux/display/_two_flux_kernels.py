"""Compiled sums of the two-flux film: light emitted in one cell, passed on from cell to cell.

A cell has reflectance r, transmittance t and absorptance a = 1 - r - t for diffuse light; what is emitted in
it leaves by either side with e = a/(2 k h). `two_flux_plain` of `two_flux.py` solves the same as one linear
system.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def two_flux_cells(reflect, transmit, leave, top, bottom, share, cells):
    """Matrix P (N, N) summed with `share`, and (m, N) escapes and what diffuse light from each face leaves.

    reflect, transmit, leave (m,): r, t, e of one cell; top, bottom (m,): reflectances of the faces from
    inside. Returns matrix, escape_top, escape_bottom, from_bottom, from_top and (m,) the light that enters
    by the bottom inside and leaves by the top or comes back to the bottom, and the same from the top.
    """
    wavelengths = len(reflect)
    matrix = np.zeros((cells, cells))
    escape_top, escape_bottom = np.zeros((wavelengths, cells)), np.zeros((wavelengths, cells))
    from_bottom, from_top = np.zeros((wavelengths, cells)), np.zeros((wavelengths, cells))
    crossing = np.zeros((wavelengths, 4))
    above, below = np.empty(cells), np.empty(cells)
    for i in range(wavelengths):
        r, t, e = reflect[i], transmit[i], leave[i]
        a = 1.0 - r - t
        below[0], above[cells - 1] = bottom[i], top[i]
        for j in range(1, cells):
            below[j] = r + t * t * below[j - 1] / (1.0 - r * below[j - 1])
            up = cells - 1 - j
            above[up] = r + t * t * above[up + 1] / (1.0 - r * above[up + 1])
        for j in range(cells):
            # x, y: light on the cell from below and from above; up, down: what leaves it there
            ru, rd = above[j], below[j]
            p, q = 1.0 - r * rd, 1.0 - r * ru
            down = e * (q + t * ru) / (p * q - t * t * ru * rd)
            up_ = e * (p + t * rd) / (p * q - t * t * ru * rd)
            x, y = rd * down, ru * up_
            matrix[j, j] += share[i] * ((1.0 - 2.0 * e) + a * (x + y))
            flow = up_
            for c in range(j + 1, cells):
                flow_on = t * flow / (1.0 - r * above[c])
                matrix[c, j] += share[i] * a * (flow + above[c] * flow_on)
                flow = flow_on
            escape_top[i, j] = (1.0 - top[i]) * flow
            flow = down
            for c in range(j - 1, -1, -1):
                flow_on = t * flow / (1.0 - r * below[c])
                matrix[c, j] += share[i] * a * (flow + below[c] * flow_on)
                flow = flow_on
            escape_bottom[i, j] = (1.0 - bottom[i]) * flow
        # diffuse light that has come in through a face
        seen = r + t * t * above[0] / (1.0 - r * above[0])
        flow = 1.0 / (1.0 - bottom[i] * seen)
        crossing[i, 1] = (1.0 - bottom[i]) * seen * flow
        for c in range(cells):
            flow_on = t * flow / (1.0 - r * above[c])
            from_bottom[i, c] = a * (flow + above[c] * flow_on)
            flow = flow_on
        crossing[i, 0] = (1.0 - top[i]) * flow
        seen = r + t * t * below[cells - 1] / (1.0 - r * below[cells - 1])
        flow = 1.0 / (1.0 - top[i] * seen)
        crossing[i, 3] = (1.0 - top[i]) * seen * flow
        for c in range(cells - 1, -1, -1):
            flow_on = t * flow / (1.0 - r * below[c])
            from_top[i, c] = a * (flow + below[c] * flow_on)
            flow = flow_on
        crossing[i, 2] = (1.0 - bottom[i]) * flow
    return matrix, escape_top, escape_bottom, from_bottom, from_top, crossing
