"""The use cases: each public method is one thing a person, a system or a job can ask for."""
