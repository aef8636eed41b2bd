"""HTTP on uvicorn: connections with limits, guards of requests, answers. Who serves what with it is said elsewhere."""
