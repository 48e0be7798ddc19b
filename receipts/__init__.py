"""The citizen's proof: numbered, sealed, shown."""
