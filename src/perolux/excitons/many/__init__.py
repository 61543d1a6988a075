"""More than one exciton: trions and biexcitons by diffusion Monte Carlo, Auger lifetimes, their emission."""
