"""From measured light back: sizing curves, temperature series, a user's own table of sizes and energies."""
