#!/bin/sh
# What motion runs: vestibule-motion-hook motion | clip FILE.   FILE is named SECONDS-EVENT.mp4 (movie_filename).
# The doorbell copies the clip into its own folder; motion's file goes only after that.
set -eu
doorbell() { vestibule-doorbell --config "${VESTIBULE_DOORBELL_CONF:-/etc/vestibule/vestibule-doorbell.conf}" "$@"; }
case "${1-} $#" in
'motion 1') doorbell motion --kind other ;;
'clip 2')
	name=${2##*/}
	doorbell clip --trigger motion --start-ms "${name%%-*}000" -- "$2"
	rm -- "$2" ;;
*) echo "usage: vestibule-motion-hook motion | clip FILE" >&2; exit 64 ;;
esac
