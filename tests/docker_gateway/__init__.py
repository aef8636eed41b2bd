"""Tests in the place of Docker's MCP gateway, whose plugin protocol the HTTP transport speaks."""
