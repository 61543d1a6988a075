"""Collective light: superradiance and superfluorescence of assemblies of nanocrystals.

Rates are in units of Gamma, the radiative rate of one emitter in its surroundings, times in 1/Gamma, shifts
in hbar Gamma. `couplings`: decay matrix and coherent shifts of dipoles; `plane_waves`: the decay matrix as a
product, and where light goes. `dicke`: identical emitters at one place, exactly. `blocks`,
`master_equation`: few emitters with everything, exactly; `trajectories`: a dozen, by unbiased quantum jumps;
`eigenstate_rates`, `ladder`: clusters with strong shifts. `symmetric`: identical emitters with loss and
dephasing. `wigner`, `cumulants`: many, each with its known error.
`single_excitation`: one photon among many. `case`, `burst`: `perolux burst`, with the method that fits.
"""
