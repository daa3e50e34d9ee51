"""Where recordings come from: releases and their file names, any folder, synthetic machines."""
