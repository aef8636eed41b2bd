"""MCP's stdio transport: descriptors, lines and pipes."""
