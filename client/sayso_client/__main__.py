import sys

from sayso_client.cli import main

sys.exit(main())
