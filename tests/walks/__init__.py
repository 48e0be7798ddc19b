"""Ways through the gateway that may be walked again from their start, whatever happened on them."""
