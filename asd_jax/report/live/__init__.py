"""What a monitor shows while it listens: a page on loopback, fed by scores, spectra and events as they come."""
