"""Model Context Protocol: a server made of tool providers, over HTTP and stdio, and a client."""
