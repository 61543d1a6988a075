"""Floor 2: photons. Streams, decays and quantum light of one nanocrystal: simulated and analysed.

`hom`, `hom_wanted`: two-photon interference, from lifetime and coherence to visibility and back, and what
would raise it; `hom_peaks`, `hom_histogram`: its five peaks; `hom_measured`: files of them, end to end.
`first_order`, `pcfs`: coherence of the line; `pcfs_measured`: a measured set.
`derived_record`: published files of a dot.
`emitter`, `nanocrystal_emitter`, `lindblad`, `emitter_stream`: states and steps of one nanocrystal.
`simulate`, `dwells`: time-tagged photons with their truth. `descriptor`: a source for a circuit. `imaging`:
images of missing pairs.

`spectral_diffusion`: the wandering line in a series of spectra (`spectral_series`, `line_profile`,
`line_path`, `diffusion_laws`, `line_jumps`, `diffusion_shifts`, `diffusion_photons`); `diffusion_simulation`
makes such series.

`correlation`: g2 over a window and over logarithmic lags. `pulsed_g2`: purity of a pulsed source;
`time_gate`: behind a gate, and the biexciton's yield; `continuous_g2`: the dip of steady light;
`third_order`: g3; `start_stop`: a diagnostic; `purity`: what of these a record gives. `change_points`,
`levels`, `dwell_times`: blinking. `decay_fit`: lifetimes by Poisson likelihood; `decay_distribution`: their
distribution; `dark_record`: dark counts as a prior. `analysis`: all of it for one record, as
`perolux photons` shows it.
"""
