"""The parts of the conformance suite; the public import is ``adapters.conformance``."""
