"""What edge and hub share: messages, codec, topics, keys and the plate grammar.

Imports nothing of ours, opens nothing and does no I/O but what a caller hands it.
"""
