"""How the database came to its present form, step by step. Run by `hub.store.engine` at every start."""
