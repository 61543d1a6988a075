"""Fine structure of the first exciton: exchange, dipoles, fields, and how its levels exchange population."""
