"""The schema's history: one file per revision under versions/, forward only."""
