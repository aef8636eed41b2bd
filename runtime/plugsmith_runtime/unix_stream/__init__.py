"""The protocol of length-prefixed messages on a Unix socket: versions 1 and 2, server and client.

It carries bytes: whoever uses it brings the encoders of the messages.
"""
