"""Health as the tools of others see it."""
