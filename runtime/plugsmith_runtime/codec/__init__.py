"""Codecs of hook calls: between the host's calls and the bytes of a protocol, server's and client's side."""
