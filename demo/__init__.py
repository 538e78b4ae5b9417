"""The demonstration: the whole path on one machine, on embedded defaults.

Composes edge and hub from outside, as their users do: through the command line, configuration files
and the API. Nothing imports it but the command line.
"""
