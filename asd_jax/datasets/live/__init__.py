"""Sound as it comes: a microphone, a pipe, a recording played, a folder that fills; blocks of samples and breaks."""
