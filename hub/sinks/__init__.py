"""Where alerts are forwarded: one file per kind of sink, and what all of them share.

`notice` is what a sink is told, `filter` decides what it is told of, `sections` is its configuration,
`network` keeps it from addresses that nobody allowed, `make` puts it together. `hub.forward` runs it.
"""
