"""Training of our own networks: synthesis, data sets, training, export. Never imported at run time."""
