"""`gateway-config`: the block for the gateway's plugins file."""
