"""Models behind a server: requests, answers that stream, traces checked as they come."""
