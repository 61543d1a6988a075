"""Floor 0: fitting and statistics that know no nanocrystal.

`grids`: exact posteriors on grids, credible intervals, coverage. `likelihoods`: Gaussian, Poisson,
Student-t. `least_squares`: bounded, scaled, checked. `variable_projection`: linear amplitudes eliminated.
`profiles`: profile-likelihood intervals. `criteria`: AIC, AICc, BIC. `bootstrap`: parametric and residual.

There are no Markov-chain samplers here: the posteriors of the first rooms have one to three dimensions,
where a grid is exact and faster; a sampler comes with the first problem that a grid cannot hold.

Importing this room loads numpy only; scipy is loaded by the functions that need it.
"""

from perolux.fitting.bootstrap import BootstrapResult, bootstrap_parametric, bootstrap_residuals
from perolux.fitting.criteria import aic, aicc, akaike_weights, bic
from perolux.fitting.grids import (
    Coverage,
    binomial_interval,
    coverage,
    credible_interval,
    marginalise,
    normalise_log,
    quantiles,
    trapezoid_weights,
)
from perolux.fitting.least_squares import FitResult, least_squares
from perolux.fitting.likelihoods import (
    gaussian_log_likelihood,
    poisson_deviance,
    poisson_deviance_residuals,
    poisson_deviance_slopes,
    poisson_log_likelihood,
    student_t_log_likelihood,
)
from perolux.fitting.profiles import ProfileInterval, profile_interval
from perolux.fitting.variable_projection import SeparableFit, fit_separable

__all__ = [
    "BootstrapResult",
    "Coverage",
    "FitResult",
    "ProfileInterval",
    "SeparableFit",
    "aic",
    "aicc",
    "akaike_weights",
    "bic",
    "binomial_interval",
    "bootstrap_parametric",
    "bootstrap_residuals",
    "coverage",
    "credible_interval",
    "fit_separable",
    "gaussian_log_likelihood",
    "least_squares",
    "marginalise",
    "normalise_log",
    "poisson_deviance",
    "poisson_deviance_residuals",
    "poisson_deviance_slopes",
    "poisson_log_likelihood",
    "profile_interval",
    "quantiles",
    "student_t_log_likelihood",
    "trapezoid_weights",
]
