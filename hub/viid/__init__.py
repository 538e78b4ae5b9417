"""GA/T 1400, the view library (视图库, VIID): what we report to one, and what a command centre sends us."""
