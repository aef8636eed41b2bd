"""What a server must stand in production, on every transport."""
