# Written by `cargo xtask tidy --bless` from wit/. Do not edit.
"""What a plugin can call, a module for each interface."""

from . import approval as approval
from . import artifacts as artifacts
from . import docker as docker
from . import health as health
from . import http as http
from . import log as log
from . import metrics as metrics
from . import process as process
from . import query as query
from . import timer as timer
from . import traffic as traffic
from . import value as value
