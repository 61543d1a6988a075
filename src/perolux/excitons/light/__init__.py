"""From levels to light: rates and lifetimes, coherence, heat, cross sections, line shapes, spectra."""
