"""Errors of maps by plain loops over pixels."""

from __future__ import annotations

import math


def mse(x, y, inside):
    rows, columns = len(x), len(x[0])
    errors = [(x[r][c] - y[r][c]) ** 2 for r in range(rows) for c in range(columns) if inside[r][c]]
    return math.fsum(errors) / len(errors)


def peak(y, inside):
    return max(y[r][c] for r in range(len(y)) for c in range(len(y[0])) if inside[r][c])


def psnr(x, y, inside):
    return 10 * math.log10(peak(y, inside) ** 2 / mse(x, y, inside))


def ssim(x, y, inside):
    """Wang et al. (2004), equation 13, with a window of 11 x 11 and mirrored edges."""
    rows, columns = len(x), len(x[0])
    c1, c2 = (0.01 * peak(y, inside)) ** 2, (0.03 * peak(y, inside)) ** 2
    window = {
        (i, j): math.exp(-(i * i + j * j) / (2 * 1.5**2))
        for i in range(-5, 6)
        for j in range(-5, 6)
    }
    total = sum(window.values())

    def mirrored(k, n):
        while not 0 <= k < n:
            k = -1 - k if k < 0 else 2 * n - 1 - k
        return k

    values = []
    for r in range(rows):
        for c in range(columns):
            if not inside[r][c]:
                continue
            sums = [0.0] * 5
            for (i, j), weight in window.items():
                a = x[mirrored(r + i, rows)][mirrored(c + j, columns)]
                b = y[mirrored(r + i, rows)][mirrored(c + j, columns)]
                for k, term in enumerate((a, b, a * a, b * b, a * b)):
                    sums[k] += weight / total * term
            mx, my, xx, yy, xy = sums
            top = (2 * mx * my + c1) * (2 * (xy - mx * my) + c2)
            values.append(top / ((mx * mx + my * my + c1) * (xx - mx * mx + yy - my * my + c2)))
    return math.fsum(values) / len(values)
