"""What has several implementations, as Protocols: the public surface a plug-in sees."""
