"""How well behaviours are told: made scenarios with known truth, and real video for false alarms."""
