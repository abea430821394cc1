"""A rehearsal: days of virtual time with simulated members, through the same code as in earnest."""
