#!/usr/bin/env bash
# What pages say is held against what is there: docs-check.sh BUILD.   Closing line: `docs-check: N passed, N failed`.
exec /usr/bin/python3 "$(dirname "$0")/docs_check.py" "$1"
