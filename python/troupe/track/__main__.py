"""`python -m troupe.track` is `python -m troupe track`."""

import sys

from troupe.track.command import main

sys.exit(main(sys.argv[1:]))
